"""What happens when a schedule is due: the target's call with the schedule's role, retries, the dead-letter queue, the end."""

from __future__ import annotations

import heapq
import json
import uuid
import zlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lab.schedules.targets import Attempt, InvalidTarget, Request, request_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.clients import Clients
    from lab.moto_engine.schedules import Schedule

_DEFAULT_ATTEMPTS, _DEFAULT_AGE_S = 185, 86400
# Scheduler's own pauses are not published: exponential, and short enough for 185 of them in a day.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 450.0
_SERVER_ERRORS = 500
_RETRIED = {
    "ThrottlingException",
    "Throttling",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "ProvisionedThroughputExceededException",
}


@dataclass(frozen=True)
class Outcome:
    """One attempt, told to whoever moves the clock: ``error`` is "" where the target took it."""

    at: datetime
    schedule: str  # ARN
    target: str  # ARN
    scheduled: datetime
    attempt: int
    error: str = ""


@dataclass(frozen=True, order=True)
class Pending:
    """An invocation that waits for its moment: within its flexible window, or before its next attempt."""

    at: float
    order: int
    schedule: Schedule = field(compare=False)
    attempt: Attempt = field(compare=False)


class Deliveries:
    """Waits on no thread: what has to wait is pending until the clock is there."""

    def __init__(self, clients: Clients, count: Callable[[str, str, float], None] = lambda *_: None) -> None:
        self._clients = clients
        self._count = count
        self._pending: list[Pending] = []
        self._order = 0

    def plan(self, schedule: Schedule, due: datetime) -> None:
        """Invoke the schedule's target at a moment of its window; without a window, at once."""
        identity = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{schedule.arn} {due.isoformat()}"))
        # AWS spreads invocations over the window; here the same occurrence always falls on the same second of it.
        offset = zlib.crc32(identity.encode()) % schedule.window_s if schedule.window_s else 0
        self._push(due.timestamp() + offset, schedule, Attempt(schedule.arn, due, identity, 1))

    def next_due(self) -> float | None:
        return self._pending[0].at if self._pending else None

    def is_pending(self, arn: str) -> bool:
        return any(one.schedule.arn == arn for one in self._pending)

    def take(self, now: float) -> Outcome | None:
        """Make the first attempt that is due by now, or do nothing."""
        if not self._pending or self._pending[0].at > now:
            return None
        one = heapq.heappop(self._pending)
        schedule, attempt = one.schedule, one.attempt
        told = Outcome(
            datetime.fromtimestamp(one.at, UTC),
            schedule.arn,
            str(schedule.target["Arn"]),
            attempt.scheduled,
            attempt.number,
        )
        request = None
        try:
            self._count(schedule.group, "InvocationAttemptCount", 1)
            request = request_of(schedule.target, attempt, self._queue_url(str(schedule.target["Arn"])))
            self._send(schedule, request)
        except (ClientError, BotoCoreError, InvalidTarget, ValueError) as error:
            self._failed(one, request, error)
            return replace(told, error=f"{_code(error)}: {error}")
        return told

    def _send(self, schedule: Schedule, request: Request) -> None:
        client = self._clients.for_role(request.service, schedule.arn.split(":")[3], str(schedule.target["RoleArn"]))
        getattr(client, request.method)(**request.parameters)

    def _queue_url(self, arn: str) -> str:
        if not arn.startswith("arn:aws:sqs:"):
            return ""
        region, _, name = arn.split(":")[3:6]
        return str(self._clients.internal("sqs", region).get_queue_url(QueueName=name)["QueueUrl"])

    # When it fails -----------------------------------------------------------------------------------------------------

    def _failed(self, one: Pending, request: Request | None, error: Exception) -> None:
        schedule, attempt = one.schedule, one.attempt
        policy = schedule.target.get("RetryPolicy") or {}
        retries = int(policy.get("MaximumRetryAttempts", _DEFAULT_ATTEMPTS))
        oldest = attempt.scheduled + timedelta(seconds=int(policy.get("MaximumEventAgeInSeconds", _DEFAULT_AGE_S)))
        pause = min(_FIRST_PAUSE_S * 2.0 ** (attempt.number - 1), _LONGEST_PAUSE_S)
        self._count(schedule.group, "TargetErrorThrottledCount" if _is_throttling(error) else "TargetErrorCount", 1)
        condition = ""
        if is_retried(error):
            if attempt.number > retries:
                condition = "MaximumRetryAttempts"
            elif one.at + pause > oldest.timestamp():
                condition = "MaximumEventAgeInSeconds"
            else:
                self._push(one.at + pause, schedule, replace(attempt, number=attempt.number + 1))
                return
        self._count(schedule.group, "InvocationDroppedCount", 1)
        self._dead_letter(schedule, attempt, request, error, condition)

    def _dead_letter(
        self, schedule: Schedule, attempt: Attempt, request: Request | None, error: Exception, condition: str
    ) -> None:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html"""
        queue = str((schedule.target.get("DeadLetterConfig") or {}).get("Arn") or "")
        if not queue:
            return
        attributes = {
            "ERROR_CODE": _code(error),
            "ERROR_MESSAGE": str(error)[:1024] or "no message",
            "EXECUTION_ID": attempt.execution_id,
            "EXHAUSTED_RETRY_CONDITION": condition,
            "IS_PAYLOAD_TRUNCATED": "false",
            "RETRY_ATTEMPTS": str(attempt.number - 1),
            "SCHEDULED_TIME": f"{attempt.scheduled:%Y-%m-%dT%H:%M:%SZ}",
            "SCHEDULE_ARN": schedule.arn,
            "TARGET_ARN": str(schedule.target["Arn"]),
        }
        parameters = request.parameters if request else {}
        typed = {key: {"DataType": "String", "StringValue": value} for key, value in attributes.items() if value}
        try:
            sqs = self._clients.for_role("sqs", queue.split(":")[3], str(schedule.target["RoleArn"]))
            sqs.send_message(
                QueueUrl=self._queue_url(queue),
                MessageBody=json.dumps(parameters, default=str),
                MessageAttributes=typed,
            )
            self._count(schedule.group, "InvocationsSentToDeadLetterCount", 1)
        except ClientError as refused:
            code = refused.response["Error"]["Code"]
            self._count(schedule.group, f"InvocationsFailedToBeSentToDeadLetterCount_{code}", 1)
            self._count(schedule.group, "InvocationsFailedToBeSentToDeadLetterCount", 1)

    def _push(self, at: float, schedule: Schedule, attempt: Attempt) -> None:
        self._order += 1
        heapq.heappush(self._pending, Pending(at, self._order, schedule, attempt))


def is_retried(error: Exception) -> bool:
    """Throttling and failures of the service itself are; what would fail again (no such target, no permission) is not."""
    if not isinstance(error, ClientError):
        return isinstance(error, BotoCoreError)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    return _is_throttling(error) or status >= _SERVER_ERRORS


def _is_throttling(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _RETRIED


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else type(error).__name__
