"""The queue in memory and SQS treat messages alike; and Lambda's batches are read and answered in its form."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.outbox import SqsOutbox
from kuroshio.adapters.outbox_batches import batch_response, deliveries
from kuroshio.errors import NotFound, RequestRefused
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.metrics import Metrics
from lab.mackerel.ledger import MemoryLedger
from lab.mackerel.queue import MemoryQueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOON = 1_790_000_040
MOST_RECEIVES = 3


class Queue(Protocol):
    def send(self, message: str) -> None: ...
    def receive(self, most: int) -> list[Delivery]: ...
    def delete(self, ids: Iterable[str]) -> None: ...
    def dead_letters(self) -> list[str]: ...


class InMemory(MemoryQueue):
    def __init__(self) -> None:
        super().__init__(lambda: 0.0, Random(1), visibility=0, most_receives=MOST_RECEIVES)  # noqa: S311 - no secret

    def dead_letters(self) -> list[str]:
        return self.dead


class Sqs(SqsOutbox):
    """The real adapter, and the reader that Lambda's event source is."""

    def __init__(self) -> None:
        self._sqs = boto3.client("sqs")
        self._dead = self._sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        policy = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"{MOST_RECEIVES}"}}'
        attributes = {"VisibilityTimeout": "0", "RedrivePolicy": policy}
        super().__init__(self._sqs.create_queue(QueueName="outbox", Attributes=attributes)["QueueUrl"])
        self._receipts: dict[str, str] = {}

    def receive(self, most: int) -> list[Delivery]:
        answer = self._sqs.receive_message(QueueUrl=self._queue_url, MaxNumberOfMessages=most)
        messages: list[Any] = answer.get("Messages", [])
        self._receipts |= {message["MessageId"]: message["ReceiptHandle"] for message in messages}
        return [Delivery(message["MessageId"], message["Body"]) for message in messages]

    def delete(self, ids: Iterable[str]) -> None:
        for key in ids:
            self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=self._receipts[key])

    def dead_letters(self) -> list[str]:
        answer = self._sqs.receive_message(QueueUrl=self._dead, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.forget_clients()
    with mock_aws():
        yield
    aws.forget_clients()


@pytest.fixture(params=[InMemory, Sqs])
def queue(request: pytest.FixtureRequest) -> Queue:
    made: Queue = request.param()
    return made


def test_a_message_comes_until_it_is_deleted(queue: Queue) -> None:
    queue.send("one")
    [first] = queue.receive(10)
    [again] = queue.receive(10)
    assert first == again
    assert first.body == "one"
    queue.delete([first.id])
    assert queue.receive(10) == []


def test_some_of_a_batch_can_be_deleted_and_the_rest_comes_again(queue: Queue) -> None:
    for body in ("one", "two", "three"):
        queue.send(body)
    batch = queue.receive(10)
    queue.delete(delivery.id for delivery in batch if delivery.body != "two")
    assert [delivery.body for delivery in queue.receive(10)] == ["two"]


def test_a_message_that_was_received_too_often_becomes_a_dead_letter(queue: Queue) -> None:
    queue.send("one")
    for _ in range(MOST_RECEIVES):
        assert len(queue.receive(10)) == 1
    assert queue.receive(10) == []
    assert queue.dead_letters() == ["one"]


def test_what_a_writer_sends_is_what_the_collector_keeps(queue: Queue) -> None:
    with Metrics(queue, service="shop", origin="execution-1/Verify", clock=lambda: NOON) as metrics:
        metrics.put("注文/出荷", 3)
    ledger = MemoryLedger()
    assert Collector(ledger, lambda: NOON).take(queue.receive(10)) == []
    [record] = ledger.scan("mackerel#cells#shop", 10)
    assert [value for _, value, _ in record.body["contributions"]] == [3.0]


def test_a_queue_that_is_not_there_and_a_message_too_large_are_named() -> None:
    with pytest.raises(NotFound, match="sending 1 characters"):
        SqsOutbox("https://sqs.ap-northeast-1.amazonaws.com/123456789012/nothing").send("x")
    with pytest.raises(RequestRefused):
        Sqs().send("x" * (2 << 20))


def test_lambdas_batch_is_read_and_answered_in_its_form() -> None:
    event = {"Records": [{"messageId": "m1", "body": "one"}, {"messageId": "m2", "body": "two"}]}
    assert deliveries(event) == [Delivery("m1", "one"), Delivery("m2", "two")]
    assert batch_response(["m2"]) == {"batchItemFailures": [{"itemIdentifier": "m2"}]}
    assert batch_response([]) == {"batchItemFailures": []}
