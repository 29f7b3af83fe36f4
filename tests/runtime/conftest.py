"""Runs the runtime as Lambda would: a process of its own, told by its environment where the Runtime API is."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.scripted_api import Answer, Request, ScriptedApi

BOOTSTRAP = Path(__file__).parents[2] / "layers/runtime/bootstrap"
TASK = Path(__file__).parent / "task"
PATIENCE = 60  # seconds until a test gives up; nothing is measured with it
TERMINATED = 143


@dataclass(frozen=True)
class Outcome:
    """What the Runtime API saw of a runtime, and what was left of it."""

    requests: list[Request]
    status: int
    log: str

    def posted(self, last_word: str) -> list[Request]:
        return [request for request in self.requests if request.path.endswith("/" + last_word)]

    @property
    def response(self) -> Request:
        (only,) = self.posted("response")
        return only

    @property
    def error(self) -> dict[str, Any]:
        """The document of the only error that was posted, whose form is checked on the way."""
        (only,) = self.posted("error")
        assert only.headers["lambda-runtime-function-error-type"].partition(".")[0] in {"Runtime", "Function"}
        assert set(only.document) == {"errorMessage", "errorType", "requestId", "stackTrace"}
        return only.document


def environment(api: str, **more: str) -> dict[str, str]:
    """What Lambda gives to a function, and nothing of ours."""
    own = {"PATH": os.environ["PATH"], "LAMBDA_TASK_ROOT": str(TASK), "AWS_LAMBDA_RUNTIME_API": api}
    return own | {"AWS_LAMBDA_FUNCTION_NAME": "tested", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"} | more


Play = Callable[..., Outcome]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Serve a script with a handler until the script is over or the runtime has gone, then end the runtime."""

    def run(handler: str, *nexts: Answer, posts: dict[str, list[Answer]] | None = None, **env: str) -> Outcome:
        api = ScriptedApi(list(nexts), posts)
        log = tmp_path / "log"
        with contextlib.closing(api), log.open("wb") as sink:
            process = subprocess.Popen(
                [BOOTSTRAP, handler], env=environment(api.address, **env), stdout=sink, stderr=subprocess.STDOUT
            )
            try:
                wait_until(lambda: api.idle.is_set() or process.poll() is not None)
                process.send_signal(signal.SIGTERM)
                status = process.wait(PATIENCE)
            finally:
                process.kill()
                process.wait()
        return Outcome(list(api.requests), status, log.read_bytes().decode(errors="replace"))

    return run


def wait_until(true: Callable[[], Any]) -> None:
    """Return once it is true; fail the test when it never is."""
    give_up = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up, "waited in vain"
        time.sleep(0.01)


class Emulator:
    """Lambda's own Runtime Interface Emulator, as the aws-sam-cli package ships it, around the runtime."""

    def __init__(self, handler: str, log: Path, **env: str) -> None:
        self.port, api = free_ports(2)
        self._log = log
        command = [emulator_binary(), "--runtime-interface-emulator-address", f"127.0.0.1:{self.port}"]
        command += ["--runtime-api-address", f"127.0.0.1:{api}", str(BOOTSTRAP), handler]
        self._sink = log.open("wb")
        self._process = subprocess.Popen(
            command, env=environment("", **env), stdout=self._sink, stderr=subprocess.STDOUT, start_new_session=True
        )
        wait_until(self._listens)

    def invoke(self, event: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Status and parsed body of one invocation."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("POST", "/2015-03-31/functions/function/invocations", event, headers or {})
            response = connection.getresponse()
            body = response.read()
        try:
            return response.status, json.loads(body)
        except ValueError:
            return response.status, body.decode()

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._sink.close()

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def emulator_binary() -> str:
    """The emulator for this machine, executable."""
    spec = find_spec("samcli")
    assert spec
    assert spec.origin
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    path = Path(spec.origin).parent / f"local/rapid/aws-lambda-rie-{architecture}"
    path.chmod(0o755)
    return str(path)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [probe.getsockname()[1] for probe in probes]


@pytest.fixture
def emulate(tmp_path: Path) -> Iterator[Callable[..., Emulator]]:
    """Start the emulator around a handler; it ends with the test."""
    with contextlib.ExitStack() as stack:

        def start(handler: str, **env: str) -> Emulator:
            return stack.enter_context(contextlib.closing(Emulator(handler, tmp_path / "emulator.log", **env)))

        yield start
