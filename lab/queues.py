"""SQS to Lambda: event source mappings, with batches, partial failures, visibility and redrive, as Lambda polls."""

from __future__ import annotations

import json
import logging
import threading
import time
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError, ClientError

from lab.answers import Answer, error_answer, json_answer
from lab.eventpattern import matches
from lab.moto_engine import await_message, visible_messages
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.activity import Activity
    from lab.calls import Call, HttpRequest
    from lab.clients import Clients
    from lab.functions import Functions
    from lab.ports import InvocationResult

log = logging.getLogger("lab.queues")

_POLL_S = 1  # a message is seen at once; a mapping that was disabled or deleted, after so long
_LARGEST_RECEIVE = 10
_AFTER_A_FAILURE_S = 0.5
_AFTER_NOTHING_S = 0.1
_MOST_SAID = 500  # characters of what a function answered


class Queues:
    """The event source mappings of the lab, one poller each. moto's own would swallow messages for image functions."""

    def __init__(self, clients: Clients, functions: Functions, activity: Activity) -> None:
        self._clients = clients
        self._functions = functions
        self._activity = activity
        self._mappings: dict[str, dict[str, Any]] = {}
        self._closing = threading.Event()

    def close(self) -> None:
        """Pollers end after the poll they are in."""
        self._closing.set()

    def have_rested(self) -> bool:
        """Whether every message that a function is to have was taken. A poller is at work before it takes one."""
        sources = [m["EventSourceArn"] for m in list(self._mappings.values()) if m["State"] == "Enabled"]
        return not any(visible_messages(ACCOUNT, arn) for arn in sources)

    # The API -----------------------------------------------------------------------------------------------------------

    def answer(self, call: Call, request: HttpRequest) -> Answer:
        """Create, Get, List, Update and Delete of Lambda's EventSourceMapping."""
        if call.operation == "CreateEventSourceMapping":
            return self._create(call)
        if call.operation == "ListEventSourceMappings":
            return json_answer(
                {"EventSourceMappings": [m for m in self._mappings.values() if _is_asked_for(m, request)]}
            )
        mapping = self._mappings.get(str(call.parameters.get("UUID", "")))
        if mapping is None:
            return error_answer(call, 404, "ResourceNotFoundException", "The resource you requested does not exist.")
        if call.operation == "DeleteEventSourceMapping":
            del self._mappings[mapping["UUID"]]
            return json_answer({**mapping, "State": "Deleting"}, HTTPStatus.ACCEPTED)
        if call.operation == "UpdateEventSourceMapping":
            mapping |= _settings(call.parameters)
            return json_answer(mapping, HTTPStatus.ACCEPTED)
        return json_answer(mapping)

    def _create(self, call: Call) -> Answer:
        source = str(call.parameters.get("EventSourceArn", ""))
        if ":sqs:" not in source:
            message = f"the lab polls SQS queues only, not {source}: see docs/fine-print.md"
            return error_answer(call, 400, "InvalidParameterValueException", message)
        name = str(call.parameters["FunctionName"])
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{call.region}:{ACCOUNT}:function:{name}"
        mapping: dict[str, Any] = {
            "UUID": str(uuid.uuid4()),
            "EventSourceArn": source,
            "FunctionArn": arn,
            "BatchSize": 10,
            "MaximumBatchingWindowInSeconds": 0,
            "FunctionResponseTypes": [],
            "LastModified": time.time(),
            "StateTransitionReason": "USER_INITIATED",
        } | _settings(call.parameters)
        self._mappings[mapping["UUID"]] = mapping
        threading.Thread(target=self._poll, args=(mapping,), name=f"poll-{_way(mapping)}", daemon=True).start()
        return json_answer(mapping, HTTPStatus.ACCEPTED)

    # The pollers -------------------------------------------------------------------------------------------------------

    def _poll(self, mapping: dict[str, Any]) -> None:
        """As Lambda does, try on whatever happens: nobody else would ever take what is in the queue."""
        told = ""
        while not self._closing.is_set() and mapping["UUID"] in self._mappings:
            if mapping["State"] != "Enabled":
                self._closing.wait(0.2)
                continue
            try:
                self._poll_once(mapping)
                told = ""
            except Exception as error:
                expected = isinstance(error, (BotoCoreError, ClientError))  # queue, function or role gone, or a fault
                if told != (told := str(error)) and not self._closing.is_set():
                    log.warning("polling for %s failed: %s", _way(mapping), error, exc_info=not expected)
                self._closing.wait(_AFTER_A_FAILURE_S)

    def _poll_once(self, mapping: Mapping[str, Any]) -> None:
        arn, function = mapping["EventSourceArn"], mapping["FunctionArn"]
        if not await_message(ACCOUNT, arn, _POLL_S):
            return
        with self._activity.work():
            # Lambda polls with the function's role; its permissions are judged by what it does here.
            sqs = self._clients.for_role("sqs", arn.split(":")[3], self._functions.role_of(function))
            url = self._clients.internal("sqs").get_queue_url(QueueName=arn.rsplit(":", 1)[1])["QueueUrl"]
            received = sqs.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=min(mapping["BatchSize"], _LARGEST_RECEIVE),
                WaitTimeSeconds=0,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if received:
                self._hand_over(mapping, sqs, url, received)
                return
        self._closing.wait(_AFTER_NOTHING_S)  # somebody was faster, it went to the dead letters, or its group is held

    def _hand_over(self, mapping: Mapping[str, Any], sqs: Any, url: str, received: Sequence[Any]) -> None:
        arn, function = mapping["EventSourceArn"], mapping["FunctionArn"]
        wanted = [message for message in received if _is_wanted(mapping, message)]
        done = [message for message in received if message not in wanted]  # a filtered message is deleted, as on AWS
        if wanted:
            event = {"Records": [_record(message, arn) for message in wanted]}
            result = self._functions.invoke(function, json.dumps(event).encode())
            failed = failed_messages(result, [m["MessageId"] for m in wanted], mapping["FunctionResponseTypes"])
            if failed:
                counts = [m["Attributes"]["ApproximateReceiveCount"] for m in wanted if m["MessageId"] in failed]
                said = (result.payload or b"")[:_MOST_SAID].decode(errors="replace")
                log.warning(
                    "%s: %d of %d messages (received %s times by now) stay hidden until their visibility timeout ends: %s",
                    *(_way(mapping), len(failed), len(wanted), ", ".join(counts), said),
                )
            done += [message for message in wanted if message["MessageId"] not in failed]
        for message in done:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


def _way(mapping: Mapping[str, Any]) -> str:
    """How the log names a mapping."""
    return f"{mapping['EventSourceArn'].rpartition(':')[2]} -> {mapping['FunctionArn'].rpartition(':')[2]}"


def _settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    names = ("BatchSize", "MaximumBatchingWindowInSeconds", "FunctionResponseTypes", "ScalingConfig", "FilterCriteria")
    enabled = parameters.get("Enabled", True)
    return {name: parameters[name] for name in names if name in parameters} | {
        "State": "Enabled" if enabled else "Disabled"
    }


def _is_asked_for(mapping: Mapping[str, Any], request: HttpRequest) -> bool:
    query = dict(parse_qsl(request.query))
    name, source = query.get("FunctionName", ""), query.get("EventSourceArn", "")
    return bool(mapping["FunctionArn"].endswith(name) and mapping["EventSourceArn"].endswith(source))


def _is_wanted(mapping: Mapping[str, Any], message: Mapping[str, Any]) -> bool:
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
    if not filters:
        return True
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    return any(matches(json.loads(one["Pattern"]), {"body": body}) for one in filters)


def _record(message: Mapping[str, Any], queue_arn: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html"""
    attributes = {
        name: {
            "dataType": value["DataType"],
            "stringListValues": [],
            "binaryListValues": [],
            **({"stringValue": value["StringValue"]} if "StringValue" in value else {}),
        }
        for name, value in (message.get("MessageAttributes") or {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes") or {},
        "messageAttributes": attributes,
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def failed_messages(result: InvocationResult, batch: Sequence[str], response_types: Sequence[str]) -> set[str]:
    """The ids of the batch's messages that return to the queue, by Lambda's rules for partial batch responses.

    All of them after an error, for an answer that cannot be read, and for an id that is not in the batch:
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """
    if result.function_error:
        return set(batch)
    if "ReportBatchItemFailures" not in response_types:
        return set()
    try:
        answer = json.loads(result.payload or b"null")
        failures = (answer or {}).get("batchItemFailures") or []
        failed = {failure["itemIdentifier"] for failure in failures}
    except (ValueError, TypeError, KeyError, AttributeError):
        return set(batch)
    return set(batch) if failed - set(batch) else failed
