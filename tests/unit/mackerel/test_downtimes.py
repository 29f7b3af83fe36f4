"""Downtimes on their way: opened once, closed whatever happens, and no call where there is nothing to do."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel import places, silence, state
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flushed, Flusher
from kuroshio.mackerel.messages import packed, unpacked
from kuroshio.mackerel.metrics import Metrics, Writer
from kuroshio.mackerel.silence import Downtime, Ended
from lab.mackerel import Clock, FakeMackerel, Fault
from lab.mackerel.downtimes import covers
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterable

NOON = 1_790_000_040
HOUR, DAY = 3600, 86_400
RUN = "arn:aws:states:ap-northeast-1:123456789012:execution:kuroshio-dev-cut-over:run-1"


class House:
    """Writers, a collector, a flusher and a Mackerel."""

    def __init__(self) -> None:
        self.clock = Clock(NOON)
        self.mackerel = FakeMackerel(self.clock)
        self.api = InProcessApi(self.mackerel)
        self.api.call("POST", "/services", {"name": "shop"})
        self.ledger = MemoryLedger()
        self.messages: list[str] = []
        self._serial = itertools.count()

    def send(self, message: str) -> None:
        self.messages.append(message)

    def metrics(self) -> Metrics:
        return Metrics(self, service="shop", origin="o", clock=self.clock)

    def begins(self, marker: str = RUN, *, lasting: int = HOUR, service: str = "") -> None:
        with self.metrics() as metrics:
            metrics.downtime_begins("cut-over", marker=marker, first=NOON, last=NOON + lasting, service=service)

    def ends(self, marker: str = RUN) -> None:
        with self.metrics() as metrics:
            metrics.downtime_ends(marker=marker)

    def collect(self, messages: Iterable[str] | None = None) -> None:
        taken = self.messages if messages is None else messages
        deliveries = [Delivery(str(next(self._serial)), body) for body in taken]
        assert Collector(self.ledger, self.clock).take(deliveries) == []
        self.messages = []

    def flush(self) -> list[Flushed]:
        """A minute passes, and what is due goes to Mackerel."""
        self.clock.advance(61)
        self.mackerel.received.clear()
        return Flusher(self.ledger, self.api, self.clock, lambda _: 0, f"f{next(self._serial)}").run()

    def calls(self) -> list[str]:
        return [call.method for call in self.mackerel.received]

    def is_silent(self) -> bool:
        org = self.mackerel.org
        return any(covers(org, each, "m", {"shop"}, self.clock()) for each in org.downtimes.values())


@pytest.fixture
def house() -> House:
    return House()


def test_a_downtime_is_opened_and_closed_by_three_and_two_calls_at_most(house: House) -> None:
    house.begins()
    house.collect()
    house.flush()
    assert (house.is_silent(), house.calls()) == (True, ["GET", "POST"])
    house.flush()
    assert house.calls() == []
    house.ends()
    house.collect()
    house.flush()
    assert (house.mackerel.org.downtimes, house.calls()) == ({}, ["GET", "DELETE"])


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("flushed_between", [False, True])
def test_begin_and_end_in_any_order_and_number_leave_nothing_open(
    house: House, *, copies: int, flushed_between: bool
) -> None:
    house.begins()
    house.ends()
    begin, end = house.messages
    for order in set(itertools.permutations([begin, end] * copies)):
        house.__init__()  # type: ignore[misc]  # a new world for each order
        for message in order:
            house.collect([message])
            if flushed_between:
                house.flush()
        house.flush()
        assert house.mackerel.org.downtimes == {}


def test_an_end_without_a_beginning_costs_no_call_and_keeps_a_late_beginning_closed(house: House) -> None:
    house.ends()
    house.collect()
    assert house.flush() == []
    house.begins()
    house.collect()
    assert (house.flush(), house.calls(), house.mackerel.org.downtimes) == ([], [], {})


def test_ten_that_begin_together_share_one_look_at_what_is_there(house: House) -> None:
    for number in range(9):
        house.begins(f"run-{number}")
    house.collect()
    house.flush()
    assert house.calls() == ["GET", *["POST"] * 9]


def test_an_outage_leaves_nothing_open_and_one_that_outlives_the_downtime_costs_no_call(house: House) -> None:
    house.begins("long", lasting=DAY)
    house.begins("short")
    house.collect()
    house.flush()
    house.mackerel.faults.add(Fault("status", status=503, until=NOON + 3 * HOUR))
    house.ends("long")
    house.ends("short")
    house.collect()
    house.flush()
    assert len(house.mackerel.org.downtimes) == 2
    assert [lane.name for lane in state.lanes(house.ledger) if lane.refusal and lane.waiting == 2] == ["downtimes"]
    house.clock.advance(4 * HOUR)
    house.flush()
    assert [each["memo"] for each in house.mackerel.org.downtimes.values()] == [silence.points.marked("short")]
    assert (house.calls(), house.is_silent()) == (["GET", "DELETE"], False)


def test_one_that_nobody_ends_ends_by_itself(house: House) -> None:
    house.begins()
    house.collect()
    house.flush()
    assert house.is_silent()
    house.clock.advance(HOUR)
    assert not house.is_silent()


def test_an_answer_that_was_lost_makes_no_second_one(house: House) -> None:
    house.mackerel.faults.add(Fault("half-closed", times=1, method="POST"))
    house.begins()
    house.collect()
    for _ in range(6):
        house.flush()
    assert len(house.mackerel.org.downtimes) == 1


def test_what_mackerel_refuses_is_set_aside_with_the_reason_and_comes_back(house: House) -> None:
    house.begins(service="nobody")
    house.begins("other")
    house.collect()
    [flushed] = house.flush()
    assert (flushed.delivered, flushed.set_aside) == (1, 1)
    [parked] = state.parked(house.ledger)
    assert parked.lane == "downtimes"
    assert "Mackerel refuses the downtime 'cut-over': HTTP 400" in parked.reason
    house.api.call("POST", "/services", {"name": "nobody"})
    assert state.redrive(house.ledger) == 1
    house.flush()
    assert len(house.mackerel.org.downtimes) == 2


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_refusal_to_list_or_to_delete_is_never_taken_for_success(house: House, method: str) -> None:
    house.begins()
    house.collect()
    house.flush()
    house.ends()
    house.collect()
    house.mackerel.faults.add(Fault("status", status=400, method=method, times=1))
    house.flush()
    [parked] = state.parked(house.ledger)
    assert "HTTP 400" in parked.reason
    assert len(house.mackerel.org.downtimes) == 1
    state.redrive(house.ledger)
    house.flush()
    assert house.mackerel.org.downtimes == {}


def test_an_end_that_comes_while_it_is_being_opened_closes_it_in_the_same_turn(house: House) -> None:
    house.begins()
    house.collect()
    end = packed(messages_end())
    plain = house.api

    class Interrupted:
        def call(self, method: str, path: str, body: object = None) -> object:
            answer = plain.call(method, path, body)
            if method == "POST":
                house.collect([end])
            return answer

    house.api = Interrupted()  # type: ignore[assignment]
    house.flush()
    assert (house.calls(), house.mackerel.org.downtimes) == (["GET", "POST", "DELETE"], {})


def messages_end() -> object:
    writer = Writer(service="shop", origin="o", clock=lambda: NOON)
    writer.downtime_ends(marker=RUN)
    return writer.taken()


def test_the_first_beginning_counts_and_the_record_outlives_every_copy_of_a_message(house: House) -> None:
    house.begins(lasting=20 * DAY)
    house.begins(lasting=HOUR)
    house.collect()
    key = places.downtime(RUN)
    record = house.ledger.read([key])[key]
    assert record.body["downtime"]["last"] == NOON + 20 * DAY
    assert record.expires_at == NOON + 20 * DAY + places.KEPT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": ""}, "its name is text"),
        ({"service": "no service"}, "no service name"),
        ({"last": NOON}, "ends .* after it begins"),
        ({"last": NOON - 1}, "ends .* after it begins"),
        ({"last": NOON + 31 * DAY + 1}, "within 31 days"),
        ({"first": NOON * 1000}, "milliseconds"),
        ({"first": NOON + DAY}, "in the future"),
        ({"marker": ""}, "marker is text of 1 to 800"),
        ({"marker": "x" * 801}, "marker is text of 1 to 800"),
    ],
)
def test_what_could_not_be_opened_or_would_not_end_is_refused_where_it_is_said(
    house: House, change: dict[str, object], reason: str
) -> None:
    said = {"name": "cut-over", "marker": RUN, "first": NOON, "last": NOON + HOUR} | change
    with pytest.raises(InvalidRequest, match=reason):
        house.metrics().downtime_begins(**said)  # type: ignore[arg-type]


def test_they_travel_in_messages_as_they_were_said(house: House) -> None:
    house.begins()
    house.ends()
    said = [each for message in house.messages for each in unpacked(message, NOON).downtimes]
    assert said == [Downtime("shop", RUN, "cut-over", NOON, NOON + HOUR), Ended(RUN, NOON)]


@pytest.mark.parametrize("entry", [{}, {"marker": 7, "ended": NOON}, {"marker": "m", "ended": "now"}, "text", None])
def test_what_is_no_downtime_is_set_aside_and_blocks_nothing(entry: object) -> None:
    import json

    parcel = unpacked(json.dumps({"schema": "kuroshio.outbox/1", "downtimes": [entry]}), NOON)
    assert (parcel.downtimes, len(parcel.refused)) == ((), 1)
