"""What is in the functions' image, and that it runs as Lambda runs it."""

from pathlib import Path

import pytest
import yaml

from lab.engine import Engine, EngineError

ROOT = Path(__file__).parents[2]
AS_LAMBDA = ("--read-only", "--tmpfs=/tmp", "--network=none", "--cap-drop=all", "--memory=256m")
ENOUGH_MB = 200  # it is about 140; a test that fails at every megabyte would be silenced

# Imports all that a function of ours imports until it answers, and reports every source file that Python compiled.
WATCHED = """
import sys
sys.path[:0] = ["/var/task", "/opt/python", "/opt"]
compiled = []
def watch(event, arguments):
    if event == "compile" and isinstance(arguments[1], str) and arguments[1].endswith(".py"):
        compiled.append(arguments[1])
sys.addaudithook(watch)
import importlib, os
os.environ.update(INCOMING_BUCKET="i", PLAN_BUCKET="p", LEDGER_TABLE="l", ENVIRONMENT="dev", OUTBOX_QUEUE_URL="u",
    MACKEREL_SERVICE="s", MACKEREL_API_KEY_SECRET="k", MACKEREL_API_URL="http://m", MACKEREL_CHECK_HOST="h", AWS_REGION="ap-northeast-1",
    AWS_DEFAULT_REGION="ap-northeast-1", AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b",
    POWERTOOLS_METRICS_NAMESPACE="n", POWERTOOLS_SERVICE_NAME="s")
for handler in %r:
    importlib.import_module(handler)
import kuroshio_runtime.start
from kuroshio import wiring
from kuroshio.adapters import aws
wiring.detect_changes(), wiring.record_run(), wiring.collect_metrics(), wiring.flush_metrics()
wiring.report_deployments()
for service in ("s3", "dynamodb", "sqs", "secretsmanager"):
    aws.client(service)
import aws_lambda_powertools.metrics
%s
print(*compiled)
"""


def handlers() -> list[str]:
    """The handlers of both templates, as Lambda is told them."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, tag, node: None)
    texts = [(ROOT / name).read_text() for name in ("template.yaml", "aurora.yaml")]
    resources = [r for text in texts for r in yaml.load(text, Loader)["Resources"].values()]  # noqa: S506 - SafeLoader's child
    configs = [r["Properties"].get("ImageConfig") for r in resources if r["Type"].endswith("::Function")]
    return [config["Command"][0] for config in configs if config]


def run(engine: Engine, image: str, program: str, *options: str) -> str:
    """Run a Python program in the image as Lambda would start the function's process."""
    return engine.run(image, ["-I", "-S", "-c", program], [*AS_LAMBDA, "--entrypoint=/usr/bin/python3", *options])


@pytest.mark.parametrize("user", ["993:990", "12345:54321", "0:0"])
def test_a_function_s_modules_import_on_a_read_only_file_system_as_any_user(
    engine: Engine, image: str, user: str
) -> None:
    modules = [handler.rpartition(".")[0] for handler in handlers()]
    assert modules
    assert run(engine, image, WATCHED % (modules, ""), f"--user={user}").strip() == ""


def test_all_that_a_function_imports_comes_from_the_bundle_and_is_what_it_is_without_it(
    engine: Engine, image: str
) -> None:
    """What startup itself imports and the runtime are not in it: they are there before anybody looks into it."""
    modules = [handler.rpartition(".")[0] for handler in handlers()]
    prepared = "from kuroshio_runtime import bundled; before = set(sys.modules)"
    prepared += "; sys.meta_path.insert(0, bundled.Bundle('/opt/kuroshio_runtime/modules.bundle'))\n"
    compared = """
import marshal
from importlib.machinery import SourceFileLoader
same = 0
for name in sorted(set(sys.modules) - before):
    spec = getattr(sys.modules[name], "__spec__", None)
    if spec is None or not str(spec.origin).endswith(".py") or name.startswith("kuroshio_runtime"):
        continue
    if type(spec.loader).__module__ != "kuroshio_runtime.bundled":
        print("not bundled:", name)
    elif marshal.dumps(spec.loader.get_code(name)) != marshal.dumps(SourceFileLoader(name, spec.origin).get_code(name)):
        print("other code:", name)
    else:
        same += 1
print(same > 200)
"""
    watched = (WATCHED % (modules, compared)).replace("compiled = []", prepared + "compiled = []")
    assert run(engine, image, watched, "--user=993:990").split() == ["True"]


def test_a_source_without_byte_code_would_be_noticed(engine: Engine, image: str) -> None:
    control = "open('/tmp/fresh.py', 'w').close(); sys.path.insert(0, '/tmp'); import fresh"
    assert run(engine, image, WATCHED % ([], control), "--user=993:990").split() == ["/tmp/fresh.py"]


def test_byte_code_is_never_checked_against_modification_times(engine: Engine, image: str) -> None:
    """Bytes 4 to 8 of a pyc: 1 means that it stands for its source by hash, without looking. PEP 552."""
    program = """
import pathlib
folders = [pathlib.Path(p) for p in ("/opt", "/var/task", "/usr/lib/python3.13")]
sources = [s for folder in folders for s in folder.rglob("*.py")]
assert len(sources) > 500
for source in sources:
    pyc = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
    flags = int.from_bytes(pyc.read_bytes()[4:8], "little") if pyc.exists() else None
    if flags != 1:
        print(source, flags)
"""
    assert run(engine, image, program, "--user=0:0") == ""


def test_layers_lie_where_lambda_would_mount_them_and_nothing_else_is_in_the_image(engine: Engine, image: str) -> None:
    program = """
import os
there = ["/opt/bootstrap", "/opt/python/kuroshio/wiring/__init__.py", "/opt/python/botocore/data/s3", "/var/task/detect_changes/handler.py"]
gone = ["/var/task/Dockerfile", "/var/task/build", "/opt/python/boto3", "/opt/python/kuroshio/cli", "/opt/python/pip",
        "/usr/bin/pip3", "/usr/lib/python3/dist-packages/pip", "/opt/python/setuptools", "/opt/python/botocore/data/ecs",
        "/opt/python/bin", "/usr/bin/perl5.40-x86_64-linux-gnu", "/var/lib/apt/lists/partial/x"]
print([p for p in there if not os.path.exists(p)], [p for p in gone if os.path.exists(p)], os.access("/opt/bootstrap", os.X_OK))
"""
    assert run(engine, image, program, "--user=993:990").strip() == "[] [] True"


def test_what_only_people_and_actions_start_is_not_in_the_image(engine: Engine, image: str) -> None:
    marker = "layers/kuroshio/python/"
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith(marker)]
    assert f"{marker}kuroshio/actions" in lines
    gone = [f"/opt/python/{line.removeprefix(marker)}" for line in lines]
    program = f"import os; print([path for path in {gone} if os.path.exists(path)])"
    assert run(engine, image, program, "--user=993:990").strip() == "[]"


def test_git_reads_a_bundle_with_no_home_and_nothing_writable_but_tmp(engine: Engine, image: str) -> None:
    script = """set -eu; cd /tmp; export HOME=/nonexistent GIT_CONFIG_NOSYSTEM=1
        git init -q a; cd a; git -c user.name=a -c user.email=a@b commit -q --allow-empty -m one
        git bundle create -q ../b HEAD; cd ..; git init -q --bare c; git -C c fetch -q ../b HEAD; git -C c rev-parse FETCH_HEAD"""
    printed = engine.run(image, ["-c", script], [*AS_LAMBDA, "--user=993:990", "--entrypoint=/bin/bash"])
    assert len(printed.strip()) == 40


def test_no_package_s_installer_can_run(engine: Engine, image: str) -> None:
    with pytest.raises(EngineError, match="No module named"):
        run(engine, image, "import pip")


def test_the_image_is_small(engine: Engine, image: str, initial: str) -> None:
    sizes = {name: engine.image_bytes(name) / 1e6 for name in (image, initial)}
    assert max(sizes.values()) < ENOUGH_MB
    assert sizes[initial] < sizes[image]


def test_nothing_of_the_checkout_but_what_is_allowed_is_sent_to_the_build() -> None:
    allowed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    assert allowed == ["!functions", "!layers", "!requirements/functions.txt", "!requirements/uv.txt"]
