"""The sender's side of the outbox on SQS: imported by every function that has figures, so it imports little."""

from __future__ import annotations

from kuroshio.adapters import aws


class SqsOutbox:
    """Implements ``mackerel.ports.Outbox``."""

    def __init__(self, queue_url: str) -> None:
        self._queue_url = queue_url

    def send(self, message: str) -> None:
        """Return once SQS has the message. Raises ServiceUnavailable, AccessRefused, NotFound or RequestRefused."""
        with aws.translated(f"sending {len(message)} characters to {self._queue_url}"):
            aws.client("sqs").send_message(QueueUrl=self._queue_url, MessageBody=message)
