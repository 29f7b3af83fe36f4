"""Bringing a lab up, looking at it, and taking it down."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.errors import ConfigurationMissing, ServiceUnavailable
from lab.api import PREFIX
from lab.place import Place, Running, start_time

if TYPE_CHECKING:
    from collections.abc import Callable

_HEALTHY_WITHIN_S = 60.0
_GONE_WITHIN_S = 30.0
_USUAL_PORT = 4580  # the same after every `up`, so that a shell's exports stay true; any free one where it is taken


@dataclass(frozen=True)
class Options:
    """How to bring a lab up. ``speed`` divides every Wait, retry's pause and delivery's pause."""

    port: int = _USUAL_PORT
    speed: float = 1.0


def up(place: Place, options: Options, tell: Callable[[str], None]) -> tuple[Running, bool]:
    """The running lab, started if it was not up, and whether it was started now.

    Raises ServiceUnavailable, with the end of the server's log, if the lab does not answer in time.
    """
    running = place.read_running()
    if running is not None and is_healthy(running):
        return running, False
    from lab.containers import clean_up, prepare
    from lab.server import free_port

    place.root.mkdir(parents=True, exist_ok=True)
    if place.running_file.exists():
        tell("the lab ended badly; clearing away what it left")
        clean_up(place)
    gateway_address = prepare(place, tell)
    port = free_port(options.port)
    tell(f"starting AWS on 127.0.0.1:{port}")
    process = _start(place, port, gateway_address, options.speed)
    return _await_health(place, process), True


def _start(place: Place, port: int, gateway_address: str, speed: float) -> subprocess.Popen[bytes]:
    place.calls_file.unlink(missing_ok=True)
    # Own keys of the person who types must never be used by the lab's machinery, and no proxy stands before loopback.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**clean, "KUROSHIO_LAB": place.name, "NO_PROXY": "*", "no_proxy": "*"}
    with place.log_file.open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lab.server", str(port), gateway_address or "-", str(speed)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )


def _await_health(place: Place, process: subprocess.Popen[bytes]) -> Running:
    deadline = time.monotonic() + _HEALTHY_WITHIN_S
    while time.monotonic() < deadline and process.poll() is None:
        running = place.read_running()
        if running is not None and running.pid == process.pid and is_healthy(running):
            return running
        time.sleep(0.05)
    if process.poll() is None:
        process.terminate()
    end = place.log_file.read_text(errors="replace")[-2000:]
    raise ServiceUnavailable(f"the lab did not come up; the end of {place.log_file}:\n{end}")


def down(place: Place) -> bool:
    """End the lab by its recorded process, containers and all. False if it was not up."""
    from lab.containers import clean_up

    running = place.read_running()
    if running is not None:
        os.kill(running.pid, signal.SIGTERM)
        _await_end(running)
    place.running_file.unlink(missing_ok=True)
    clean_up(place)
    return running is not None


def _await_end(running: Running) -> None:
    deadline = time.monotonic() + _GONE_WITHIN_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):  # where up and down are one process, such as a test's
            os.waitpid(running.pid, os.WNOHANG)
        if start_time(running.pid) != running.started:
            return
        time.sleep(0.05)
    os.kill(running.pid, signal.SIGKILL)


def need(place: Place) -> Running:
    """The running lab. Raises ConfigurationMissing if it is not up."""
    running = place.read_running()
    if running is None:
        raise ConfigurationMissing(f"the lab {place.name!r} is not up; run `kuroshio lab up`")
    return running


def is_healthy(running: Running) -> bool:
    try:
        return bool(ask(running, "GET", "health"))
    except OSError:
        return False


def ask(running: Running, method: str, path: str, body: Any = None) -> Any:
    """Ask the lab's own API, and wait as long as the clock is being moved, or servers are disturbed. Raises OSError if it does not answer, ServiceUnavailable with its words if it refuses."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(running.endpoint + PREFIX + path, data=data, method=method)  # noqa: S310 - http, loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=None if path in {"clock", "disturbances"} else 10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise ServiceUnavailable(f"the lab refused: {json.loads(error.read()).get('error')}") from error
