"""EventBridge: what a rule does with an event that met its pattern, and the events that AWS itself sends."""

from __future__ import annotations

import json
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.place import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.activity import Activity
    from lab.clients import Clients
    from lab.clock import Clock
    from lab.cloudwatch.figures import Figures
    from lab.functions import Functions
    from lab.moto_engine import ExecutionStatus, Rule

# AWS retries a delivery for 24 hours, up to 185 times, with growing pauses; the lab counts attempts and never waits longer
# than its clock allows: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
_DEFAULT_ATTEMPTS = 185
_LONGEST_PAUSE_S = 60.0
_MOST_ATTEMPTS = 5
_LARGEST_INCLUDED_BYTES = 248 * 1024


class EventBus:
    """Delivers in the background, each target on its own, with its retry policy and its dead-letter queue."""

    def __init__(
        self, clients: Clients, functions: Functions, clock: Clock, activity: Activity, figures: Figures
    ) -> None:
        self._clients = clients
        self._functions = functions
        self._clock = clock
        self._activity = activity
        self._figures = figures
        self._closing = threading.Event()
        self._deliveries = ThreadPoolExecutor(max_workers=8, thread_name_prefix="eventbridge")

    def close(self) -> None:
        self._closing.set()
        self._deliveries.shutdown(wait=False, cancel_futures=True)

    def deliver(self, rule: Rule, event: dict[str, Any]) -> None:
        """Hand the event to each target of the rule."""
        for target in rule.targets:
            self._activity.submit(self._deliveries, self._deliver_to, rule, target, event)

    def execution_changed(self, status: ExecutionStatus) -> None:
        """Send the event that Step Functions sends for each status of an execution."""
        self._activity.submit(self._deliveries, _send_status_event, status)

    def _deliver_to(self, rule: Rule, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
        body = render_input(target, event)
        allowed = (target.get("RetryPolicy") or {}).get("MaximumRetryAttempts", _DEFAULT_ATTEMPTS)
        failure = ClientError({"Error": {"Code": "SDK_CLIENT_ERROR", "Message": ""}}, "")
        for attempt in range(min(allowed, _MOST_ATTEMPTS) + 1):
            try:
                self._send(rule, target, body)
            except ClientError as error:
                failure = error
                if error.response["Error"]["Code"] in _FINAL_ERRORS:
                    break
                if not self._pause(min(2.0**attempt, _LONGEST_PAUSE_S)):
                    return
            else:
                self._figures.rule_invoked(rule.arn, failed=False)
                return
        self._figures.rule_invoked(rule.arn, failed=True)
        self._dead_letter(rule, target, event, failure)

    def _pause(self, seconds: float) -> bool:
        return self._clock.pause(seconds, self._closing.is_set, self._activity.rest())

    def _send(self, rule: Rule, target: Mapping[str, Any], body: str) -> None:
        arn = str(target["Arn"])
        service, region = arn.split(":")[2:4]
        role = str(target.get("RoleArn") or "")
        if service == "lambda":
            self._functions.invoke_later(arn, body.encode())
        elif service == "states":
            self._clients.for_role("stepfunctions", region, role).start_execution(
                stateMachineArn=arn, name=str(uuid.uuid4()), input=body
            )
        elif service == "sqs":
            self._send_to_queue(target, body)
        elif service == "sns":
            self._clients.internal("sns", region).publish(TopicArn=arn, Message=body)
        elif service == "logs":
            self._write_to_log_group(arn, region, body)
        elif service == "events":
            self._send_to_bus(arn, region, json.loads(body))
        else:
            message = f"the lab delivers no events to {service} targets ({arn}): see docs/fine-print.md"
            raise ClientError({"Error": {"Code": "InvalidTarget", "Message": message}}, rule.arn)

    def _send_to_queue(self, target: Mapping[str, Any], body: str) -> None:
        arn = str(target["Arn"])
        sqs = self._clients.internal("sqs", arn.split(":")[3])
        url = sqs.get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
        group = (target.get("SqsParameters") or {}).get("MessageGroupId")
        sqs.send_message(QueueUrl=url, MessageBody=body, **({"MessageGroupId": group} if group else {}))

    def _write_to_log_group(self, arn: str, region: str, body: str) -> None:
        logs = self._clients.internal("logs", region)
        group, stream = arn.split(":log-group:")[1].removesuffix(":*"), str(uuid.uuid4())
        logs.create_log_stream(logGroupName=group, logStreamName=stream)
        event = {"timestamp": int(self._clock.now() * 1000), "message": body}
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    def _send_to_bus(self, arn: str, region: str, event: Mapping[str, Any]) -> None:
        entry = {
            "Source": event["source"],
            "DetailType": event["detail-type"],
            "Detail": json.dumps(event["detail"]),
            "EventBusName": arn,
        }
        self._clients.internal("events", region).put_events(Entries=[entry])

    def _dead_letter(self, rule: Rule, target: Mapping[str, Any], event: Mapping[str, Any], error: ClientError) -> None:
        queue = str((target.get("DeadLetterConfig") or {}).get("Arn") or "")
        if not queue:
            return
        attributes = {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": str(target["Arn"]),
            "ERROR_CODE": error.response["Error"]["Code"],
            "ERROR_MESSAGE": error.response["Error"]["Message"] or "no message",
        }
        sqs = self._clients.internal("sqs", queue.split(":")[3])
        sqs.send_message(
            QueueUrl=sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[1])["QueueUrl"],
            MessageBody=json.dumps(event),
            MessageAttributes={name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()},
        )


_FINAL_ERRORS = {"ResourceNotFoundException", "InvalidTarget", "AccessDeniedException", "StateMachineDoesNotExist"}


# What a target receives ------------------------------------------------------------------------------------------------


def render_input(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """The text that a target receives: the event, its constant Input, the part at InputPath, or its InputTransformer's template.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
    """
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        return json.dumps(_at(str(target["InputPath"]), event))
    if "InputTransformer" in target:
        return _transform(target["InputTransformer"], event)
    return json.dumps(event)


def _at(path: str, event: Any) -> Any:
    """The value at a path such as ``$.detail.items[0]``, or None."""
    for step in re.findall(r"[^.\[\]$]+", path):
        if isinstance(event, list) and step.isdigit() and int(step) < len(event):
            event = event[int(step)]
        elif isinstance(event, dict) and step in event:
            event = event[step]
        else:
            return None
    return event


def _transform(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    values = {name: _at(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {"aws.events.event": event, "aws.events.event.json": event}
    values["aws.events.event.ingestion-time"] = event.get("time")
    template = str(transformer["InputTemplate"])

    def place(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        value = values[match[1]]
        inside_quotes = _is_inside_quotes(template, match.start())
        if isinstance(value, str):
            return json.dumps(value)[1:-1] if inside_quotes else json.dumps(value)
        text = json.dumps(value) if value is not None else ""
        return text.replace('"', '\\"') if inside_quotes else text

    return re.sub(r"<([\w.-]+)>", place, template)


def _is_inside_quotes(template: str, position: int) -> bool:
    return len(re.findall(r'(?<!\\)"', template[:position])) % 2 == 1


# Events of AWS's own ---------------------------------------------------------------------------------------------------


def _send_status_event(status: ExecutionStatus) -> None:
    from lab.moto_engine import put_event

    region = status.execution_arn.split(":")[3] or REGION
    put_event(
        region,
        ACCOUNT,
        {
            "Source": "aws.states",
            "DetailType": "Step Functions Execution Status Change",
            "Resources": [status.execution_arn],
            "Detail": json.dumps(status_detail(status)),
        },
    )


def status_detail(status: ExecutionStatus) -> dict[str, Any]:
    """The detail of a status change event: https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html"""
    redrivable = status.status in {"FAILED", "TIMED_OUT", "ABORTED"}
    included = len(status.input) + len(status.output or "") <= _LARGEST_INCLUDED_BYTES
    reason = "Execution has not completed" if status.stopped is None else f"Execution is {status.status}"
    return {
        "executionArn": status.execution_arn,
        "stateMachineArn": status.state_machine_arn,
        "name": status.name,
        "status": status.status,
        "startDate": int(status.started.timestamp() * 1000),
        "stopDate": int(status.stopped.timestamp() * 1000) if status.stopped else None,
        "input": status.input if included else None,
        "output": status.output if included else None,
        "stateMachineVersionArn": None,
        "stateMachineAliasArn": None,
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "REDRIVABLE" if redrivable else "NOT_REDRIVABLE",
        "redriveStatusReason": None if redrivable else f"{reason} and cannot be redriven",
        "inputDetails": {"included": included},
        "outputDetails": {"included": included} if status.output is not None else None,
        "error": status.error,
        "cause": status.cause,
    }
