"""The outbox on SQS: a standard queue, read by Lambda with partial batch responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.mackerel.collect import Delivery

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class SqsOutbox:
    """Implements ``mackerel.ports.Outbox``."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def send(self, message: str) -> None:
        """Return once SQS has the message. Raises ServiceUnavailable, AccessRefused, NotFound or RequestRefused."""
        with aws.translated(f"sending {len(message)} characters to {self._queue_url}"):
            aws.client("sqs").send_message(QueueUrl=self._queue_url, MessageBody=message)


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """The messages of the event with which Lambda's event source hands over a batch."""
    return [Delivery(record["messageId"], record["body"]) for record in event["Records"]]


def batch_response(failed: Sequence[str]) -> dict[str, Any]:
    """Lambda's answer that has the messages of these ids delivered again, and all others deleted.

    The event source mapping must have ``ReportBatchItemFailures``, or Lambda reads the answer as full success.
    """
    return {"batchItemFailures": [{"itemIdentifier": key} for key in failed]}
