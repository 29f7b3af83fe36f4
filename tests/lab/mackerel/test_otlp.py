"""Labelled figures leave by OTLP, in a Python of their own: gRPC is no requirement of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
COMMAND = "from kuroshio.cli import main; main()"


def run(command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})


@dataclass
class Service:
    """A MetricsService, and the command that speaks to it."""

    python: Path
    told: Any
    port: int

    def send(self, *words: str, key: str = "good", **env: str) -> subprocess.CompletedProcess[str]:
        known = {
            "PYTHONPATH": str(ROOT / "layers/kuroshio/python"),
            "MACKEREL_APIKEY": key,
            "KUROSHIO_MACKEREL_SERVICE": "shop",
            "KUROSHIO_OTLP_ENDPOINT": f"http://127.0.0.1:{self.port}",
        }
        return run([str(self.python), "-c", COMMAND, "mackerel", "send", *words], **{**known, **env})

    def heard(self) -> Any:
        return json.loads(self.told.readline())


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    home, lock = ROOT / "build/tools/otlp", ROOT / "requirements/tools/otlp.txt"
    python = home / "bin/python"
    made = run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
    assert made.returncode == 0, made.stderr
    synced = run(["uv", "pip", "sync", "--quiet", "--require-hashes", "--python", str(python), str(lock)])
    assert synced.returncode == 0, synced.stderr
    with subprocess.Popen([python, HERE / "otlp_server.py"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield Service(python, server.stdout, int(server.stdout.readline()))
        server.terminate()


def test_figures_arrive_as_gauges_with_their_labels_under_their_service(service: Service) -> None:
    at = int(time.time()) - 60
    words = ["queue.length=17", "queue.age=2.5", "--label", "region=tokyo", "--label", "plan=大", "--at", str(at)]
    done = service.send(*words)
    assert (done.returncode, done.stderr) == (0, "")
    [resource] = service.heard()["resourceMetrics"]
    assert resource["resource"]["attributes"] == [{"key": "service.name", "value": {"stringValue": "shop"}}]
    [scope] = resource["scopeMetrics"]
    metrics = {metric["name"]: metric["gauge"]["dataPoints"] for metric in scope["metrics"]}
    assert metrics["queue.age"][0]["asDouble"] == 2.5
    assert metrics["queue.length"] == [
        {
            "attributes": [
                {"key": "plan", "value": {"stringValue": "大"}},
                {"key": "region", "value": {"stringValue": "tokyo"}},
            ],
            "timeUnixNano": str(at * 10**9),
            "asDouble": 17.0,
        }
    ]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("wrong", "AccessRefused: OTLP: UNAUTHENTICATED"),
        ("away", "ServiceUnavailable: OTLP: UNAVAILABLE"),
        ("bad", "RequestRefused: OTLP: INVALID_ARGUMENT"),
    ],
)
def test_a_refusal_is_named(service: Service, key: str, says: str) -> None:
    done = service.send("a=1", "--label", "k=v", key=key)
    assert done.returncode == 1
    assert says in done.stderr


def test_a_partial_refusal_is_one(service: Service) -> None:
    done = service.send("a=1", "--label", "k=v", key="partial")
    assert done.returncode == 1
    assert "Mackerel refused 1 figures: too many labels" in done.stderr
    assert service.heard()


def test_nobody_listening_is_an_outage(service: Service) -> None:
    done = service.send("a=1", "--label", "k=v", KUROSHIO_OTLP_ENDPOINT="http://127.0.0.1:9")
    assert "ServiceUnavailable" in done.stderr
