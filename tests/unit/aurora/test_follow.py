"""How a clone follows, judged by positions."""

from typing import Any

import pytest

from kuroshio.aurora.follow import Observation, State, Work, distance, judge, observe, remembering
from kuroshio.aurora.position import Position
from kuroshio.aurora.request import ErrorPolicy
from kuroshio.aurora.trouble import Trouble, may_skip

IDLE = Work()
LOGS = {"b.000001": 1_000, "b.000002": 5_000, "b.000003": 700}


def at(file: int, offset: int) -> Position:
    return Position(f"b.{file:06}", offset)


def status(**changes: Any) -> dict[str, Any]:
    return {
        "Replica_IO_Running": "Yes",
        "Replica_SQL_Running": "Yes",
        "Relay_Source_Log_File": "b.000001",
        "Exec_Source_Log_Pos": 400,
        "Source_Log_File": "b.000003",
        "Read_Source_Log_Pos": 700,
        "Last_IO_Errno": 0,
        "Last_SQL_Errno": 0,
        "Seconds_Behind_Source": 0,
    } | changes


def seen(seconds: float, done: int, written: int, work: Work = IDLE, **changes: Any) -> Observation:
    logs = {"b.000001": written}
    return observe(status(Exec_Source_Log_Pos=done, **changes), at(1, written), logs, at=seconds, work=work)


def test_the_distance_goes_over_files() -> None:
    assert distance(at(1, 400), at(3, 700), LOGS) == 600 + 5_000 + 700
    assert distance(at(2, 4_000), at(2, 4_500), LOGS) == 500
    assert distance(at(3, 700), at(3, 700), LOGS) == 0
    assert distance(at(3, 700), at(2, 9_999), LOGS) == 0


def test_no_seconds_behind_are_no_proof_of_having_caught_up() -> None:
    judgement = judge([observe(status(), at(3, 700), LOGS, at=0.0)])
    assert (judgement.state, judgement.behind) == (State.FOLLOWING, 6_300)


def test_it_has_caught_up_when_it_did_what_was_written_at_the_look_before() -> None:
    assert judge([seen(0, 100, 500), seen(10, 500, 900)]).state is State.CAUGHT_UP
    assert judge([seen(0, 100, 500), seen(10, 499, 500)]).state is State.FOLLOWING


def test_one_look_is_not_enough_to_have_caught_up() -> None:
    assert judge([seen(0, 500, 500)]).state is State.FOLLOWING


def test_the_time_to_go_comes_from_both_paces() -> None:
    judgement = judge([seen(0, 0, 10_000), seen(10, 3_000, 11_000)])
    assert (judgement.applied_per_s, judgement.written_per_s) == (300, 100)
    assert judgement.ready_in_s == pytest.approx(8_000 / 200)


def test_a_source_that_writes_faster_is_never_caught_up_with() -> None:
    assert judge([seen(0, 0, 10_000), seen(10, 100, 12_000)]).ready_in_s is None


def test_it_stalls_when_it_does_nothing_for_long_while_something_waits() -> None:
    looks = [seen(60 * minute, 400, 900 + minute) for minute in range(11)]
    assert judge(looks).state is State.STALLED
    assert judge(looks[:5]).state is State.FOLLOWING


def test_a_quiet_source_is_no_stall() -> None:
    assert judge([seen(60 * minute, 900, 900) for minute in range(30)]).state is State.CAUGHT_UP


def test_a_stall_ends_when_something_was_done() -> None:
    looks = [seen(60 * minute, 400, 5_000) for minute in range(11)]
    assert judge([*looks, seen(700, 401, 5_000)]).state is State.FOLLOWING


def test_a_large_transaction_is_no_stall_while_it_changes_rows() -> None:
    looks = [seen(60 * minute, 400, 10**9, Work(rows=10_000 * minute)) for minute in range(60)]
    assert judge(looks).state is State.FOLLOWING
    assert "590,000 rows" in judge(looks).reason
    stuck = [seen(3600 + 60 * minute, 400, 10**9, Work(rows=590_000, doing="updating")) for minute in range(11)]
    assert judge([*looks, *stuck]).state is State.STALLED
    assert "'updating'" in judge([*looks, *stuck]).reason


def test_a_transaction_that_begins_again_and_again_is_a_stall() -> None:
    looks = [seen(60 * minute, 400, 10**9, Work(rows=minute % 3)) for minute in range(13)]
    assert judge(looks).state is State.STALLED


def test_a_lock_that_is_known_is_told_of_after_a_minute() -> None:
    blocked = Work(rows=5, blocked="connection 7 (app@10.0.0.9)")
    looks = [seen(20 * look, 400, 900, blocked) for look in range(4)]
    assert judge(looks[:3]).state is State.FOLLOWING
    assert judge(looks).state is State.STALLED
    assert "connection 7" in judge(looks).reason


def test_a_slow_link_is_no_stall_and_one_that_brings_nothing_is() -> None:
    slow = [seen(60 * minute, 400, 9_000, Read_Source_Log_Pos=400 + minute) for minute in range(30)]
    assert judge(slow).state is State.FOLLOWING
    mute = [seen(1_800 + 60 * minute, 400, 9_000, Read_Source_Log_Pos=429) for minute in range(11)]
    assert judge([*slow, *mute]).state is State.STALLED


def test_a_change_of_a_definition_may_take_hours_but_not_a_day() -> None:
    looks = [seen(3_600 * hour, 400, 9_000, Work(doing="altering table", defining=True)) for hour in range(8)]
    assert judge(looks[:6]).state is State.FOLLOWING
    assert judge(looks).state is State.STALLED


def test_what_an_earlier_look_remembers_counts_where_older_ones_are_gone() -> None:
    looks = [seen(60 * minute, 400, 900) for minute in range(11)]
    kept = remembering(looks)[-2:]
    assert judge(kept).state is State.STALLED


@pytest.mark.parametrize(
    ("changes", "state", "said"),
    [
        ({"Replica_SQL_Running": "No", "Last_SQL_Errno": 1062, "Last_SQL_Error": "Duplicate entry"}, State.BROKEN, "Duplicate entry"),
        ({"Replica_IO_Running": "No", "Last_IO_Errno": 1236, "Last_IO_Error": "first log file"}, State.BROKEN, "purged"),
        ({"Replica_IO_Running": "Connecting", "Last_IO_Errno": 1045, "Last_IO_Error": "denied"}, State.BROKEN, "secret"),
        ({"Replica_IO_Running": "Connecting", "Last_IO_Errno": 2061, "Last_IO_Error": "secure"}, State.BROKEN, "refuses"),
        ({"Replica_IO_Running": "Connecting", "Last_IO_Errno": 2003, "Last_IO_Error": "no route"}, State.RECONNECTING, "no route"),
        ({"Replica_IO_Running": "No", "Last_IO_Errno": 2003, "Last_IO_Error": "no route"}, State.BROKEN, "given up"),
        ({"Replica_IO_Running": "No"}, State.STOPPED, "no longer fetches"),
        ({"Replica_SQL_Running": "No"}, State.STOPPED, "no longer applies"),
        ({"Replica_IO_Running": "No", "Replica_SQL_Running": "No"}, State.STOPPED, "fetches nor applies"),
    ],
)  # fmt: skip
def test_what_stands_still_is_told_by_its_reason(changes: dict[str, Any], state: State, said: str) -> None:
    judgement = judge([seen(0, 100, 500, **changes)])
    assert judgement.state is state
    assert said in judgement.reason


def test_who_follows_nobody_is_detached() -> None:
    assert judge([observe(None, at(1, 4), LOGS, at=0.0)]).state is State.DETACHED


DUPLICATE = Trouble(1062, "Duplicate entry", of_apply=True)


@pytest.mark.parametrize(
    ("trouble", "policy", "skipped", "may"),
    [
        (DUPLICATE, ErrorPolicy(), 0, False),
        (DUPLICATE, ErrorPolicy("skip", (1062,), 2), 1, True),
        (DUPLICATE, ErrorPolicy("skip", (1062,), 2), 2, False),
        (DUPLICATE, ErrorPolicy("skip", (1032,), 2), 0, False),
        (DUPLICATE, ErrorPolicy("stop", (1062,), 2), 0, False),
        (Trouble(1062, "", of_apply=False), ErrorPolicy("skip", (1062,), 2), 0, False),
    ],
)
def test_an_error_is_skipped_only_where_it_is_named_and_so_often(
    trouble: Trouble, policy: ErrorPolicy, skipped: int, may: bool
) -> None:
    assert may_skip(trouble, policy, skipped) is may


@pytest.mark.parametrize(
    ("number", "message", "damaged"),
    [
        (1593, "Error initializing relay log position: I/O error reading event at position 4", True),
        (1594, "Relay log read failure: Could not parse relay log event entry", True),
        (1593, "Fatal error: Failed to run 'before_apply' hook", False),
        (1062, "Duplicate entry 'relay log'", False),
    ],
)
def test_a_relay_log_that_is_damaged_can_be_fetched_again_and_nothing_else(
    number: int, message: str, damaged: bool
) -> None:
    assert Trouble(number, message, of_apply=True).is_damaged_relay_log is damaged
    assert not Trouble(number, message, of_apply=False).is_damaged_relay_log
