"""A whole lab inside the test's process, with functions that are Python callables instead of containers."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from witness import told, witness

from lab.clients import client
from lab.clock import Clock
from lab.lifecycle import ask
from lab.place import OPERATOR, REGION, Place, Running
from lab.ports import Credentials, FunctionVersion, InvocationResult
from lab.recorder import Record, read_records
from lab.server import LateDoor, build, free_port, serve_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Behaviour = Callable[[Any], Any]


@dataclass
class CallableRunner:
    """Runs a Python callable by the last word of a function's command; whatever it raises is an unhandled error."""

    behaviours: dict[str, Behaviour] = field(default_factory=dict)
    seen: list[tuple[FunctionVersion, Any, Credentials]] = field(default_factory=list)
    logs: dict[str, tuple[str, ...]] = field(default_factory=dict)  # what a function writes, where it matters

    def invoke(
        self,
        function: FunctionVersion,
        payload: bytes,
        *,
        credentials: Credentials,
        request_id: str,
        client_context: str | None = None,
    ) -> InvocationResult:
        event = json.loads(payload)
        self.seen.append((function, event, credentials))
        try:
            answer = self.behaviours[function.command[-1]](event)
            logs = self.logs.get(function.command[-1], ("it ran",))
        except Exception as error:  # noqa: BLE001 - a function may raise anything
            document = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return InvocationResult(json.dumps(document).encode(), "Unhandled", ("it failed",))
        return InvocationResult(json.dumps(answer).encode(), None, logs)

    def forget(self, arn: str) -> None:
        pass

    def close(self) -> None:
        pass

    def events_of(self, name: str) -> list[Any]:
        return [event for function, event, _ in self.seen if function.command[-1] == name]


@dataclass(frozen=True)
class LabInProcess:
    place: Place
    endpoint: str
    runner: CallableRunner

    def aws(self, service: str, keys: Credentials = OPERATOR) -> Any:
        return client(service, self.endpoint, REGION, keys)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the lab's own API. Raises kuroshio's ServiceUnavailable with the lab's words where it refuses."""
        return ask(running_at(int(self.endpoint.rsplit(":", 1)[1])), method, path, body)

    def reset_clock(self) -> None:
        """The machine's date again, and running with it."""
        self.ask("POST", "clock", {"rate": 1, "set": datetime.now(UTC).isoformat()})

    def records(self) -> list[Record]:
        return list(read_records(self.place.calls_file))

    def deploy(self, name: str, template: str, **parameters: str) -> dict[str, str]:
        """Create or update the stack and wait; its outputs. Raises AssertionError with the failed events' reasons."""
        cloudformation = self.aws("cloudformation")
        exists = any(one["StackName"] == name for one in cloudformation.describe_stacks()["Stacks"])
        (cloudformation.update_stack if exists else cloudformation.create_stack)(
            StackName=name,
            TemplateBody=template,
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        stack = eventually(lambda: self._rested(name), within_s=120)
        reasons = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in cloudformation.describe_stack_events(StackName=name)["StackEvents"]
            if event["ResourceStatus"].endswith("FAILED")
        ]
        assert stack["StackStatus"] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}, reasons
        return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}

    def delete(self, name: str) -> None:
        self.aws("cloudformation").delete_stack(StackName=name)

    def _rested(self, name: str) -> dict[str, Any] | None:
        stack: dict[str, Any] = self.aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        return None if stack["StackStatus"].endswith("IN_PROGRESS") else stack


def running_at(port: int) -> Running:
    return Running(0, "", port, "")


def eventually(look: Callable[[], Any], within_s: float = 20.0) -> Any:
    """The first true thing that ``look`` returns. Raises AssertionError, with what the labs tell, if there is none in time."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {within_s:g} s in vain; last seen: {found!r}\n{told()}")
        time.sleep(0.2)
    return found


@contextmanager
def lab_in_process(root: Path, name: str = "in-process") -> Iterator[LabInProcess]:
    """``name``: of its own where it has containers, whose network is called so."""
    place, port, runner = Place(name, root), free_port(), CallableRunner()
    door = LateDoor()
    server = serve_on("127.0.0.1", port, door)
    door.application, lab = build(place, port, runner, Clock(speed=600))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with witness(place, running_at(port)):
            yield LabInProcess(place, f"http://127.0.0.1:{port}", runner)
    finally:
        server.shutdown()
        server.server_close()
        lab.close()
