"""What the functions collect_metrics and flush_metrics do with a batch, with a minute, and with the time that they have."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.outbox_batches import Batches
from kuroshio.adapters.outbox_journal import OutboxJournal
from kuroshio.errors import AccessRefused, ConfigurationMissing, KuroshioError, NotFound, ServiceUnavailable
from kuroshio.mackerel import points, state
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.flush import Flushed, Flusher
from kuroshio.mackerel.flushing import Flushing
from kuroshio.mackerel.messages import Parcel, packed
from kuroshio.mackerel.ports import Answer
from lab.mackerel import Clock, FakeMackerel, Fault
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kuroshio.mackerel.ports import Api, Key, Record
    from kuroshio.mackerel.state import Standing

NOON = 1_790_000_040
EVENTS = Path(__file__).parents[3] / "events/collect_metrics"


class Notes:
    def __init__(self) -> None:
        self.stood: list[Standing] = []
        self.counts: list[tuple[int, int, int]] = []
        self.turns: list[Flushed] = []

    def standing(self, standing: Standing) -> None:
        self.stood.append(standing)

    def flushed(self, flushed: Sequence[Flushed]) -> None:
        self.turns += flushed

    def collected(self, messages: int, returned: int, set_aside: int) -> None:
        self.counts.append((messages, returned, set_aside))


class Room:
    """Collector and flusher as their functions wire them, over a ledger in memory."""

    def __init__(self, api: Api | None = None, ledger: MemoryLedger | None = None) -> None:
        self.clock = Clock(NOON)
        self.mackerel = FakeMackerel(self.clock)
        self.api = InProcessApi(self.mackerel)
        for service in ("shop", "depot", "kuroshio"):
            self.api.call("POST", "/services", {"name": service})
        self.ledger = ledger or MemoryLedger()
        self.notes = Notes()
        self.batches = Batches(Collector(self.ledger, self.clock), self.notes, self.clock)
        flusher = Flusher(self.ledger, api or self.api, self.clock, lambda most: most, "one")
        self.flushing = Flushing(flusher, self.notes)
        self.mackerel.received.clear()

    def take(self, *bodies: str, seconds_left: float = 60) -> list[str]:
        records = [{"messageId": f"m{number}", "body": body} for number, body in enumerate(bodies)]
        answer = self.batches.take({"Records": records}, seconds_left)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def posts(self) -> list[str]:
        return [line.path.split("/")[4] for line in self.mackerel.received if line.method == "POST"]


def message(name: str, key: str = "k", service: str = "shop", count: int = 1) -> str:
    made = [
        points.point(service, f"{name}{number or ''}", 1, at=NOON, now=NOON, combine="sum", key=f"{key}{number}")
        for number in range(count)
    ]
    return packed(Parcel(points=tuple(made)))


class SpoiledLedger(MemoryLedger):
    """Takes nothing whose sort key has a certain word in it."""

    def __init__(self, word: str, error: Exception) -> None:
        super().__init__()
        self._word, self._error = word, error

    def write(self, record: Record) -> Record:
        if self._word in record.key.sk:
            raise self._error
        return super().write(record)

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        return super().read(keys)


class Keyless:
    """Mackerel behind a key that cannot be had."""

    def __init__(self, error: KuroshioError) -> None:
        self._error = error

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        raise self._error


def test_the_sample_events_are_taken_as_lambda_hands_them_over() -> None:
    room = Room()
    for name in ("points", "unreadable"):
        event = json.loads((EVENTS / f"{name}.json").read_text())
        room.clock.stand_at(1_795_233_660)
        assert room.batches.take(event, 60) == {"batchItemFailures": []}
    assert room.notes.counts == [(1, 0, 0), (1, 0, 1)]
    assert [parked.lane for parked in state.parked(room.ledger)] == ["messages"]


@pytest.mark.parametrize("error", [ServiceUnavailable("throttled"), TypeError("a mistake of ours")])
def test_one_message_that_cannot_be_kept_goes_back_alone(error: Exception) -> None:
    room = Room(ledger=SpoiledLedger("poison", error))
    assert room.take(message("a", "1"), message("poison", "2"), message("b", "3")) == ["m1"]
    assert state.lanes(room.ledger)[0].waiting == 2
    assert room.notes.counts == [(3, 1, 0)]


def test_where_nothing_can_be_kept_the_function_fails_by_name() -> None:
    room = Room(ledger=SpoiledLedger("", AccessRefused("the role may not")))
    with pytest.raises(AccessRefused):
        room.take(message("a"), message("b"))


def test_what_time_does_not_suffice_for_goes_back_untouched() -> None:
    room = Room()
    assert room.take(message("a"), seconds_left=19) == ["m0"]
    assert state.lanes(room.ledger) == []


def test_a_large_batch_is_kept_in_portions_and_stops_between_them_in_time() -> None:
    room = Room()
    slow = room.ledger.write

    def write(record: Record) -> Record:
        room.clock.advance(0.02)
        return slow(record)

    room.ledger.write = write  # type: ignore[method-assign]
    bodies = [message(f"n{number}.", f"k{number}.", count=600) for number in range(5)]
    failed = room.take(*bodies, seconds_left=50)
    assert failed == ["m3", "m4"]  # 600 writes of 20 ms are 12 s each; no portion begins after 30
    assert state.lanes(room.ledger)[0].waiting == 1800


def test_the_figures_of_the_outbox_are_told_before_mackerel_is_asked_and_the_outcome_after() -> None:
    room = Room()
    room.mackerel.faults.add(Fault("status", status=503))
    room.take(message("a"))
    room.clock.advance(120)
    assert room.flushing.run(110) == {"lanes": 1, "delivered": 0}
    [first] = room.notes.stood
    assert (first.depth, first.age, first.lanes_parked, first.since_success) == (1, 120, 0, 120)
    assert [turn.refusal.status for turn in room.notes.turns if turn.refusal] == [503]
    room.mackerel.faults.clear()
    room.clock.advance(60)
    assert room.flushing.run(110) == {"lanes": 1, "delivered": 1}
    room.clock.advance(60)
    room.flushing.run(110)
    assert (room.notes.stood[-1].depth, room.notes.stood[-1].since_success) == (0, 60)


@pytest.mark.parametrize(
    ("error", "parked"),
    [
        (ConfigurationMissing("the secret a holds no key"), 1),
        (NotFound("no such secret"), 1),
        (ServiceUnavailable("throttled"), 0),
    ],
)
def test_a_key_that_cannot_be_had_is_a_refusal_that_says_why_and_no_crash(error: KuroshioError, parked: int) -> None:
    room = Room(api=Keyless(error))
    room.take(message("a"))
    assert room.flushing.run(110) == {"lanes": 1, "delivered": 0}
    [lane] = state.lanes(room.ledger)
    assert str(error) in str(lane.refusal)
    room.clock.advance(60)
    room.flushing.run(110)
    assert room.notes.stood[-1].lanes_parked == parked


def test_no_lane_has_its_turn_where_a_request_would_not_end_in_time() -> None:
    room = Room()
    room.take(message("a"))
    assert room.flushing.run(29) == {"lanes": 0, "delivered": 0}
    assert room.posts() == []
    assert room.flushing.run(31) == {"lanes": 1, "delivered": 1}


def test_slow_lanes_do_not_starve_those_behind_them() -> None:
    """Each request takes 20 s here: three fit into a minute's function, and the others are first in the next one."""
    room = Room()
    for number in range(5):
        room.api.call("POST", "/services", {"name": f"service-{number}"})
        room.take(message("a", service=f"service-{number}"))
    room.mackerel.received.clear()
    room.mackerel.faults.add(Fault("slow", seconds=20))
    for _ in range(2):
        room.flushing.run(80)
        room.take(message("a", "again", service="service-0"))
        room.clock.advance(60)
    assert sorted(set(room.posts())) == [f"service-{number}" for number in range(5)]


def test_a_lane_that_broke_is_raised_after_all_others_were_told() -> None:
    room = Room()
    room.take(message("a", service="depot"), message("a", service="shop"))
    whole = room.ledger.scan

    def scan(pk: str, limit: int) -> list[Record]:
        if pk.endswith("due#metrics/depot") and limit < 1000:
            raise AccessRefused("not this one")
        return whole(pk, limit)

    room.ledger.scan = scan  # type: ignore[method-assign]
    with pytest.raises(AccessRefused):
        room.flushing.run(110)
    assert [(turn.lane, turn.delivered) for turn in room.notes.turns] == [("metrics/shop", 1)]


@pytest.fixture
def lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    # Powertools keeps one log handler, and its stream, per service and process.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", str(request.node.name))
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Kuroshio")
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def figures_of(lines: list[dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for line in lines:
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            assert directive["Namespace"] == "Kuroshio"
            assert directive["Dimensions"] == [["service"]]
            told |= {metric["Name"]: (line[metric["Name"]][0], metric["Unit"]) for metric in directive["Metrics"]}
    return told


def test_what_the_outbox_holds_is_written_as_emf(lines: Any) -> None:
    OutboxJournal().standing(state.Standing(depth=7, age=90, lanes_parked=1, since_success=61))
    assert figures_of(lines()) == {
        "OutboxDepth": (7, "Count"),
        "OutboxLanesParked": (1, "Count"),
        "OutboxAgeSeconds": (90, "Seconds"),
        "SecondsSinceLastSuccess": (61, "Seconds"),
    }


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "NoAnswer"),
        (400, "Refusals4xx"),
        (401, "Refusals401"),
        (403, "Refusals403"),
        (404, "Refusals404"),
        (429, "Refusals429"),
        (503, "Refusals5xx"),
    ],
)
def test_each_refusal_is_counted_by_its_class_and_logged_with_its_reason(status: int, name: str, lines: Any) -> None:
    refused = Flushed("metrics/shop", 1, 0, 0, 0, Answer(status, message="because"))
    OutboxJournal().flushed([refused, refused, Flushed("metrics/depot", 1, 3, 2, 1, None)])
    written = lines()
    assert figures_of(written) == {
        "PointsDelivered": (3, "Count"),
        "PointsSetAside": (2, "Count"),
        "PointsLost": (1, "Count"),
        name: (2, "Count"),
    }
    assert ["because" in line["refusal"] for line in written if "refusal" in line] == [True, True]


def test_a_quiet_minute_writes_nothing_that_costs(lines: Any) -> None:
    journal = OutboxJournal()
    journal.flushed([Flushed("metrics/shop", 0, 0, 0, 0, None)])
    journal.collected(0, 0, 0)
    assert figures_of(lines()) == {}
    journal.collected(5, 2, 1)
    assert figures_of(lines()) == {
        "MessagesCollected": (3, "Count"),
        "MessagesReturned": (2, "Count"),
        "PointsSetAside": (1, "Count"),
    }
