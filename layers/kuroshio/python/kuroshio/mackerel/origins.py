"""What names a piece of work, so that it is known again when it is done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.mackerel.points import digest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Where a caller says so itself: Step Functions passes its execution and the state, Scheduler its execution id.
FIELD = "metrics_origin"


def of_event(event: Any, request_id: str) -> str:
    """The origin of an invocation: what the event says, else its id, else that of the request.

    A request's id is the same in Lambda's own retries of asynchronous invocations. It is another one when the caller
    invokes again or a queue delivers again: such work then counts twice.
    """
    if isinstance(event, dict):
        said = event.get(FIELD)
        if isinstance(said, str) and said:
            return said
        records = event.get("Records")
        if isinstance(records, list) and (found := _of_records(records)):
            return found
        if "detail-type" in event and isinstance(event.get("id"), str):
            return f"event/{event['id']}"
    return f"request/{request_id}"


def of_record(record: Mapping[str, Any]) -> str:
    """The origin of one record of a batch (SQS, SNS, Kinesis, DynamoDB), or an empty text where it has no id."""
    found = record.get("messageId") or record.get("eventID") or (record.get("Sns") or {}).get("MessageId")
    return f"record/{found}" if isinstance(found, str) else ""


def _of_records(records: Sequence[Any]) -> str:
    """A batch is known by its records: SQS may deliver them again in another company, and then counts them twice."""
    named = [of_record(record) if isinstance(record, dict) else "" for record in records]
    if not named or "" in named:
        return ""
    return named[0] if len(named) == 1 else f"records/{digest(*sorted(named))}"
