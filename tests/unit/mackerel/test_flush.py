"""One turn of the flusher against the fake Mackerel: metrics, annotations, check reports, refusals."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kuroshio.mackerel import points, state
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.flush import Flushed, Flusher
from kuroshio.mackerel.hosting import KeptHost
from kuroshio.mackerel.hosts import CheckHost
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.ports import Answer
from kuroshio.mackerel.turns import Channel, Pace, TurnEnded
from kuroshio.mackerel.verdicts import Verdict, next_time, verdict
from lab.mackerel import Clock, FakeMackerel, Fault, Rules
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

NOON = 1_790_000_040
HOUR = 3600


class Room:
    """A flusher, its ledger and a Mackerel, in a quiet world."""

    def __init__(self) -> None:
        self.clock = Clock(NOON)
        self.mackerel = FakeMackerel(self.clock, Rules(requests_per_minute=50))
        self.api = InProcessApi(self.mackerel)
        self.ledger = MemoryLedger()
        self.collector = Collector(self.ledger, self.clock)
        wanted = {"name": "kuroshio", "meta": {}, "customIdentifier": "kuroshio-dev"}
        self.host: str = self.ask("POST", "/hosts", wanted)["id"]
        for service in ("shop", "kuroshio"):
            self.ask("POST", "/services", {"name": service})
        carrier = KeptHost(self.ledger, CheckHost("kuroshio-dev", "kuroshio-dev"), self.clock)
        self.flusher = Flusher(self.ledger, self.api, self.clock, lambda most: most, "flusher-1", carrier=carrier)
        self.mackerel.received.clear()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self.api.call(method, path, body).document

    def add(self, name: str, value: float, *, key: str, at: int = NOON, service: str = "shop") -> None:
        point = points.point(service, name, value, at=at, now=at, combine="sum", key=key)
        self.collector.keep([Parcel(points=(point,))])

    def annotate(self, title: str = "release", last: int | None = None, marker: str = "execution-1") -> None:
        made = points.annotation("shop", marker, title, first=NOON, last=last, now=self.clock(), description="by CI")
        self.collector.keep([Parcel(annotations=(made,))])

    def check(self, status: str, at: int = NOON) -> None:
        made = points.report("backup", status, "2 of 14 failed", occurred_at=at, now=at)
        self.collector.keep([Parcel(reports=(made,))])

    def turn(self) -> list[Flushed]:
        self.clock.advance(61)
        return self.flusher.run()

    def stored(self, name: str, service: str = "shop") -> list[float]:
        document = self.ask("GET", f"/services/{service}/metrics?name={name}&from=0&to={NOON + 10**6}")
        return [entry["value"] for entry in document.get("metrics", [])]

    def posts(self, path: str = "tsdb") -> list[int]:
        return [line.status for line in self.mackerel.received if line.method == "POST" and line.path.endswith(path)]

    def annotations(self) -> list[dict[str, Any]]:
        return list(self.mackerel.org.annotations.values())


@pytest.fixture
def room() -> Room:
    return Room()


def test_concurrent_writers_are_added_up_and_a_late_one_posts_the_new_total(room: Room) -> None:
    room.add("runs", 1, key="a")
    room.add("runs", 2, key="b")
    room.add("runs", 2, key="b")
    room.turn()
    assert room.stored("runs") == [3]
    room.add("runs", 5, key="c")
    room.turn()
    assert room.stored("runs") == [8]


def test_many_metrics_of_a_service_leave_in_one_request_a_minute(room: Room) -> None:
    for number in range(60):
        room.add(f"metric.{number}", 1, key=f"k{number}")
    room.turn()
    room.add("metric.0", 1, key="more")
    assert room.flusher.run() == []  # not before the next minute
    assert room.posts() == [200]


def test_one_bad_point_is_set_aside_alone_and_comes_back_by_redrive(room: Room) -> None:
    room.mackerel.org.rules.longest_name = 10
    room.add("a.name.that.is.too.long", 1, key="bad")
    for number in range(20):
        room.add(f"good.{number:02d}", 1, key=f"k{number}")
    [flushed] = room.turn()
    assert (flushed.delivered, flushed.set_aside) == (20, 1)
    [parked] = state.parked(room.ledger)
    assert parked.lane == "metrics/shop"
    assert "A metric name is too long." in parked.reason
    room.mackerel.org.rules.longest_name = None
    assert state.redrive(room.ledger) == 1
    room.turn()
    assert room.stored("a.name.that.is.too.long") == [1]
    assert state.parked(room.ledger) == []


def test_a_body_that_is_too_large_is_sent_in_halves(room: Room) -> None:
    room.mackerel.org.rules.most_bytes = 400
    for number in range(12):
        room.add(f"metric.{number:02d}", 1, key=f"k{number}")
    [flushed] = room.turn()
    assert (flushed.delivered, flushed.set_aside) == (12, 0)
    assert set(room.posts()) == {413, 200}


@pytest.mark.parametrize(("status", "says"), [(401, "the key is wrong"), (403, "the key or the address may not")])
def test_a_refused_key_parks_the_lane_says_so_and_loses_nothing(room: Room, status: int, says: str) -> None:
    room.mackerel.faults.add(Fault("status", status=status))
    room.add("runs", 1, key="a")
    room.turn()
    room.turn()
    [lane] = state.lanes(room.ledger)
    assert says in str(lane.refusal)
    assert lane.waiting == 1
    assert room.posts() == [status]  # not every minute
    room.mackerel.faults.clear()
    state.redrive(room.ledger)
    room.turn()
    assert room.stored("runs") == [1]
    assert state.lanes(room.ledger)[0].refusal is None


def test_an_unknown_service_parks_its_own_lane_and_no_other(room: Room) -> None:
    room.add("runs", 1, key="a", service="nobody")
    room.add("runs", 1, key="b")
    room.turn()
    refusals = {lane.name: str(lane.refusal) for lane in state.lanes(room.ledger)}
    assert refusals == {"metrics/nobody": "unknown service or host: Service not found.", "metrics/shop": "None"}
    assert room.stored("runs") == [1]


def test_points_that_mackerel_would_drop_are_counted_and_the_count_is_reported_when_it_is_back(room: Room) -> None:
    room.mackerel.faults.add(Fault("status", status=503, until=NOON + 30 * HOUR))
    for number in range(3):
        room.add("runs", 1, key=f"k{number}", at=NOON + 60 * number)
    for _ in range(31):
        room.clock.advance(HOUR)
        room.turn()
    assert room.stored("runs") == []
    assert sum(room.stored("kuroshio.outbox.lost", "kuroshio")) == 3
    assert room.mackerel.org.dropped == []


def test_a_post_without_an_answer_that_was_processed_is_not_listed_as_lost(room: Room) -> None:
    room.add("runs", 4, key="a")
    room.mackerel.faults.add(Fault("half-closed", times=1))
    room.mackerel.faults.add(Fault("status", status=503, until=NOON + 30 * HOUR))
    for _ in range(31):
        room.clock.advance(HOUR)
        room.turn()
    assert room.stored("runs") == [4]
    assert room.stored("kuroshio.outbox.lost", "kuroshio") == []


def test_an_annotation_is_made_once_and_updated_when_it_ends(room: Room) -> None:
    room.annotate()
    room.turn()
    room.annotate()
    room.turn()
    room.annotate("release of 4f2a9c1", last=NOON + 90)
    room.turn()
    [made] = room.annotations()
    assert (made["title"], made["from"], made["to"]) == ("release of 4f2a9c1", NOON, NOON + 90)
    assert made["description"].startswith("by CI [kuroshio:")


def test_an_annotation_whose_answer_was_lost_is_found_again_and_not_made_twice(room: Room) -> None:
    room.mackerel.faults.add(Fault("half-closed", times=1, path="graph-annotations"))
    room.annotate()
    for _ in range(5):
        room.turn()
    room.annotate(last=NOON + 90)
    room.turn()
    assert [entry["to"] for entry in room.annotations()] == [NOON + 90]


def test_the_end_of_an_annotation_may_arrive_before_its_beginning(room: Room) -> None:
    room.annotate("ended", last=NOON + 90)
    room.annotate("begun")
    room.turn()
    assert [(entry["title"], entry["to"]) for entry in room.annotations()] == [("ended", NOON + 90)]


def test_an_annotation_that_somebody_deleted_is_made_again(room: Room) -> None:
    room.annotate()
    room.turn()
    room.mackerel.org.annotations.clear()
    room.annotate(last=NOON + 90)
    room.turn()
    assert [entry["to"] for entry in room.annotations()] == [NOON + 90]


def test_check_reports_arrive_once_and_old_ones_are_counted_as_lost(room: Room) -> None:
    room.check("CRITICAL")
    room.check("CRITICAL")
    room.check("OK", at=NOON - 6 * HOUR)
    [flushed] = room.turn()
    assert (flushed.delivered, flushed.lost) == (1, 1)
    room.check("CRITICAL")
    assert [flushed.requests for flushed in room.turn() if flushed.lane == "reports"] == [0]
    [(host, name, _)] = room.mackerel.org.reports
    assert (host, name) == (room.host, "backup")
    assert room.stored("kuroshio.outbox.lost_reports", "kuroshio") == [1]


def test_without_a_host_reports_wait_and_the_status_says_why(room: Room) -> None:
    room.flusher = replace(room.flusher, carrier=None)
    room.check("OK")
    room.turn()
    assert "no host is configured" in str(state.lanes(room.ledger)[0].refusal)


def test_no_request_begins_that_could_outlive_the_turn(room: Room) -> None:
    pace = Pace(lease=150, request_timeout=20, grace=40)
    channel = Channel(room.api, room.clock, room.clock() + pace.lease, pace)
    room.clock.advance(90)
    assert channel.call("GET", "/org").status == 200
    room.clock.advance(1)
    with pytest.raises(TurnEnded):
        channel.call("GET", "/org")
    assert channel.requests == 1


def test_a_turn_has_so_many_requests(room: Room) -> None:
    pace = Pace(requests_per_turn=2)
    channel = Channel(room.api, room.clock, room.clock() + pace.lease, pace)
    for _ in range(2):
        channel.call("GET", "/org")
    with pytest.raises(TurnEnded) as ended:
        channel.call("GET", "/org")
    assert ended.value.outcome is Verdict.DELIVERED


def test_a_turn_that_another_holds_is_left_to_it(room: Room) -> None:
    room.add("runs", 1, key="a")
    room.mackerel.faults.add(Fault("half-closed", times=1))
    room.turn()  # its lease outlives it: the request may still be on its way
    assert room.flusher.run() == []
    room.clock.advance(149)
    assert room.flusher.run() == []
    room.clock.advance(1)
    assert [flushed.delivered for flushed in room.flusher.run()] == [1]


@pytest.mark.parametrize(
    ("status", "means"),
    [
        (0, Verdict.RETRY),
        (302, Verdict.RETRY),
        (408, Verdict.RETRY),
        (500, Verdict.RETRY),
        (503, Verdict.RETRY),
        (429, Verdict.SLOW_DOWN),
        (401, Verdict.PARK),
        (403, Verdict.PARK),
        (404, Verdict.PARK),
        (400, Verdict.SPLIT),
        (413, Verdict.SPLIT),
        (422, Verdict.SPLIT),
    ],
)
def test_what_an_answer_means(status: int, means: Verdict) -> None:
    assert verdict(Answer(status)) is means


def test_a_200_counts_only_with_an_answer_of_mackerels_form() -> None:
    assert verdict(Answer(200, {"success": True})) is Verdict.DELIVERED
    assert verdict(Answer(200, None, "a page that says: under maintenance")) is Verdict.RETRY


def test_a_flood_of_points_that_mackerel_refuses_does_not_hold_up_the_others(room: Room) -> None:
    room.mackerel.org.rules.longest_name = 10
    for minute in range(12):
        for number in range(12):
            room.add(f"too.long.a.name.{number}", 1, key=f"b{minute}-{number}", at=NOON - 600 + 60 * minute)
    room.clock.advance(600)
    for minute in range(40):
        room.add("good", 1, key=f"g{minute}", at=NOON + 60 * minute)
        room.turn()
    assert len(room.stored("good")) == 40
    assert len(state.parked(room.ledger)) == 144
    assert len(room.posts()) < 300


def test_a_failure_in_one_lane_is_raised_after_all_others_had_their_turn(room: Room) -> None:
    class Broken(InProcessApi):
        def call(self, method: str, path: str, body: Any = None) -> Answer:
            if "depot" in path:
                raise ZeroDivisionError
            return super().call(method, path, body)

    room.add("runs", 1, key="a", service="depot")
    room.add("runs", 1, key="b")
    room.flusher = replace(room.flusher, api=Broken(room.mackerel))
    with pytest.raises(ZeroDivisionError):
        room.turn()
    assert room.stored("runs") == [1]


def test_waits_grow_with_full_jitter_up_to_five_minutes_and_obey_retry_after() -> None:
    def wait(outcome: Verdict, attempts: int, share: float, retry_after: float | None = None) -> float:
        jitter = lambda most: most * share  # noqa: E731
        return next_time(outcome, attempts=attempts, now=NOON, retry_after=retry_after, jitter=jitter) - NOON

    assert [wait(Verdict.RETRY, attempts, 1.0) for attempts in (1, 2, 3, 9, 99)] == [30, 60, 120, 300, 300]
    assert wait(Verdict.RETRY, 9, 0.0) == 0
    assert wait(Verdict.SLOW_DOWN, 1, 0.0) == (NOON // 60 + 1) * 60 - NOON
    assert wait(Verdict.SLOW_DOWN, 1, 0.0, retry_after=500) == 500
    assert 300 <= wait(Verdict.PARK, 1, 0.5) <= 600
