"""The state machine that docs/mackerel.md shows opens one downtime and one annotation, and ends them on every path."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from kuroshio.mackerel import state
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flusher
from lab import moto_engine
from lab.mackerel import Clock, FakeMackerel
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

PAGE = Path(__file__).parents[2] / "docs/mackerel.md"


def definition() -> dict[str, Any]:
    """As ``DefinitionSubstitutions`` would fill it in."""
    [block] = re.findall(r"^```yaml\n(QueryLanguage:.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    values = {"OutboxQueueUrl": "https://queue", "MackerelService": "shop", "CutOverFunctionArn": "arn:function"}
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], block))
    return filled


class Room:
    """Collector, flusher and Mackerel behind the queue that the machine sends to."""

    def __init__(self) -> None:
        self.clock = Clock(time.time() + 2)  # the machine's own clock is the real one
        self.mackerel, self.ledger = FakeMackerel(self.clock), MemoryLedger()
        self.api = InProcessApi(self.mackerel)
        self.api.call("POST", "/services", {"name": "shop"})
        self.seen: list[tuple[int, list[str]]] = []

    def send(self, arguments: Any) -> Any:
        """SQS, for a state; what it gets arrives twice, and is at Mackerel before the next state."""
        assert arguments["QueueUrl"] == "https://queue"
        body = json.dumps(arguments["MessageBody"])
        assert Collector(self.ledger, self.clock).take([Delivery("a", body), Delivery("b", body)]) == []
        self.clock.advance(61)
        Flusher(self.ledger, self.api, self.clock, lambda _: 0, "f").run()
        org = self.mackerel.org
        self.seen.append((len(org.downtimes), [each["title"] for each in org.annotations.values()]))
        return {"MessageId": "m"}


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        (None, "SUCCEEDED", "cut-over of orders"),
        ("ServiceUnavailable", "FAILED", "cut-over of orders failed: ServiceUnavailable"),
    ],
)
def test_its_downtime_and_its_annotation_end_whether_the_work_succeeds_or_fails(
    error: str | None, status: str, title: str
) -> None:
    room = Room()

    def work(_: Any) -> Any:
        if error:
            raise moto_engine.TaskFailed(error, "")
        return {"Payload": {}}

    done = moto_engine.run(definition(), {}, {"Silence": room.send, "CutOver": work, "Speak": room.send})
    assert (done.status, done.error) == (status, error)
    assert room.seen == [(1, ["cut-over of orders"]), (0, [title])]
    assert state.parked(room.ledger) == []
