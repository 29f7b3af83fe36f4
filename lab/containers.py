"""The functions' execution environments: containers where an engine is at hand, a clear refusal where none is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine import Engine, EngineError, Network, find
from lab.environment import Settings
from lab.place import REGION
from lab.ports import Credentials, FunctionRunner, FunctionVersion, InvocationResult
from lab.registry import Registry
from lab.runner import ContainerRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.place import Place


_FOLDER_OF = "kuroshio-lab@{}@"  # a name cannot hold the sign, so no lab clears away another's


class NoEngine:
    """A runner for a machine without a container engine: all of the lab works but invoking functions."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def invoke(
        self,
        function: FunctionVersion,
        payload: bytes,  # noqa: ARG002 - the runner's protocol
        *,
        credentials: Credentials,  # noqa: ARG002
        request_id: str,  # noqa: ARG002
        client_context: str | None = None,  # noqa: ARG002
    ) -> InvocationResult:
        """Fail as Lambda does when it cannot start an environment."""
        message = f"the lab cannot start {function.arn}: {self._reason}"
        document = {"errorType": "Runtime.LabHasNoEngine", "errorMessage": message}
        return InvocationResult(json.dumps(document).encode(), "Unhandled", (message,))

    def forget(self, arn: str) -> None:
        """Nothing runs."""

    def close(self) -> None:
        """Nothing runs."""


@dataclass
class Containers:
    """The engine's part of a running lab."""

    runner: FunctionRunner
    environment: dict[str, str] = field(default_factory=dict)
    engine: Engine | None = None
    _service: subprocess.Popen[bytes] | None = None
    _folder: Path | None = None

    @classmethod
    def of(cls, place: Place, port: int) -> Containers:
        """What this machine has: a runner, and what commands need to build for the lab and push to its registry."""
        try:
            engine = find()
            network = engine.network(network_name(place), place.name)
        except EngineError as error:
            return cls(NoEngine(str(error)))
        spoken = {**engine.environment, "KUROSHIO_CONTAINER_COMMAND": engine.program}
        containers = cls(_runner(engine, network, place, port), spoken, engine)
        if engine.program == "podman":
            containers._serve_docker_api(engine, place, port)
        return containers

    def close(self) -> None:
        """End the Docker API that Podman was asked to serve."""
        if self._service is not None:
            self._service.terminate()
            self._service.wait(timeout=10)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _serve_docker_api(self, engine: Engine, place: Place, port: int) -> None:
        """SAM CLI builds through Docker's API; Podman serves it on a socket whose path must stay under 108 bytes."""
        self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER_OF.format(place.name)))
        socket, registries = self._folder / "podman.sock", self._folder / "registries.conf"
        registries.write_text(f'[[registry]]\nlocation = "127.0.0.1:{port}"\ninsecure = true\n')
        self.environment |= {"DOCKER_HOST": f"unix://{socket}", "CONTAINERS_REGISTRIES_CONF": str(registries)}
        self._service = subprocess.Popen(
            [*_ending_with_us(), engine.program, "system", "service", "--time=0", f"unix://{socket}"],
            stdin=subprocess.DEVNULL,
            env={**os.environ, **engine.environment, **self.environment},
        )


def _ending_with_us() -> tuple[str, ...]:
    """A prefix that ends a command with our process, even where that is killed."""
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def network_name(place: Place) -> str:
    return f"kuroshio-{place.name}"


def _runner(engine: Engine, network: Network, place: Place, port: int) -> FunctionRunner:
    settings = Settings(place.name, network.name, f"http://{network.host}:{port}", REGION)
    return ContainerRunner(engine, settings, partial(_local_image, engine, Registry(place.root / "registry")))


def _local_image(engine: Engine, registry: Registry, uri: str) -> str:
    """The id of the image that was pushed as ``uri``, fetched back from the registry where the engine lost it.

    Raises LookupError where it was never pushed.
    """
    identity = registry.image_id(uri)
    if not engine.image_id(identity):
        engine.fetch(uri)
    return identity


def prepare(place: Place, tell: Callable[[str], None]) -> str:
    """Make the containers' network ready; the lab's own address on it, or "" where loopback is enough or no engine is."""
    try:
        engine = find()
        tell(f"containers by {engine.program}")
        return engine.network(network_name(place), place.name).bind
    except EngineError as error:
        tell(f"no functions can be invoked: {error}")
        return ""


def clean_up(place: Place) -> None:
    """Remove what a lab leaves, also one that ended badly: containers, the network, the folder of its socket."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_FOLDER_OF.format(place.name)}*"):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        engine = find()
        engine.kill(*engine.containers(place.name))
        engine.remove_network(network_name(place))
    except EngineError:
        return
