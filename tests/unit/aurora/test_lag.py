"""How far a clone was behind: kept in the ledger, read again, told to people and to Mackerel."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from kuroshio.aurora import lag
from kuroshio.aurora.binlog.glance import Waiting
from kuroshio.aurora.figures import OutboxFigures
from kuroshio.aurora.follow import Judgement, Observation, State, Work, judge, remembering
from kuroshio.aurora.lag import Lag
from kuroshio.aurora.position import Position
from kuroshio.errors import ServiceUnavailable
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

NOW = datetime(2026, 11, 21, 10, 59, 59, tzinfo=UTC)


def seen(seconds: float, done: int, written: int) -> Observation:
    return Observation(
        at=NOW.timestamp() + seconds,
        written=Position("b.000001", written),
        done=Position("b.000001", done),
        behind=written - done,
        fetched=Position("b.000001", written),
        work=Work(rows=7),
        fetching=True,
        applying=True,
    )


def noted(looks: list[Observation]) -> InMemoryAuroraLedger:
    ledger = InMemoryAuroraLedger()
    for number, each in enumerate(remembering(looks)):
        document = Lag(each, judge(looks[: number + 1]), Waiting(3, 5, is_counted=True), 1.5).document()
        ledger.note("next", "lag", document, lag.moment(each.at))
    return ledger


def test_a_look_that_was_kept_judges_like_the_one_that_was_made() -> None:
    looks = [seen(-540 + 60 * minute, 100, 900 + minute) for minute in range(10)]
    again = lag.earlier(noted(looks), "next", NOW)
    now = seen(60, 100, 1_000)
    assert judge([*again, now]) == judge([*looks, now])
    assert judge([*again, now]).state is State.STALLED


def test_looks_of_the_last_ten_minutes_and_more_are_found_over_the_hour_and_the_day() -> None:
    for at in (NOW, NOW + timedelta(seconds=1), datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC) + timedelta(seconds=2)):
        ledger = InMemoryAuroraLedger()
        for minutes in (25, 9, 4):
            each = seen(0, 1, 2)
            document = Lag(each, judge([each])).document()
            ledger.note("next", "lag", document, at - timedelta(minutes=minutes))
        assert len(lag.earlier(ledger, "next", at)) in {2, 3}
        assert lag.last(ledger, "next", at) is not None


def test_what_is_older_is_no_pace_but_remembered() -> None:
    ledger = noted([seen(-7_200, 1, 2)])
    assert lag.earlier(ledger, "next", NOW) == []
    assert lag.last(ledger, "next", NOW) is not None
    assert lag.last(ledger, "next", NOW + timedelta(days=3)) is None


@pytest.mark.parametrize(
    ("state", "elapsed_s", "ready_in_s", "wait_s"),
    [
        (State.FOLLOWING, 0, None, 1),
        (State.FOLLOWING, 200, None, 10),
        (State.FOLLOWING, 86_400, None, 60),
        (State.FOLLOWING, 86_400, 7.4, 7),
        (State.FOLLOWING, 86_400, 0.1, 1),
        (State.CAUGHT_UP, 600, 0.0, 1),
        (State.BROKEN, 86_400, None, 1),
    ],
)
def test_the_longer_it_took_the_longer_the_next_look_can_wait(
    state: State, elapsed_s: float, ready_in_s: float | None, wait_s: int
) -> None:
    assert lag.wait_s(state, NOW, NOW + timedelta(seconds=elapsed_s), ready_in_s) == wait_s


def test_what_people_ask_for_is_in_the_record() -> None:
    document = Lag(
        seen(0, 100, 900),
        Judgement(State.FOLLOWING, "so", 800, 10.0, 5.0, 160.0),
        Waiting(4, 9, is_counted=False),
        12.3456,
    ).document()
    assert (
        document | {"behind_bytes": 800, "behind_transactions": 4, "behind_s": 12.346, "ready_in_s": 160.0} == document
    )
    assert (document["state"], document["applied_per_s"]) == ("following", 10.0)


class Queue:
    def __init__(self, *, fails: bool = False) -> None:
        self.sent: list[str] = []
        self._fails = fails

    def send(self, message: str) -> None:
        if self._fails:
            raise ServiceUnavailable("no queue")
        self.sent.append(message)


def test_figures_go_to_the_outbox_by_the_names_of_the_catalogue() -> None:
    queue = Queue()
    OutboxFigures(queue, "kuroshio-dev", NOW.timestamp, pytest.fail).tell(
        "shop-next", "run/1", {"behind_bytes": 5, "following": 1}
    )
    points = json.loads(queue.sent[0])["points"]
    assert {point["name"]: point["value"] for point in points} == {
        "replication.shop-next.behind_bytes": 5.0,
        "replication.shop-next.following": 1.0,
    }
    assert {point["combine"] for point in points} == {"last"}


def test_figures_that_cannot_be_sent_are_complained_of_and_no_error() -> None:
    complaints: list[str] = []
    OutboxFigures(Queue(fails=True), "kuroshio-dev", NOW.timestamp, complaints.append).tell(
        "next", "run/1", {"following": 0}
    )
    assert complaints == ["the figures of next could not be sent: no queue"]
