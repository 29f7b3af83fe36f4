"""The fake is believed because two public client libraries that know nothing of it get along with it, unchanged."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.mackerel import Clock, FakeMackerel, Rules, Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
LOCKS = ROOT / "requirements/tools"
TOOLS = ROOT / "build/tools"
NOON = 1_790_000_040
SUCCESS = {"success": True}


@pytest.fixture
def served() -> Iterator[Served]:
    mackerel = FakeMackerel(Clock(NOON), Rules(requests_per_minute=10))
    with serve(mackerel) as running:
        yield running


@pytest.fixture(scope="session")
def python_client() -> Path:
    """A Python with mackerel.client in a place of its own: its requirements must not rule ours."""
    home, lock = TOOLS / "mackerel-client", LOCKS / "mackerel-client.txt"
    _once(home, lock, ["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
    python = home / "bin/python"
    _run(["uv", "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock)])
    return python


@pytest.fixture(scope="session")
def node_client() -> Path:
    """A folder of Node modules with the npm client, no package's own install scripts run."""
    home, lock = TOOLS / "mackerel-node", LOCKS / "mackerel-node/package-lock.json"
    home.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(lock.with_name(name), home / name)
    _once(home / "node_modules", lock, ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(home)])
    return home


def _once(made: Path, lock: Path, command: list[str]) -> None:
    if not made.exists() or made.stat().st_mtime < lock.stat().st_mtime:
        _run(command)
        made.touch()


def _run(command: list[str], **more: Any) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _told(output: str) -> list[tuple[str, Any]]:
    return [tuple(json.loads(line)) for line in output.splitlines()]


def _call(served: Served, method: str, path: str, body: Any) -> Any:
    from werkzeug.test import Client

    client = Client(served.mackerel)
    return client.open(f"/api/v0{path}", method=method, headers={"X-Api-Key": "lab-key"}, json=body).get_json()


def _values(served: Served, name: str) -> dict[int, float]:
    return next(points for series, points in served.mackerel.org.points.items() if series.name == name)


def test_the_client_from_pypi_gets_along_with_the_fake(served: Served, python_client: Path) -> None:
    _call(served, "POST", "/services", {"name": "shop"})
    host = _call(served, "POST", "/hosts", {"name": "pypi", "meta": {}, "roleFullnames": ["shop:web"]})["id"]
    output = _run([str(python_client), "-I", str(HERE / "public_client.py"), served.origin, str(NOON), host])
    assert _told(output) == [
        ("post_service_metrics", SUCCESS),
        ("post_service_metrics read only", {"error": "403"}),
        ("post_service_metrics with a wrong key", {"error": "401"}),
        ("post_service_metrics to nobody", {"error": "404"}),
        ("get_hosts", [host]),
        ("get_host", {"shop": ["web"]}),
        ("update_host_status", SUCCESS),
        ("post_metrics", SUCCESS),
        ("get_latest_metrics", {"tsdbLatest": {host: {"custom.lag.orders": {"time": NOON, "value": 4}}}}),
        ("retire_host", SUCCESS),
        ("get_host after that", True),
        *[("too many", SUCCESS)] * 9,
        ("too many", {"error": "429"}),
    ]
    assert _values(served, "orders.shipped") == {NOON: 3}


def test_the_client_from_npm_gets_along_with_the_fake(served: Served, node_client: Path) -> None:
    _call(served, "POST", "/services", {"name": "shop"})
    program = shutil.copy(HERE / "public_client.js", node_client)
    told = dict(_told(_run(["node", program, served.origin, str(NOON)])))
    refused = {what for what, answer in told.items() if "error" in answer}
    assert refused == {
        "postServiceMetrics to nobody",
        "postServiceMetrics read only",
        "createDashboard again",
        # Not one of these six asks for a path and a query that the API documents.
        "getServiceMetrics",
        "getGraphAnnotation",
        "modifyGraphAnnotation",
        "modifyMonitor",
        "deleteMonitor",
        "deleteGraphAnnotation",
    }
    done = (
        "postServiceMetrics",
        "modifyHostStatus",
        "postMetrics",
        "setGraphDefinitions",
        "postCheckReports",
        "retireHost",
    )
    assert [told[what] for what in done] == [SUCCESS] * len(done)
    assert told["getServices"] == {"services": [{"name": "shop", "memo": "", "roles": []}]}
    assert told["getHost"]["host"]["roles"] == {"shop": ["web"]}
    assert told["getHostMetrics"] == {"names": ["custom.lag.orders"]}
    assert told["getAlert"]["alerts"][0]["message"] == "2 of 14 failed"
    assert told["closeAlert"]["reason"] == "mended"
    assert told["getMetadata"] == {"checkpoint": 7}
    assert told["modifyDashboard"]["title"] == "The shop"
    assert told["createGraphAnnotation"]["service"] == "shop"
    assert _values(served, "orders.shipped") == {NOON - 60: 1, NOON: 3.5}
