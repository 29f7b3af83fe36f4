"""A runtime under Lambda's Runtime Interface Emulator, which the aws-sam-cli package ships. No container needed."""

from __future__ import annotations

import contextlib
import http.client
import os
import platform
import signal
import socket
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks import calm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PATIENCE = 60  # seconds
REAPING = 2  # seconds that the emulator gets to wait for its runtime
ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64"}
PATH = "/2015-03-31/functions/function/invocations"


class Emulated:
    """One runtime, not started until the first invocation; `command` ends with the handler."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        port, api = free_ports(2)
        arguments = [emulator(), "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
        arguments += ["--runtime-api-address", f"127.0.0.1:{api}", *command]
        self._process = subprocess.Popen(
            arguments,
            env={"PATH": os.environ["PATH"], **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._await(port)

    def invoke(self, event: bytes) -> tuple[float, bytes]:
        """Milliseconds until the whole answer was here, and the answer."""
        began = time.perf_counter_ns()
        self._connection.request("POST", PATH, event)
        answer = self._connection.getresponse().read()
        return (time.perf_counter_ns() - began) / 1e6, answer

    def memory(self) -> tuple[float, float]:
        """RSS and PSS, MB, of the runtime and everything that it runs, without the emulator."""
        totals = [sum(rollup(pid).get(field, 0) for pid in self._runtime()) / 1024 for field in ("Rss", "Pss")]
        return totals[0], totals[1]

    def close(self) -> None:
        """End the runtime, also one that has left its process group, and then the emulator.

        In this order, because what the emulator has waited for counts as our CPU time and not as foreign load.
        """
        self._connection.close()
        give_up = time.monotonic() + REAPING
        while (runtime := self._runtime()) and time.monotonic() < give_up:
            for pid in runtime:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.002)
        self._process.kill()
        self._process.wait()

    def _runtime(self) -> list[int]:
        return [pid for pid in calm.descendants(self._process.pid) if pid != self._process.pid]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _await(self, port: int) -> None:
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.005)
        raise TimeoutError(f"the emulator does not listen on port {port}")


def emulator() -> str:
    """The emulator's path, for this machine's processor, executable."""
    spec = find_spec("samcli")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("aws-sam-cli, which ships the emulator, is not installed: run `make setup`")
    path = Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{ARCHITECTURES[platform.machine()]}"
    path.chmod(0o755)
    return str(path)


def free_ports(count: int) -> Iterator[int]:
    """Ports of the loopback interface that nobody listens on at the moment."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        yield from [probe.getsockname()[1] for probe in probes]


def rollup(pid: int) -> dict[str, int]:
    """KB by field of /proc/PID/smaps_rollup; empty if the process is gone or not ours."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return {}
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}
