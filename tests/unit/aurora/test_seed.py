"""Where a clone begins in its source's binlog, and every way in which that may be told wrongly."""

from datetime import UTC, datetime, timedelta

import pytest

from kuroshio.aurora import seed
from kuroshio.aurora.cluster import Event
from kuroshio.aurora.position import Position
from kuroshio.aurora.seed import Seed
from kuroshio.errors import SeedRefused

CREATED = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
POSITION = Position("mysql-bin-changelog.000007", 4711)
LOGS = {"mysql-bin-changelog.000006": 100, "mysql-bin-changelog.000007": 4711}


def event(
    minutes: float, text: str = f"Binlog position from crash recovery is {POSITION.file} 4711", source: str = "c"
) -> Event:
    return Event(source, CREATED + timedelta(minutes=minutes), text)


def recovered(minutes: float, offset: int) -> Event:
    return event(minutes, f"Binlog position from crash recovery is {POSITION.file} {offset}")


def test_the_event_tells_it_among_others() -> None:
    events = [event(1, "DB instance created"), event(3), event(4, "DB instance restarted")]
    assert seed.told(events, "c", CREATED) == Seed(POSITION, CREATED + timedelta(minutes=3), events[1].message)


@pytest.mark.parametrize("text", ["Binlog position from crash recovery is mysql-bin-changelog.000007 4711.", "  Binlog position from crash recovery is mysql-bin-changelog.000007 4711\n"])  # fmt: skip
def test_a_full_stop_and_blanks_do_no_harm(text: str) -> None:
    found = seed.told([event(1, text)], "c", CREATED)
    assert found is not None
    assert found.position == POSITION


@pytest.mark.parametrize("text", ["Binlog position", "Binlog position from crash recovery is x 12", "binlog position from crash recovery is mysql-bin-changelog.000007 4711 or so"])  # fmt: skip
def test_a_text_that_is_nearly_it_is_none(text: str) -> None:
    assert seed.told([event(1, text)], "c", CREATED) is None


def test_an_event_of_another_instance_is_none_of_ours() -> None:
    assert seed.told([event(1, source="other")], "c", CREATED) is None


def test_the_earliest_counts_and_the_same_told_twice_is_one() -> None:
    found = seed.told([event(5), event(2)], "c", CREATED)
    assert found is not None
    assert found.told_at == CREATED + timedelta(minutes=2)


def test_two_positions_before_one_was_kept_are_refused() -> None:
    with pytest.raises(SeedRefused, match=r"000007:4711 and later of .*:154"):
        seed.told([event(2), recovered(9, 154)], "c", CREATED)


def test_a_position_of_an_earlier_instance_of_the_name_is_refused() -> None:
    with pytest.raises(SeedRefused, match="before c was made"):
        seed.told([event(-60)], "c", CREATED)


def test_one_of_an_earlier_instance_does_not_hide_ours() -> None:
    found = seed.told([recovered(-60, 154), event(2)], "c", CREATED)
    assert found is not None
    assert found.position == POSITION


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([], "no event at all"),
        (["DB instance created"], "1 other events"),
        (["Binlog coordinates in green environment after switchover: file b.000003 and position 4"], "blue/green"),
    ],
)
def test_silence_is_refused_with_what_is_known(messages: list[str], said: str) -> None:
    assert said in str(seed.never_told("c", 900, messages))


def test_a_possible_position_passes() -> None:
    seed.check(Seed(POSITION, CREATED, ""), LOGS, log_bin=True, enhanced=False)


@pytest.mark.parametrize(
    ("position", "options", "said"),
    [
        (POSITION, {"log_bin": False}, "writes no binlog"),
        (POSITION, {"enhanced": True}, "enhanced binlog"),
        (Position("mysql-bin-changelog.000005", 4), {}, "no mysql-bin-changelog.000005 any more"),
        (Position("mysql-bin-changelog.000007", 4712), {}, "beyond the end"),
    ],
)
def test_an_impossible_position_is_refused(position: Position, options: dict[str, bool], said: str) -> None:
    with pytest.raises(SeedRefused, match=said):
        seed.check(Seed(position, CREATED, ""), LOGS, **({"log_bin": True, "enhanced": False} | options))


def test_what_the_ledger_keeps_reads_as_it_was() -> None:
    kept = Seed(POSITION, CREATED, "Binlog position from …")
    assert Seed.parse(kept.document()) == kept
