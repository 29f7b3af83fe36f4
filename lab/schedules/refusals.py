"""What EventBridge and its Scheduler refuse when a schedule is made, which moto lets pass.

Texts as the services were seen to send them, where they were; otherwise in their manner.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.answers import Answer, error_answer
from lab.moto_engine.schedules import has_schedule_group
from lab.place import ACCOUNT
from lab.schedules.expressions import InvalidExpression, parse_rule, parse_schedule, parse_zone
from lab.schedules.targets import InvalidTarget, is_universal, operation_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.calls import Call, HttpRequest
    from lab.clients import Clients
    from lab.clock import Clock

_OLDEST_START_S = 300  # "The StartDate you specify cannot be earlier than 5 minutes ago."
_PARTS_OF_AN_ARN = 6
_JSON_TARGETS = ("lambda", "states", "events")


def refuse_rule(call: Call, request: HttpRequest, caller: str) -> Answer | None:  # noqa: ARG001 - the door's protocol
    """EventBridge's answer to a PutRule whose schedule expression is none."""
    expression = call.parameters.get("ScheduleExpression")
    if call.operation == "PutRule" and expression:
        try:
            parse_rule(str(expression))
        except InvalidExpression:
            return error_answer(call, 400, "ValidationException", "Parameter ScheduleExpression is not valid.")
    return None


def scheduler_refusals(clients: Clients, clock: Clock) -> Any:
    """Scheduler's answer to a CreateSchedule or UpdateSchedule that it does not take."""

    def refuse(call: Call, request: HttpRequest, caller: str) -> Answer | None:  # noqa: ARG001 - the door's protocol
        if call.operation not in {"CreateSchedule", "UpdateSchedule"}:
            return None
        group = str(call.parameters.get("GroupName") or "default")
        if not has_schedule_group(ACCOUNT, call.region, group):
            return error_answer(call, 404, "ResourceNotFoundException", f"Schedule group {group} does not exist.")
        reason = next(refusals(call.parameters, clock.now()), None) or _role_refusal(clients, call.parameters)
        return error_answer(call, 400, "ValidationException", reason) if reason else None

    return refuse


def refusals(given: Mapping[str, Any], now: float) -> Iterator[str]:
    """The reasons for which Scheduler refuses a schedule, most important first; none for one that it takes."""
    expression, zone = str(given.get("ScheduleExpression")), str(given.get("ScheduleExpressionTimezone") or "UTC")
    try:
        parse_zone(zone)
    except InvalidExpression:
        yield f"Invalid Schedule Expression Timezone {zone}."
        return
    try:
        parsed = parse_schedule(expression, zone)
    except InvalidExpression:
        yield f"Invalid Schedule Expression {expression}."
        return
    if not parsed.is_once:
        yield from _period_refusals(given, now)
    yield from _window_refusals(given.get("FlexibleTimeWindow") or {})
    yield from _target_refusals(given.get("Target") or {})


def _period_refusals(given: Mapping[str, Any], now: float) -> Iterator[str]:
    start, end = (_seconds(given.get(name)) for name in ("StartDate", "EndDate"))
    if start is not None and start < now - _OLDEST_START_S:
        yield "The StartDate you specify cannot be earlier than 5 minutes ago."
    if end is not None and end < now:
        yield "The EndDate you specify cannot be earlier than the current time."
    if start is not None and end is not None and end <= start:
        yield "The EndDate you specify must be after the StartDate."


def _seconds(value: Any) -> float | None:
    if value is None or isinstance(value, (int, float)):
        return value
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp()


def _window_refusals(window: Mapping[str, Any]) -> Iterator[str]:
    minutes = window.get("MaximumWindowInMinutes")
    if window.get("Mode") == "FLEXIBLE":
        if minutes is None or not 1 <= int(minutes) <= 1440:  # noqa: PLR2004 - minutes of a day
            yield "MaximumWindowInMinutes must be between 1 and 1440 when FlexibleTimeWindow is set to FLEXIBLE."
    elif minutes is not None:
        yield "MaximumWindowInMinutes must not be provided when FlexibleTimeWindow is set to OFF."


def _target_refusals(target: Mapping[str, Any]) -> Iterator[str]:
    arn, given = str(target.get("Arn", "")), target.get("Input")
    policy = target.get("RetryPolicy") or {}
    for name, low, high in (("MaximumRetryAttempts", 0, 185), ("MaximumEventAgeInSeconds", 60, 86400)):
        if name in policy and not low <= int(policy[name]) <= high:
            yield f"{name} must be between {low} and {high}."
    queue = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
    if queue.endswith(".fifo"):
        yield "A FIFO queue cannot be the dead-letter queue of a schedule."
    if is_universal(arn):
        try:
            operation_of(arn)
        except InvalidTarget as error:
            yield f"Provided Arn is not valid: {error}."
    elif not arn.startswith("arn:") or arn.count(":") < _PARTS_OF_AN_ARN - 1:
        yield "Provided Arn is not in correct format."
    service = (arn.split(":") + [""] * 3)[2]
    if given and (service in _JSON_TARGETS or is_universal(arn)) and not _is_json(str(given)):
        yield f"Invalid Input: the target {arn} takes JSON."
    if service == "events" and not target.get("EventBridgeParameters"):
        yield "EventBridgeParameters must be provided for an EventBridge event bus target."
    if service == "sqs" and arn.endswith(".fifo") and not target.get("SqsParameters"):
        yield "MessageGroupId must be provided for a FIFO queue target."


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _role_refusal(clients: Clients, given: Mapping[str, Any]) -> str:
    """The service tries the role when the schedule is made."""
    role = str((given.get("Target") or {}).get("RoleArn", ""))
    try:
        found = clients.internal("iam").get_role(RoleName=role.rsplit("/", 1)[-1])["Role"]
    except ClientError:
        found = {"AssumeRolePolicyDocument": {}}
    if trusts(found["AssumeRolePolicyDocument"], "scheduler.amazonaws.com"):
        return ""
    return "The execution role you provide must allow AWS EventBridge Scheduler to assume the role."


def trusts(document: Mapping[str, Any], service: str) -> bool:
    """Whether a trust policy lets a service of AWS take the role; its conditions are not judged."""
    for statement in _listed(document.get("Statement")):
        principal = statement.get("Principal") or {}
        named = _listed(principal.get("Service")) if isinstance(principal, dict) else [principal]
        if statement.get("Effect") == "Allow" and (service in named or "*" in named):
            return True
    return False


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
