"""One cut-over at a time, decided once, and handed on only when whoever began it is certainly done."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from kuroshio.aurora.attempts import OVER, RETURNED, Attempts
from kuroshio.aurora.cutover import CutOver
from kuroshio.aurora.position import Position
from kuroshio.errors import Outpaced
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

ASKED = {"direction": "over", "run": "run-1", "source": {}, "target": {}}
RECORD = CutOver(Position("b.000001", 4711), Position("c.000009", 4), [("fenced", 0.5)])


class Place:
    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
        self.ledger = InMemoryAuroraLedger()
        self.attempts = Attempts(self.ledger, "copy", lambda: self.at)


@pytest.fixture
def place() -> Place:
    return Place()


def test_two_that_looked_at_the_same_moment_do_not_both_begin(place: Place) -> None:
    place.attempts.begin(60, ASKED, None)
    with pytest.raises(Outpaced, match="since this one looked"):
        place.attempts.begin(60, {**ASKED, "run": "run-2"}, None)


def test_one_that_looked_before_another_began_and_ended_does_not_begin(place: Place) -> None:
    looked = place.attempts.last()
    place.attempts.begin(60, ASKED, None).end(OVER, {})
    with pytest.raises(Outpaced, match="since this one looked"):
        place.attempts.begin(60, {**ASKED, "run": "run-2"}, looked)


def test_a_next_one_begins_only_when_the_last_has_ended(place: Place) -> None:
    first = place.attempts.begin(60, ASKED, None)
    with pytest.raises(Outpaced, match="run-1"):
        place.attempts.begin(60, ASKED, place.attempts.last())
    first.end(RETURNED, {"reason": "too slow"})
    assert place.attempts.begin(60, ASKED, place.attempts.last()).number == 2


def test_a_create_whose_answer_was_lost_and_that_was_sent_again_finds_its_own_record(place: Place) -> None:
    class Repeating(InMemoryAuroraLedger):
        def create(self, clone: str, key: str, document: object) -> bool:
            super().create(clone, key, document)  # type: ignore[arg-type]
            return False

    place.attempts.ledger = Repeating()
    attempt = place.attempts.begin(60, ASKED, None)
    assert attempt.to_open(RECORD)
    assert attempt.end(OVER, {"a": 1}) == {"a": 1, "result": OVER}


def test_it_is_held_until_its_time_is_over_or_its_run_has_left(place: Place) -> None:
    attempt = place.attempts.begin(60, ASKED, None)
    assert attempt.is_held(place.at)
    assert attempt.lease_s(place.at) == 60
    place.at += timedelta(seconds=64)
    assert attempt.is_held(place.at)
    assert attempt.lease_s(place.at) < 0  # the owner stops before the others begin
    place.at += timedelta(seconds=1)
    assert not attempt.is_held(place.at)
    attempt.end(RETURNED, {})
    other = place.attempts.begin(60, ASKED, place.attempts.last())
    other.leave("a server does not answer")
    assert not other.is_held(place.at)


@pytest.mark.parametrize("first", ["open", "return"])
def test_what_was_decided_first_stands_for_everybody(place: Place, first: str) -> None:
    attempt = place.attempts.begin(60, ASKED, None)
    again = place.attempts.last()
    assert again is not None
    if first == "open":
        assert attempt.to_open(RECORD)
        assert not again.to_return()
        assert again.record() == RECORD
    else:
        assert again.to_return()
        assert not attempt.to_open(RECORD)
    assert attempt.to_return() == again.to_return() == (first == "return")


def test_an_end_is_not_written_over(place: Place) -> None:
    attempt = place.attempts.begin(60, ASKED, None)
    assert attempt.ended is None
    assert attempt.end(OVER, {"by": "one"})["by"] == "one"
    assert attempt.end(OVER, {"by": "another"})["by"] == "one"
