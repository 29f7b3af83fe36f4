"""Every execution becomes points, each once, whatever fails beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.errors import ServiceUnavailable
from kuroshio.mackerel import state
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.messages import unpacked
from kuroshio.mackerel.metrics import Metrics
from kuroshio.mackerel.silence import Ended
from kuroshio.runs.figures import OutboxFigures
from kuroshio.runs.recording import Recording
from lab.mackerel import Clock, FakeMackerel
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger
from tests.fakes.ledger import InMemoryLedger

if TYPE_CHECKING:
    from kuroshio.runs.run import Run

EVENTS = Path(__file__).parents[3] / "events/record_run"
NOW = 1_795_237_300.0


def event(name: str, **changed: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    document["detail"] |= changed
    return document


class Queue:
    def __init__(self) -> None:
        self.messages: list[str] = []
        self.is_down = False

    def send(self, message: str) -> None:
        if self.is_down:
            raise ServiceUnavailable("SQS is down")
        self.messages.append(message)

    def points(self, now: float = NOW) -> list[tuple[str, int, float, str]]:
        parcels = [unpacked(message, now) for message in self.messages]
        return [(p.name, p.time, p.value, p.combine) for parcel in parcels for p in parcel.points]


class Silent:
    def noted(self, run: Run, *, is_news: bool) -> None:
        pass


class BrokenLedger(InMemoryLedger):
    is_down = True

    def record(self, run: Run) -> bool:
        if self.is_down:
            raise ServiceUnavailable("DynamoDB is down")
        return super().record(run)


def recording(queue: Queue, ledger: InMemoryLedger | None = None, now: float = NOW) -> Recording:
    figures = OutboxFigures(queue, "kuroshio-dev", "dev", lambda: now)
    return Recording(ledger or InMemoryLedger(), Silent(), figures)


START, END, REDRIVEN = 1_795_233_600, 1_795_233_604, 1_795_237_200


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event("running"), [("started", START, 1, "sum")]),
        (
            event("succeeded"),
            [
                ("succeeded", END, 1, "sum"),
                ("failed", END, 0, "sum"),
                ("timed_out", END, 0, "sum"),
                ("aborted", END, 0, "sum"),
                ("duration", END, 4.5, "max"),
            ],
        ),
        (event("failed"), [("failed", END, 1, "sum"), ("duration", END, 4.5, "max")]),
        (event("failed", status="TIMED_OUT"), [("timed_out", END, 1, "sum"), ("duration", END, 4.5, "max")]),
        (event("failed", status="ABORTED"), [("aborted", END, 1, "sum"), ("duration", END, 4.5, "max")]),
        (event("failed", status="PENDING_REDRIVE"), []),
    ],
    ids=lambda value: value["detail"]["status"] if isinstance(value, dict) else "",
)
def test_a_state_becomes_points_at_the_time_of_the_state(
    given: dict[str, Any], expected: list[tuple[str, int, float, str]]
) -> None:
    queue = Queue()
    recording(queue).record(given)
    assert queue.points() == [(f"runs.detect-changes.{name}", *rest) for name, *rest in expected]


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        (event("running"), []),
        (event("failed", status="PENDING_REDRIVE"), []),
        (event("succeeded"), [END]),
        (event("failed"), [END]),
        (event("failed", status="TIMED_OUT"), [END]),
        (event("failed", status="ABORTED"), [END]),
    ],
    ids=lambda value: value["detail"]["status"] if isinstance(value, dict) else "",
)
def test_the_end_of_an_execution_ends_its_downtime_whatever_the_end_is(given: dict[str, Any], ends: list[int]) -> None:
    queue = Queue()
    recording(queue).record(given)
    said = [each for message in queue.messages for each in unpacked(message, NOW).downtimes]
    assert said == [Ended(given["detail"]["executionArn"], at) for at in ends]


def test_an_execution_that_was_aborted_before_it_could_end_its_downtime_leaves_none_open() -> None:
    queue, ledger, clock = Queue(), MemoryLedger(), Clock(NOW)
    mackerel = FakeMackerel(clock)
    InProcessApi(mackerel).call("POST", "/services", {"name": "kuroshio-dev"})
    flusher = Flusher(ledger, InProcessApi(mackerel), clock, lambda _: 0, "f", home="kuroshio-dev")

    def minute() -> int:
        Collector(ledger, clock).take([Delivery(str(n), body) for n, body in enumerate(queue.messages)])
        queue.messages.clear()
        clock.advance(61)
        flusher.run()
        return len(mackerel.org.downtimes)

    aborted = event("failed", status="ABORTED")
    with Metrics(queue, service="kuroshio-dev", origin="o", clock=clock) as metrics:
        arn = aborted["detail"]["executionArn"]
        metrics.downtime_begins("cut-over", marker=arn, first=NOW, last=NOW + 20_000)
    assert minute() == 1
    recording(queue).record(aborted)
    assert minute() == 0


def test_a_redriven_execution_counts_again_and_its_duration_is_that_of_the_new_attempt() -> None:
    queue = Queue()
    recording(queue).record(event("redriven", status="RUNNING", stopDate=None))
    recording(queue).record(event("redriven"))
    assert queue.points()[0] == ("runs.detect-changes.started", REDRIVEN, 1, "sum")
    assert queue.points()[-1] == ("runs.detect-changes.duration", REDRIVEN + 4, 4.5, "max")


def test_each_event_counts_once_however_often_and_in_whatever_order_it_comes() -> None:
    queue, ledger, clock = Queue(), MemoryLedger(), Clock(NOW)
    for name in ("succeeded", "running", "succeeded", "redriven", "running", "redriven"):
        recording(queue).record(event(name))
    Collector(ledger, clock).take([Delivery(str(n), body) for n, body in enumerate(queue.messages)])
    assert {
        record.key.sk: len(record.body["contributions"]) for record in ledger.scan("mackerel#cells#kuroshio-dev", 99)
    } == {
        f"00{minute}#runs.detect-changes.{name}": 1
        for minute, names in (
            (START, ["started", "succeeded", "failed", "timed_out", "aborted", "duration"]),
            (REDRIVEN, ["succeeded", "failed", "timed_out", "aborted", "duration"]),
        )
        for name in names
    }


def test_an_event_that_comes_days_later_is_no_error_and_is_left_to_be_counted_as_lost() -> None:
    queue, ledger = Queue(), MemoryLedger()
    late = NOW + 5 * 24 * 3600
    recording(queue, now=late).record(event("failed"))
    assert len(queue.points(late)) == 2
    assert Collector(ledger, Clock(late)).take([Delivery("m", queue.messages[0])]) == []
    assert state.parked(ledger) == []


def test_figures_that_cannot_be_sent_lose_no_record_and_the_same_event_again_sends_them() -> None:
    queue, ledger = Queue(), InMemoryLedger()
    queue.is_down = True
    with pytest.raises(ServiceUnavailable, match="SQS"):
        recording(queue, ledger).record(event("failed"))
    assert ledger.statuses() == ["FAILED"]
    queue.is_down = False
    assert recording(queue, ledger).record(event("failed"))["recorded"] is False
    assert len(queue.points()) == 2


def test_a_record_that_cannot_be_kept_loses_no_figures() -> None:
    queue, ledger = Queue(), BrokenLedger()
    with pytest.raises(ServiceUnavailable, match="DynamoDB"):
        recording(queue, ledger).record(event("failed"))
    assert len(queue.points()) == 2


def test_where_both_fail_both_are_named() -> None:
    queue = Queue()
    queue.is_down = True
    with pytest.raises(ServiceUnavailable, match="SQS") as failure:
        recording(queue, BrokenLedger()).record(event("failed"))
    assert "DynamoDB" in str(failure.value.__context__)
