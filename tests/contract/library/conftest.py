"""An SQS on a socket, and what was sent to it as the collector would keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from kuroshio.adapters import aws
from kuroshio.mackerel.collect import Collector, Delivery
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Queue:
    """One queue of the server."""

    url: str
    sqs: Any

    def bodies(self) -> list[str]:
        found: list[str] = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            found += [message["Body"] for message in messages]
        return found

    def kept(self, now: float) -> MemoryLedger:
        ledger = MemoryLedger()
        deliveries = [Delivery(f"m{number}", body) for number, body in enumerate(self.bodies())]
        assert Collector(ledger, lambda: now).take(deliveries) == []
        return ledger


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def queue(endpoint: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Queue]:
    """The environment of a user's function: a queue, a service, credentials, and SQS on this machine."""
    for name, value in {
        "AWS_ENDPOINT_URL_SQS": endpoint,
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }.items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    sqs = boto3.client("sqs", endpoint_url=endpoint)
    name = str(abs(hash(request.node.nodeid)))
    made = Queue(sqs.create_queue(QueueName=name)["QueueUrl"], sqs)
    monkeypatch.setenv("KUROSHIO_OUTBOX_QUEUE_URL", made.url)
    monkeypatch.setenv("KUROSHIO_MACKEREL_SERVICE", "shop")
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "ship")
    yield made
    aws.forget_clients()
