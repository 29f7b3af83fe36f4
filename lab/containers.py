"""The functions' execution environments: containers where an engine is at hand, a clear refusal where none is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.ports import Credentials, FunctionRunner, FunctionVersion, InvocationResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.place import Place


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


def runner_for(place: Place, port: int, gateway_address: str) -> FunctionRunner:  # noqa: ARG001 - the engine's to come
    """The runner of this machine."""
    return NoEngine("no container engine is set up; run `make setup`")


def prepare(place: Place, tell: Callable[[str], None]) -> str:  # noqa: ARG001 - the engine's to come
    """Make engine and network ready; the lab's address on the containers' network, or "" without an engine."""
    tell("no container engine: functions cannot be invoked")
    return ""


def clean_up(place: Place) -> None:
    """Remove what a lab that ended badly may have left: containers, networks, mounts."""
