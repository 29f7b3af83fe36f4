"""The layer, laid out as Lambda does for a zip function, with what a managed Python runtime brings and nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from kuroshio.adapters import aws
from kuroshio.adapters.layers import contents, published, zipped
from kuroshio.cli import kuroshio_command

if TYPE_CHECKING:
    from tests.contract.library.conftest import Queue

RUNTIME = ("botocore", "urllib3", "jmespath", "dateutil", "six")  # boto3's own needs, which the runtime has
POWERTOOLS = ("aws_lambda_powertools", "typing_extensions", "jmespath")
HANDLER = """
import sys, time
from types import SimpleNamespace
from kuroshio import metrics

metrics._PATIENCE = 300.0  # a busy machine is no silent SQS

@metrics.flushed
def handler(event, context):
    metrics.put("orders.shipped", 3)
    metrics.put("orders.shipped", 2)
    metrics.put("lag", 1.5, combine="last", at=time.time() - 120)
    metrics.put("bad", float("nan"))
    return "done"

assert "botocore" not in sys.modules, "the import alone loads the SDK"
assert handler({"id": "e1", "detail-type": "order"}, SimpleNamespace(aws_request_id="r1")) == "done"
"""


def placed(module: str, folder: Path) -> None:
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    place = Path(found.origin)
    source = place.parent if place.name == "__init__.py" else place
    if not (folder / source.name).exists():
        (folder / source.name).symlink_to(source)


@pytest.fixture(params=["alone", "with Powertools"])
def function(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, list[Path]]:
    """A handler's folder, and Python's path as the runtime sets it: task, layers, runtime."""
    task, opt, runtime = tmp_path / "task", tmp_path / "opt", tmp_path / "runtime"
    for folder in (task, opt, runtime):
        folder.mkdir()
    written = CliRunner().invoke(kuroshio_command, ["layer", "zip", str(tmp_path / "layer.zip")])
    assert written.exit_code == 0, written.output
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        archive.extractall(opt)
    for module in RUNTIME:
        placed(module, runtime)
    for module in POWERTOOLS if request.param != "alone" else ():
        placed(module, opt / "python")
    (task / "app.py").write_text(HANDLER)
    return task / "app.py", [task, opt / "python", runtime]


def run(function: tuple[Path, list[Path]], **env: str) -> subprocess.CompletedProcess[str]:
    """With no site-packages at all: what is not on the path of the function is not there."""
    program, path = function
    start = f"import sys, runpy; sys.path[:0] = {[str(each) for each in path]!r}; runpy.run_path({str(program)!r})"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", "-c", start],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **env},
    )


def emf(output: str) -> dict[str, tuple[str, Any, int]]:
    found = {}
    for line in output.splitlines():
        document = json.loads(line)
        [directive] = document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]:
            [value] = document[metric["Name"]]
            found[metric["Name"]] = directive["Namespace"], value, document["_aws"]["Timestamp"] // 60_000 * 60
    return found


def test_a_zip_function_with_the_layer_reaches_the_queue_with_and_without_powertools(
    function: tuple[Path, list[Path]], queue: Queue
) -> None:
    has_powertools = any((place / "aws_lambda_powertools").exists() for place in function[1])
    begun = time.time()
    done = run(function)
    assert done.returncode == 0, done.stderr
    assert "the metric 'bad' was not taken" in done.stderr
    [body] = queue.bodies()
    points = {point["name"]: point for point in json.loads(body)["points"]}
    assert {name: point["value"] for name, point in points.items()} == {"orders.shipped": 5.0, "lag": 1.5}
    told = emf(done.stdout)
    if has_powertools:
        assert {name: entry[:2] for name, entry in told.items()} == {
            "orders.shipped": ("shop", 5.0),
            "lag": ("shop", 1.5),
        }
        assert told["lag"][2] == points["lag"]["time"] // 60 * 60 < begun - 60
    else:
        assert told == {}


def test_powertools_own_settings_are_obeyed_and_emf_can_be_turned_off(
    function: tuple[Path, list[Path]], queue: Queue
) -> None:
    has_powertools = any((place / "aws_lambda_powertools").exists() for place in function[1])
    named = run(function, POWERTOOLS_METRICS_NAMESPACE="Orders", POWERTOOLS_SERVICE_NAME="shipping")
    assert [json.loads(line).get("service") for line in named.stdout.splitlines()] == ["shipping"] * 2 * has_powertools
    assert {entry[0] for entry in emf(named.stdout).values()} == ({"Orders"} if has_powertools else set())
    assert run(function, KUROSHIO_METRICS_EMF="off").stdout == ""
    assert len(queue.bodies()) == 2


def test_a_function_whose_queue_is_gone_ends_as_if_nothing_had_happened(
    function: tuple[Path, list[Path]], queue: Queue
) -> None:
    done = run(function, KUROSHIO_OUTBOX_QUEUE_URL=queue.url + "-gone")
    assert done.returncode == 0, done.stderr
    assert "metrics were not sent: NotFound" in done.stderr


def test_a_layer_is_published_once_for_the_same_contents(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ENDPOINT_URL_LAMBDA": endpoint,
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    first = CliRunner().invoke(kuroshio_command, ["layer", "publish", "--json"])
    again = CliRunner().invoke(kuroshio_command, ["layer", "publish", "--json"])
    told, repeated = json.loads(first.output), json.loads(again.output)
    assert (told["is_new"], repeated["is_new"]) == (True, False)
    assert told["arn"] == repeated["arn"]
    assert told["arn"].endswith(":layer:kuroshio:1")
    changed = published("kuroshio", {**contents(), "python/more.py": b""})
    assert (changed.is_new, changed.arn.rpartition(":")[2]) == (True, "2")
    aws.forget_clients()


def test_the_zip_has_the_package_alone_and_is_the_same_each_time() -> None:
    files = contents()
    assert zipped(files) == zipped(files)
    assert {path.split("/")[1] for path in files} == {"kuroshio"}
    assert "python/kuroshio/metrics.py" in files
    assert not [path for path in files if path.endswith(".pyc")]
    assert len(zipped(files)) < 1_000_000
