"""The lab's queues hold what SQS promises where threads meet: in moto's model, and in the pollers of Lambda."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from moto import mock_aws
from moto.sqs.models import sqs_backends

from lab.activity import Activity
from lab.calls import Call, HttpRequest
from lab.moto_engine import Hooks, install, use
from lab.ports import InvocationResult
from lab.queues import Queues

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "ap-northeast-1"
QUEUE = f"arn:aws:sqs:{REGION}:123456789012:work"


class Observed:
    """A clock that tells when it is read: whoever receives from a queue reads it first of all."""

    def __init__(self) -> None:
        self.read = threading.Event()

    def __call__(self) -> float:
        self.read.set()
        return time.time()


@pytest.fixture
def clock() -> Iterator[Observed]:
    observed, before = Observed(), use(Hooks())
    install(Hooks(running=observed))
    yield observed
    use(before)


@pytest.fixture
def sqs(clock: Observed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "none")
    with mock_aws():
        yield boto3.client("sqs", region_name=REGION)


def depth(sqs: Any, url: str) -> tuple[int, int]:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return int(found[names[0]]), int(found[names[1]])


def test_a_message_is_hidden_for_as_long_as_its_queue_says_when_it_comes_not_when_somebody_began_to_wait_for_it(
    sqs: Any, clock: Observed
) -> None:
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "365"})["QueueUrl"]
    with ThreadPoolExecutor() as pool:
        clock.read.clear()
        receiving = pool.submit(sqs.receive_message, QueueUrl=url, WaitTimeSeconds=20)
        assert clock.read.wait(20)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
        sqs.send_message(QueueUrl=url, MessageBody="late")
        [received] = receiving.result()["Messages"]

    assert received["Body"] == "late"
    assert depth(sqs, url) == (1, 0)


def test_who_names_a_visibility_timeout_has_it_whatever_the_queue_says(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="held")

    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=365)["Messages"]
    assert depth(sqs, url) == (0, 1)


class Overtaken(list[Any]):
    """Messages to which somebody begins to add one just when another has looked through all of them."""

    def __init__(self, messages: list[Any], other: threading.Thread) -> None:
        super().__init__(messages)
        self.other = other

    def __iter__(self) -> Iterator[Any]:
        yield from super().__iter__()
        if self.other.ident is None:
            self.other.start()
            self.other.join(0.5)  # with moto's own it ends by then; with ours it waits until the other is deleted


def test_what_is_sent_while_another_message_is_deleted_is_not_lost(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="done")
    [done] = sqs.receive_message(QueueUrl=url)["Messages"]
    queue = sqs_backends["123456789012"][REGION].queues["work"]
    sender = threading.Thread(target=sqs.send_message, kwargs={"QueueUrl": url, "MessageBody": "new"})
    queue._messages = Overtaken(queue._messages, sender)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=done["ReceiptHandle"])
    sender.join()

    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["new"]


def test_a_poller_outlives_whatever_happens_and_says_so_once(sqs: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = sqs.create_queue(QueueName="work", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="x")
    deleted = threading.Event()
    sqs.meta.events.register("after-call.sqs.DeleteMessage", lambda **_: deleted.set())
    ends = iter([OSError("no process"), OSError("no process"), InvocationResult(b'"no"', "Unhandled", ())])

    def invoke(_function: str, _event: bytes) -> InvocationResult:
        end = next(ends, InvocationResult(b"{}", None, ()))
        if isinstance(end, Exception):
            raise end
        return end

    clients = SimpleNamespace(for_role=lambda *_: sqs, internal=lambda *_: sqs)
    functions = SimpleNamespace(invoke=invoke, role_of=lambda _: "role")
    queues = Queues(cast("Any", clients), cast("Any", functions), Activity())
    mapping = Call(
        "lambda", "CreateEventSourceMapping", REGION, "KEY", {"EventSourceArn": QUEUE, "FunctionName": "take"}
    )
    try:
        with caplog.at_level(logging.WARNING, "lab.queues"):
            queues.answer(mapping, HttpRequest("POST", "/", "", {}, b""))
            assert deleted.wait(20)
    finally:
        queues.close()

    assert [record.getMessage() for record in caplog.records if record.name == "lab.queues"] == [
        "polling for work -> take failed: no process",
        'work -> take: 1 of 1 messages (received 3 times by now) stay hidden until their visibility timeout ends: "no"',
    ]


def test_time_is_not_moved_on_while_a_poller_has_a_message_that_its_function_has_not_got(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    activity = Activity()
    rested: list[bool] = []
    deleted = threading.Event()
    sqs.meta.events.register("after-call.sqs.DeleteMessage", lambda **_: deleted.set())
    clients = SimpleNamespace(for_role=lambda *_: sqs, internal=lambda *_: sqs)
    functions = SimpleNamespace(invoke=lambda *_: InvocationResult(b"{}", None, ()), role_of=lambda _: "role")
    queues = Queues(cast("Any", clients), cast("Any", functions), activity)
    received = "after-call.sqs.ReceiveMessage"
    sqs.meta.events.register(received, lambda **_: rested.append(activity.settle(0.05, queues.have_rested)))
    mapping = Call(
        "lambda", "CreateEventSourceMapping", REGION, "KEY", {"EventSourceArn": QUEUE, "FunctionName": "take"}
    )
    try:
        queues.answer(mapping, HttpRequest("POST", "/", "", {}, b""))
        sqs.send_message(QueueUrl=url, MessageBody="x")
        assert deleted.wait(20)
    finally:
        queues.close()

    assert rested == [False]
    assert activity.settle(20, queues.have_rested)
