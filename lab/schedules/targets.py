"""What EventBridge Scheduler asks of a target: one API call, by the target's ARN.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-targets.html
"""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name

from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from botocore.model import OperationModel

_UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9]+):([a-z]\w+)")
# Where the SDK for Java, whose names these ARNs carry, calls a service otherwise than botocore.
_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "cognitoidentityprovider": "cognito-idp",
}
# Calls that change nothing are no targets: "You can't use read-only API operations".
_READS = (
    "get",
    "describe",
    "list",
    "poll",
    "receive",
    "search",
    "scan",
    "query",
    "select",
    "read",
    "head",
    "lookup",
    "batchGet",
)


class InvalidTarget(ValueError):  # noqa: N818 - what the target is
    """Scheduler would refuse the target; the message says why."""


@dataclass(frozen=True)
class Attempt:
    """What an invocation's context attributes stand for."""

    schedule_arn: str
    scheduled: datetime
    execution_id: str
    number: int  # from 1


@dataclass(frozen=True)
class Request:
    """An API call; ``parameters`` as boto3 takes them."""

    service: str
    operation: str  # the API's name
    parameters: dict[str, Any]

    @property
    def method(self) -> str:
        return str(xform_name(self.operation))


def request_of(target: Mapping[str, Any], attempt: Attempt, queue_url: str = "") -> Request:
    """The call that invokes the target. Raises InvalidTarget for one that there is no call for."""
    arn = str(target["Arn"])
    universal = _UNIVERSAL.fullmatch(arn)
    if universal:
        operation = operation_of(arn)
        given = json.loads(fill_in(str(target.get("Input") or "{}"), attempt))
        parameters = _spelt(given, operation.input_shape) if operation.input_shape else {}
        return Request(_SERVICES.get(universal[1], universal[1]), operation.name, parameters)
    body = fill_in(str(target["Input"]), attempt) if target.get("Input") else default_event(arn, attempt)
    return _templated(arn, target, body, queue_url)


def _templated(arn: str, target: Mapping[str, Any], body: str, queue_url: str) -> Request:
    service = (arn.split(":") + [""] * 3)[2]
    if service == "lambda":
        parameters = {"FunctionName": arn, "InvocationType": "Event", "Payload": body}
        return Request("lambda", "Invoke", parameters)
    if service == "states":
        parameters = {"stateMachineArn": arn, "input": body if target.get("Input") else "{}"}
        return Request("stepfunctions", "StartExecution", parameters)
    if service == "sqs":
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        more = {"MessageGroupId": group} if group else {}
        return Request("sqs", "SendMessage", {"QueueUrl": queue_url, "MessageBody": body, **more})
    if service == "sns":
        return Request("sns", "Publish", {"TopicArn": arn, "Message": body})
    if service == "events":
        said = target.get("EventBridgeParameters") or {}
        entry = {"EventBusName": arn, "Detail": body, "DetailType": said["DetailType"], "Source": said["Source"]}
        return Request("events", "PutEvents", {"Entries": [entry]})
    raise InvalidTarget(f"the lab's Scheduler knows no target {arn}: see docs/fine-print.md")


def fill_in(text: str, attempt: Attempt) -> str:
    """The input with its context attributes filled in.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
    """
    values = {
        "schedule-arn": attempt.schedule_arn,
        "scheduled-time": f"{attempt.scheduled:%Y-%m-%dT%H:%M:%SZ}",
        "execution-id": attempt.execution_id,
        "attempt-number": str(attempt.number),
    }
    return re.sub(r"<aws\.scheduler\.([a-z-]+)>", lambda match: values.get(match[1], match[0]), text)


def default_event(arn: str, attempt: Attempt) -> str:
    """What a target without an input of its own receives."""
    region = (arn.split(":") + [""] * 4)[3]
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, attempt.execution_id)),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT,
            "time": f"{attempt.scheduled:%Y-%m-%dT%H:%M:%SZ}",
            "region": region,
            "resources": [attempt.schedule_arn],
            "detail": "{}",
        }
    )


# Universal targets -----------------------------------------------------------------------------------------------------


def is_universal(arn: str) -> bool:
    return arn.startswith("arn:aws:scheduler:::aws-sdk:")


def operation_of(arn: str) -> OperationModel:
    """The operation that a universal target names. Raises InvalidTarget where no service has it, or where it only reads."""
    found = _UNIVERSAL.fullmatch(arn)
    if not found:
        raise InvalidTarget(f"{arn} is no universal target: arn:aws:scheduler:::aws-sdk:service:apiAction")
    service, action = _SERVICES.get(found[1], found[1]), found[2]
    if action.startswith(_READS):
        raise InvalidTarget(f"{action} only reads, and cannot be a target")
    session = botocore.session.get_session()
    if service not in session.get_available_services():
        raise InvalidTarget(f"there is no service {found[1]}")
    name = action[:1].upper() + action[1:]
    model = _model(service)
    if name not in model.operation_names:
        raise InvalidTarget(f"{found[1]} has no action {action}")
    operation: OperationModel = model.operation_model(name)
    return operation


@cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _spelt(value: Any, shape: Any) -> Any:
    """The value with its members spelt as botocore spells them: Scheduler's begin with a capital letter."""
    if shape.type_name == "structure" and isinstance(value, dict):
        known = {name.lower(): name for name in shape.members}
        named = {known.get(key.lower(), key): item for key, item in value.items()}
        return {key: _spelt(item, shape.members[key]) if key in shape.members else item for key, item in named.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_spelt(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _spelt(item, shape.value) for key, item in value.items()}
    return value
