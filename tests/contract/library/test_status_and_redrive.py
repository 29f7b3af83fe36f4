"""A person sees what waits and why, and brings it back once the cause is mended; nothing counts twice by it."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from click.testing import CliRunner, Result

from kuroshio.adapters import aws
from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
from kuroshio.adapters.outbox_queues import Depth, depth, moved
from kuroshio.cli import kuroshio_command
from kuroshio.errors import NotFound
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.messages import Parcel, packed
from kuroshio.mackerel.points import point, report
from lab.mackerel import Clock, FakeMackerel, Rules
from lab.mackerel.in_process import InProcessApi

if TYPE_CHECKING:
    from tests.contract.library.conftest import Queue

HOUR = 3600


class Outbox:
    """The whole of it on one table and two queues, with a Mackerel that may refuse."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        name = queue.url.rpartition("/")[2]
        self.dead = queue.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        keys = ("pk", "sk")
        boto3.client("dynamodb").create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        self.clock = Clock(time.time())
        self.mackerel = FakeMackerel(self.clock, Rules(longest_name=20))
        self.api = InProcessApi(self.mackerel)
        self.api.call("POST", "/services", {"name": "shop"})
        self.ledger = DynamoOutboxLedger(name)
        self.collector = Collector(self.ledger, self.clock)
        self.flusher = Flusher(self.ledger, self.api, self.clock, lambda most: most, "one")
        self.places = ["--ledger-table", name, "--queue-url", queue.url, "--dead-letters-url", self.dead]

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(kuroshio_command, ["mackerel", words[0], *self.places, *words[1:]])

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").output)

    def collect(self, *bodies: str) -> None:
        assert self.collector.take([Delivery(f"m{number}", body) for number, body in enumerate(bodies)]) == []

    def turn(self) -> None:
        self.clock.advance(61)
        self.flusher.run()

    def stored(self, name: str) -> list[float]:
        document = self.api.call("GET", f"/services/shop/metrics?name={name}&from=0&to={2**33}").document
        return [entry["value"] for entry in document.get("metrics", [])]

    def message(self, name: str, service: str = "shop", ago: float = 0, key: str = "k") -> str:
        at = self.clock() - ago
        return packed(Parcel(points=(point(service, name, 1, at=at, now=at, combine="sum", key=f"{key}/{name}"),)))


@pytest.fixture
def outbox(queue: Queue, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    aws.forget_clients()
    return Outbox(queue)


def test_an_outbox_that_was_never_used_is_well(outbox: Outbox) -> None:
    done = outbox.run("status")
    assert (done.exit_code, done.output) == (
        0,
        "queue: 0 waiting, 0 being collected\ndead letters: 0\nNothing was ever collected.\n",
    )


def test_a_lane_tells_what_waits_since_when_and_why(outbox: Outbox) -> None:
    now = outbox.clock()
    checked = packed(Parcel(reports=(report("backup", "OK", "fine", occurred_at=now, now=now),)))
    outbox.collect(outbox.message("good"), outbox.message("lonely", service="nobody", ago=HOUR), checked)
    outbox.turn()
    outbox.collect(outbox.message("more"))
    told = outbox.json("status")
    lanes = {lane["name"]: lane for lane in told["lanes"]}
    assert (lanes["metrics/shop"]["state"], lanes["metrics/shop"]["waiting"]) == ("open", 1)
    assert lanes["metrics/shop"]["succeeded_at"] == int(outbox.clock())
    assert lanes["metrics/nobody"]["state"] == "parked"
    assert "unknown service or host: Service not found." in lanes["metrics/nobody"]["refusal"]
    assert lanes["metrics/nobody"]["oldest"] == int(now - HOUR) // 60 * 60
    assert lanes["metrics/nobody"]["next_turn"] > outbox.clock() + 299
    assert lanes["reports"]["state"] == "parked"
    shown = outbox.run("status")
    assert shown.exit_code == 3
    assert "metrics/nobody" in shown.output
    assert re.search(r"6[01] min ago", shown.output)


def test_an_outage_is_retried_and_what_it_cost_is_told(outbox: Outbox) -> None:
    outbox.collect(outbox.message("old", ago=23 * HOUR))
    outbox.api.call("POST", "/services", {"name": "kuroshio"})
    outbox.clock.advance(2 * HOUR)
    outbox.turn()
    [shop] = [lane for lane in outbox.json("status")["lanes"] if lane["name"] == "metrics/shop"]
    assert (shop["lost"], shop["waiting"], shop["state"]) == (1, 0, "open")


def test_what_was_set_aside_comes_back_by_lane_or_reason_and_only_when_it_is_said(outbox: Outbox) -> None:
    outbox.collect(outbox.message("a.name.beyond.all.bounds"), "none of ours")
    outbox.turn()
    assert outbox.stored("a.name.beyond.all.bounds") == []
    outbox.mackerel.org.rules.longest_name = None
    dry = outbox.run("redrive")
    assert "1 that were set aside and 0 dead letters would be tried again" in dry.output
    assert "A metric name is too long." in dry.output
    assert "1 cannot" in dry.output
    assert "--yes does it" in dry.output
    assert outbox.json("redrive", "--yes", "--lane", "metrics/till")["set_aside"] == 0
    assert outbox.json("redrive", "--yes", "--reason", "too short")["set_aside"] == 0
    assert len(outbox.json("status")["set_aside"]) == 2
    done = outbox.json("redrive", "--yes", "--lane", "metrics/shop", "--reason", "too long")
    assert done == {"done": True, "set_aside": 1, "dead_letters": 0, "unreadable": 1}
    outbox.turn()
    assert outbox.stored("a.name.beyond.all.bounds") == [1]
    [unreadable] = outbox.json("status")["set_aside"]
    assert unreadable["lane"] == "messages"


def test_a_parked_lane_is_tried_at_once(outbox: Outbox) -> None:
    outbox.collect(outbox.message("lonely", service="till"))
    outbox.turn()
    outbox.api.call("POST", "/services", {"name": "till"})
    outbox.run("redrive", "--yes", "--lane", "metrics/shop")
    outbox.turn()
    assert [lane["waiting"] for lane in outbox.json("status")["lanes"]] == [1]
    outbox.run("redrive", "--yes", "--lane", "metrics/till")
    outbox.turn()
    assert [lane["waiting"] for lane in outbox.json("status")["lanes"]] == [0]


def test_dead_letters_come_back_and_count_once_though_one_was_moved_twice(outbox: Outbox) -> None:
    bodies = [outbox.message("orders", key=f"k{number}") for number in range(12)]
    outbox.collect(bodies[0])
    for body in (*bodies, bodies[3]):  # one that was sent, and whose deletion failed
        outbox.queue.sqs.send_message(QueueUrl=outbox.dead, MessageBody=body)
    status = outbox.run("status")
    assert status.exit_code == 3
    assert "dead letters: 13" in status.output
    assert outbox.json("redrive")["dead_letters"] == 13
    assert outbox.json("redrive", "--lane", "metrics/shop", "--yes")["dead_letters"] == 0
    assert depth(outbox.dead) == Depth(13, 0)
    assert outbox.json("redrive", "--yes")["dead_letters"] == 13
    assert depth(outbox.dead) == Depth(0, 0)
    outbox.collect(*outbox.queue.bodies())
    outbox.turn()
    assert outbox.stored("orders") == [12]


def test_a_queue_that_is_gone_is_named(outbox: Outbox) -> None:
    with pytest.raises(NotFound, match="looking into the queue"):
        depth(outbox.dead + "-gone")
    with pytest.raises(NotFound, match="moving messages of"):
        moved(outbox.dead + "-gone", outbox.dead)
