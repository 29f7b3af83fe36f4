"""Cold starts of a real function of ours, ``record_run`` in its image, beside the same work done the plain way.

Both run in containers of their images, read-only and unprivileged, under the emulator, which starts the runtime when the
first event comes: what is measured is from there to the answer. DynamoDB is a server in this process that answers at
once. A new container for each start, in turns, in random order.
"""

from __future__ import annotations

import random
import shutil
import socket
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks import report
from benchmarks.report import Row
from lab import engine as engines
from lab.environment import emulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.engine import Engine

HOUSE = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "cold_peers"
EVENT = (HOUSE / "events" / "record_run" / "succeeded.json").read_bytes()
OURS, PLAIN = "record_run, our image", "the same, awslambdaric and all of boto3 and Powertools"
STARTS = 25
MOST_OF_PLAIN = 0.5
LABEL = "bench-cold"
MB = 1_000_000


@dataclass(frozen=True)
class Variant:
    """An image and what it is started with."""

    name: str
    image: str
    command: tuple[str, ...]


def main() -> None:
    """``make bench-cold``: these figures alone; they stand in ``make bench-runtime`` too."""
    report.write("cold", rows())


def rows() -> list[Row]:
    """The figures, the goal first. Without a container engine there are none, and the goal is missed."""
    try:
        engine = engines.find()
        variants = build(engine)
    except engines.EngineError as error:
        say(f"no cold starts in containers: {error}")
        return [report.at_most("record_run: cold start to first response / the plain way's", None, "x", MOST_OF_PLAIN)]
    samples = measure(engine, variants)
    ratio = median(samples[OURS]) / median(samples[PLAIN])
    goal = report.at_most("record_run: cold start to first response / the plain way's", ratio, "x", MOST_OF_PLAIN)
    return [goal, *details(samples, {each.name: engine.image_bytes(each.image) / MB for each in variants})]


def build(engine: Engine) -> list[Variant]:
    """Our image from its recipe, the plain one from a tutorial's. Raises EngineError."""
    say("building the two images")
    engine.build(HOUSE, HOUSE / "functions" / "Dockerfile", "localhost/kuroshio-bench:ours", target="python")
    context = report.BENCH / "plain"
    context.mkdir(parents=True, exist_ok=True)
    for file in (PEERS / "Dockerfile", PEERS / "app.py", HOUSE / "requirements" / "tools" / "plain_function.txt"):
        shutil.copy(file, context)
    engine.build(context, context / "Dockerfile", "localhost/kuroshio-bench:plain")
    return [
        Variant(OURS, "localhost/kuroshio-bench:ours", ("/opt/bootstrap", "record_run.handler.handle")),
        Variant(PLAIN, "localhost/kuroshio-bench:plain", ("/usr/bin/python3", "-m", "awslambdaric", "app.handle")),
    ]


def measure(engine: Engine, variants: list[Variant]) -> dict[str, list[float]]:
    """Milliseconds from the first event to its answer, of each start."""
    samples: dict[str, list[float]] = {each.name: [] for each in variants}
    table = ThreadingHTTPServer(("127.0.0.1", 0), _Table)
    threading.Thread(target=table.serve_forever, daemon=True).start()
    try:
        for each in variants:
            cold_start(engine, each, table.server_port)  # page cache and layers, once, for both
        for _ in range(STARTS):
            for each in random.sample(variants, len(variants)):
                samples[each.name].append(cold_start(engine, each, table.server_port))
    finally:
        table.shutdown()
        engine.kill(*engine.containers(LABEL))
    say(f"cold starts: {STARTS} of each, in turns")
    return samples


def cold_start(engine: Engine, variant: Variant, table: int) -> float:
    """Milliseconds of the first invocation in a new container. Raises RuntimeError where it is not answered."""
    port, api = _free_ports()
    name = f"kuroshio-bench-{port}"
    rie = emulator(engine.image_config(variant.image).architecture)
    # --network=host: the measured way must not lead through the engine's port forwarding.
    options = [f"--name={name}", "--network=host", "--read-only", "--tmpfs=/tmp", "--user=993:990", "--memory=512m"]
    options += [f"--volume={rie}:/var/rapid/aws-lambda-rie:ro", "--entrypoint=/var/rapid/aws-lambda-rie"]
    options += [f"--env={key}={value}" for key, value in _variables(table).items()]
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{api}"]
    process = engine.start(variant.image, [*addresses, *variant.command], options, LABEL)
    try:
        return _first_answer(port)
    finally:
        engine.kill(name)
        process.communicate()


def _first_answer(port: int) -> float:
    url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
    _await_listening(port)
    began = time.perf_counter_ns()
    with urllib.request.urlopen(url, data=EVENT, timeout=60) as answer:
        body = answer.read()
    taken = (time.perf_counter_ns() - began) / 1e6
    if b"errorMessage" in body or b"SUCCEEDED" not in body:
        raise RuntimeError(f"answered {body[:500]!r}")
    return taken


def _await_listening(port: int) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise RuntimeError(f"the emulator does not listen on port {port}")


def _free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _variables(table: int) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{table}",
        "AWS_LAMBDA_FUNCTION_NAME": "record_run",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "30",
        "ENVIRONMENT": "dev",
        "LAMBDA_TASK_ROOT": "/var/task",
        "LEDGER_TABLE": "ledger",
        "POWERTOOLS_METRICS_NAMESPACE": "Kuroshio",
        "POWERTOOLS_SERVICE_NAME": "record_run",
    }


class _Table(BaseHTTPRequestHandler):
    """DynamoDB as far as PutItem goes: it was done, at once."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Stay silent: the benchmark's own output is the table."""


def details(samples: dict[str, list[float]], sizes: dict[str, float]) -> Iterable[Row]:
    """Medians, 95th percentiles, and what an image weighs unpacked."""
    for name, values in samples.items():
        yield Row(f"cold start to first response, p50: {name}", median(values), "ms")
        yield Row(f"cold start to first response, p95: {name}", quantiles(values, n=20)[-1], "ms")
    for name, size in sizes.items():
        yield Row(f"image, unpacked: {name}", size, "MB")


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
