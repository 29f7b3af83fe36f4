"""One run of a workflow, as the service told of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kuroshio.errors import InvalidRequest

_KEPT_FOR = timedelta(days=400)  # a year can be compared with the one before
_LONGEST_CAUSE = 500


@dataclass(frozen=True)
class Run:
    """What is known of an execution. ``redrives`` counts how often it was begun again after a failure, last ``redriven``."""

    workflow: str
    execution: str
    status: str
    started: datetime
    stopped: datetime | None = None
    error: str = ""
    cause: str = ""
    redrives: int = 0
    redriven: datetime | None = None
    arn: str = ""

    @property
    def revision(self) -> int:
        """Grows with what happens to the execution: begun, ended, begun again by a redrive, ended again.

        The events' own times cannot order them: they have seconds, and an execution can begin and end in one.
        """
        return 2 * self.redrives + (self.stopped is not None)

    @property
    def seconds(self) -> float | None:
        """From the first start to the end; None while it runs."""
        return (self.stopped - self.started).total_seconds() if self.stopped else None

    @property
    def begun(self) -> datetime:
        """When the present attempt began: the start, or the last redrive."""
        return self.redriven or self.started

    @property
    def seconds_of_attempt(self) -> float | None:
        """How long the last attempt took; None while it runs. Between a failure and its redrive days may pass."""
        return (self.stopped - self.begun).total_seconds() if self.stopped else None

    @property
    def expires_at(self) -> int:
        """When the ledger may forget it, in seconds since the epoch."""
        return int((self.started + _KEPT_FOR).timestamp())


def run_from(event: object) -> Run:
    """Read the EventBridge event "Step Functions Execution Status Change".

    Raises InvalidRequest, naming the field. The shape is that of the Step Functions guide, "Automating event delivery
    with EventBridge": times are milliseconds since the epoch; ``stopDate``, ``error`` and ``cause`` may be null.
    """
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise InvalidRequest("detail: an EventBridge event of Step Functions has an object here")
    return Run(
        workflow=_text(detail, "stateMachineArn").rpartition(":")[2],
        execution=_text(detail, "name"),
        status=_text(detail, "status"),
        started=_time(detail, "startDate"),
        stopped=_time(detail, "stopDate") if detail.get("stopDate") is not None else None,
        error=str(detail.get("error") or ""),
        cause=_first_line(str(detail.get("cause") or "")),
        redrives=int(detail.get("redriveCount") or 0),
        redriven=_time(detail, "redriveDate") if detail.get("redriveDate") is not None else None,
        arn=_text(detail, "executionArn"),
    )


def _text(detail: dict[str, Any], field: str) -> str:
    value = detail.get(field)
    if not isinstance(value, str) or not value:
        raise InvalidRequest(f"detail.{field}: expected a text, found {json.dumps(value)}")
    return value


def _time(detail: dict[str, Any], field: str) -> datetime:
    value = detail.get(field)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequest(f"detail.{field}: expected milliseconds since the epoch, found {json.dumps(value)}")
    return datetime.fromtimestamp(value / 1000, UTC)


def _first_line(cause: str) -> str:
    """Lambda gives its whole error document as the cause: the message in it is what a person looks for."""
    try:
        document = json.loads(cause)
    except ValueError:
        document = None
    message = document.get("errorMessage") if isinstance(document, dict) else None
    lines = str(message or cause).strip().splitlines()
    return lines[0][:_LONGEST_CAUSE] if lines else ""
