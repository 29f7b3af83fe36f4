"""The outbox's queue and its dead letters, as a person looks after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_MOST = 100_000  # messages of one redrive
_HELD = 120  # seconds that a dead letter is nobody else's while it is moved


@dataclass(frozen=True)
class Depth:
    """How many messages wait, and how many somebody is at; SQS's own approximations."""

    waiting: int
    in_flight: int


def depth(queue_url: str) -> Depth:
    """Raises NotFound, AccessRefused, ServiceUnavailable."""
    with aws.translated(f"looking into the queue {queue_url}"):
        attributes = aws.client("sqs").get_queue_attributes(
            QueueUrl=queue_url,
            AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
        )["Attributes"]
    return Depth(
        int(attributes["ApproximateNumberOfMessages"]), int(attributes["ApproximateNumberOfMessagesNotVisible"])
    )


def moved(source_url: str, target_url: str) -> int:
    """Move the messages of one queue to another until none comes; returns how many.

    Each is sent before it is deleted: killed between the two, it is there twice, and its keys count it once. SQS's own
    redrive (StartMessageMoveTask) was refused: it returns before it has moved anything, and says nothing of what it could not.
    """
    count = 0
    with aws.translated(f"moving messages of {source_url} to {target_url}"):
        while count < _MOST and (messages := _received(source_url)):
            for message in messages:
                aws.client("sqs").send_message(QueueUrl=target_url, MessageBody=message["Body"])
                aws.client("sqs").delete_message(QueueUrl=source_url, ReceiptHandle=message["ReceiptHandle"])
                count += 1
    return count


def _received(queue_url: str) -> list[MessageTypeDef]:
    # Waiting a second asks all of SQS's servers; without, an answer may be empty although there are messages.
    answer = aws.client("sqs").receive_message(
        QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1, VisibilityTimeout=_HELD
    )
    return answer.get("Messages", [])
