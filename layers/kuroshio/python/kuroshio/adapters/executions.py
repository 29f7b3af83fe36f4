"""Executions of a state machine: started once per name, waited for."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.errors import LimitExceeded, NotFound, WorkflowFailed

if TYPE_CHECKING:
    from collections.abc import Callable

# A name is taken for 90 days, also by an execution that failed: the next try of the same work needs another.
_TRIES = 50
# Looked at often at first, since most plans take a second, then once a second.
_FIRST_POLL_S, _POLL_S = 0.2, 1.0
_GOOD = ("RUNNING", "SUCCEEDED", "PENDING_REDRIVE")


@dataclass(frozen=True)
class Execution:
    """One execution as Step Functions describes it."""

    arn: str
    status: str
    output: Any = None
    error: str = ""
    cause: str = ""


class Executions:
    """The executions of one state machine."""

    def __init__(self, state_machine_arn: str) -> None:
        self.arn = state_machine_arn

    def find(self, name: str) -> tuple[str, Execution | None]:
        """Return the execution that does, or did, the work of this name; else the name under which to start it."""
        for attempt in range(1, _TRIES + 1):
            candidate = name if attempt == 1 else f"{name}-{attempt}"
            try:
                found = self.describe(f"{self.arn.replace(':stateMachine:', ':execution:')}:{candidate}")
            except NotFound:
                return candidate, None
            if found.status in _GOOD:
                return candidate, found
        raise LimitExceeded(f"{name} failed {_TRIES} times; look at the executions of {self.arn}")

    def start(self, name: str, document: dict[str, Any]) -> str:
        """Start an execution and return its ARN. The same name and input while it runs is the same execution."""
        with aws.translated(f"starting {name}"):
            started = aws.client("stepfunctions").start_execution(
                stateMachineArn=self.arn, name=name, input=json.dumps(document)
            )
        return started["executionArn"]

    def describe(self, arn: str) -> Execution:
        """Return the execution as it stands. Raises NotFound."""
        with aws.translated(f"describing {arn}"):
            found = aws.client("stepfunctions").describe_execution(executionArn=arn)
        output = json.loads(found["output"]) if found.get("output") else None
        return Execution(arn, found["status"], output, found.get("error", ""), found.get("cause", ""))

    def wait(self, arn: str, timeout_s: float, progress: Callable[[Execution, float], None]) -> Execution:
        """Wait until the execution has succeeded, telling ``progress`` the seconds waited so far.

        Raises WorkflowFailed with its error and cause, LimitExceeded when it still runs after ``timeout_s``.
        """
        begun, pause = time.monotonic(), _FIRST_POLL_S
        while (found := self.describe(arn)).status == "RUNNING":
            waited = time.monotonic() - begun
            progress(found, waited)
            if waited > timeout_s:
                raise LimitExceeded(f"{arn} still runs after {timeout_s:.0f} s; look at it again later")
            time.sleep(pause)
            pause = min(_POLL_S, pause * 1.5)
        if found.status != "SUCCEEDED":
            said = f"{arn} {found.status}: {found.error or 'no error named'}: {found.cause[:500]}"
            raise WorkflowFailed(said, found.error)
        return found
