"""What documents mean, whoever wrote them. AWS echoes values that were never sent: none of these is a difference."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_WINDOW = {
    "Name": None, "Schedule": None, "ScheduleTimezone": "UTC", "Duration": None, "Cutoff": 0, "Enabled": True,
    "AllowUnassociatedTargets": False, "Description": None, "StartDate": None, "EndDate": None, "ScheduleOffset": None,
}  # fmt: skip
_TARGET = {"Name": None, "ResourceType": "INSTANCE", "Targets": None, "OwnerInformation": None, "Description": None}
_TASK = {
    "Name": None, "TaskType": None, "TaskArn": None, "ServiceRoleArn": None, "Priority": 1, "Description": None,
    "CutoffBehavior": "CONTINUE_TASK", "TaskInvocationParameters": None, "MaxConcurrency": None, "MaxErrors": None,
}  # fmt: skip
_SCHEDULE = {
    "Name": None, "GroupName": "default", "ScheduleExpression": None, "ScheduleExpressionTimezone": "UTC",
    "FlexibleTimeWindow": None, "State": "ENABLED", "ActionAfterCompletion": "NONE", "Target": None, "Description": None,
    "StartDate": None, "EndDate": None, "KmsKeyArn": None,
}  # fmt: skip
_RETRIES = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2})(?::\d{2})?(?:\.\d+)?Z?\)")


def window(found: Mapping[str, Any]) -> dict[str, Any]:
    """A maintenance window, of an answer or of a request."""
    meant = _meant(found, _WINDOW)
    return {**meant, "Schedule": _expression(str(meant.get("Schedule", "")))}


def target(found: Mapping[str, Any]) -> dict[str, Any]:
    """A window's target: the order of its pairs, and of their values, says nothing."""
    meant = _meant(found, _TARGET)
    pairs = sorted((pair["Key"], sorted(pair.get("Values") or [])) for pair in meant.get("Targets", []))
    return {**meant, "Targets": pairs}


def task(found: Mapping[str, Any]) -> dict[str, Any]:
    """A window's task, without its targets. Its deprecated twins count for nothing, as for SSM."""
    meant = _meant(found, _TASK)
    if not found.get("Targets"):
        # A placeholder of AWS: it refuses to be sent them.
        meant = {name: value for name, value in meant.items() if name not in ("MaxConcurrency", "MaxErrors")}
    parameters = meant.get("TaskInvocationParameters", {})
    return {**meant, "TaskInvocationParameters": {kind: _invocation(each) for kind, each in parameters.items()}}


def schedule(found: Mapping[str, Any]) -> dict[str, Any]:
    """A schedule of EventBridge Scheduler."""
    meant = _meant(found, _SCHEDULE)
    target = dict(meant.get("Target", {}))
    target["RetryPolicy"] = {**_RETRIES, **target.get("RetryPolicy", {})}
    if "Input" in target:
        target["Input"] = _parsed(target["Input"])
    return {**meant, "ScheduleExpression": _expression(str(meant.get("ScheduleExpression", ""))), "Target": target}


def _invocation(found: Mapping[str, Any]) -> dict[str, Any]:
    meant = dict(found)
    for name in ("Payload", "Input"):
        if name in meant:
            meant[name] = _parsed(meant[name])
    if meant.get("DocumentVersion") == "$DEFAULT":
        del meant["DocumentVersion"]
    return meant


def _parsed(text: Any) -> Any:
    """JSON without its blanks and the order of its keys; what is none stands for itself."""
    content = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
    try:
        return json.loads(content)
    except ValueError:
        return content


def _expression(text: str) -> str:
    single = _AT.fullmatch(text)
    return f"at({single[1]}:00)" if single else " ".join(text.split())


def _meant(found: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the fields that are known, or what holds where nothing does."""
    given = {name: _full(found.get(name)) for name in known}
    return {
        name: default if given[name] is None else given[name]
        for name, default in known.items()
        if not (default is None and given[name] is None)
    }


def _full(value: Any) -> Any:
    """Without what is empty: null, texts, lists and mappings that hold nothing. None where nothing is left."""
    if isinstance(value, dict):
        kept = {name: _full(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each is not None} or None
    return None if value is None or value in ("", [], b"") else value


def told(is_now: Mapping[str, Any], shall: Mapping[str, Any], *, by_hand: bool) -> str:
    """Which fields differ, as a reason."""
    fields = [name for name in sorted({*is_now, *shall}) if is_now.get(name) != shall.get(name)]
    told = ", ".join(f"{name} is {is_now.get(name)!r} and shall be {shall.get(name)!r}" for name in fields)
    return f"changed by hand: {told}" if by_hand else told
