"""How a clone follows: judged by positions, never by the seconds that a server says it is behind.

``Seconds_Behind_Source`` is 0 while hundreds of transactions are still to come, whenever the replica has done all that it
*fetched*. So lag is counted in bytes of the source's binlog between what the clone has done and what the source has
written, and time is predicted from how fast the two move.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kuroshio.aurora.request import ErrorPolicy

# The source cannot be reached, or went away: the replica connects again by itself. After SOURCE_RETRY_COUNT attempts,
# 10 by default since MySQL 8.4, it gives up for good, and only its IO thread's "No" tells.
_RECONNECTING = frozenset({2002, 2003, 2005, 2006, 2013, 1158, 1159, 1160, 1161})
_REFUSED_LOGIN = frozenset({1044, 1045, 2026, 2061})
_LOST_LOG = frozenset({1236, 13114})
_STALLED_AFTER_S = 600


class State(StrEnum):
    """What a person has to know first."""

    CAUGHT_UP = "caught-up"  # done with all that the source had written when it was looked at before
    FOLLOWING = "following"
    RECONNECTING = "reconnecting"  # by itself; nothing to do yet
    STALLED = "stalled"  # it runs, and does nothing while the source goes on
    STOPPED = "stopped"  # somebody stopped it
    BROKEN = "broken"  # an error that it does not get over alone
    DETACHED = "detached"  # it follows nobody


@dataclass(frozen=True)
class Trouble:
    """An error of replication: its number, and MySQL's words. ``of_apply``: of the SQL thread, not of the connection."""

    number: int
    message: str
    of_apply: bool


@dataclass(frozen=True)
class Observation:
    """Both servers at one time, in seconds since the epoch. ``behind``: bytes of binlog that are still to be done."""

    at: float
    written: Position  # by the source
    done: Position | None  # by the clone; None where it follows nobody
    behind: int
    fetching: bool = False
    applying: bool = False
    connecting: bool = False
    trouble: Trouble | None = None
    claimed_seconds: int | None = None  # what the server says; shown beside ours, and decides nothing


def observe(status: Mapping[str, Any] | None, written: Position, logs: Mapping[str, int], *, at: float) -> Observation:
    """Read a replica's status (``dialect.normalised``) beside its source's position and the sizes of its files."""
    if status is None:
        return Observation(at, written, None, 0)
    file = str(status.get("Relay_Source_Log_File") or "")
    done = Position(file, int(status["Exec_Source_Log_Pos"])) if file else None
    fetching = str(status.get("Replica_IO_Running"))
    return Observation(
        at=at,
        written=written,
        done=done,
        behind=0 if done is None else distance(done, written, logs),
        fetching=fetching == "Yes",
        applying=str(status.get("Replica_SQL_Running")) == "Yes",
        connecting=fetching == "Connecting",
        trouble=_trouble(status),
        claimed_seconds=status.get("Seconds_Behind_Source"),
    )


def distance(done: Position, written: Position, logs: Mapping[str, int]) -> int:
    """Bytes of binlog from one position to a later one; 0 where it is not later. Files in between count whole."""
    if done >= written:
        return 0
    if done.number == written.number:
        return written.offset - done.offset
    sizes = {Position(file, 0).number: size for file, size in logs.items()}
    rest = max(sizes.get(done.number, done.offset) - done.offset, 0)
    between = sum(size for number, size in sizes.items() if done.number < number < written.number)
    return rest + between + written.offset


@dataclass(frozen=True)
class Judgement:
    """``ready_in_s``: when it will have caught up at this pace; None where it will not, or nothing is known yet."""

    state: State
    reason: str
    behind: int
    applied_per_s: float | None = None  # bytes of binlog
    written_per_s: float | None = None
    ready_in_s: float | None = None


def judge(seen: Sequence[Observation]) -> Judgement:
    """Judge by the last observations, oldest first, at least one."""
    now = seen[-1]
    state, reason = _state(seen)
    applied, written = _rates(seen)
    gain = None if applied is None or written is None else applied - written
    ready = now.behind / gain if gain is not None and gain > 0 and now.behind else None
    return Judgement(state, reason, now.behind, applied, written, 0.0 if state is State.CAUGHT_UP else ready)


def _state(seen: Sequence[Observation]) -> tuple[State, str]:
    now = seen[-1]
    standing = _standing(now)
    if standing is not None:
        return standing
    still = _still_for(seen)
    if still >= _STALLED_AFTER_S:
        waiting = f"{now.behind:,} bytes wait: a long transaction, or a lock"
        return State.STALLED, f"it has done nothing for {still:.0f} s while {waiting}"
    if len(seen) > 1 and now.done is not None and now.done >= seen[-2].written:
        return State.CAUGHT_UP, f"it has done all that the source had written {now.at - seen[-2].at:.0f} s ago"
    return State.FOLLOWING, f"{now.behind:,} bytes of binlog behind"


def _standing(now: Observation) -> tuple[State, str] | None:
    """Why it does not follow at this moment; None where it does."""
    if now.done is None:
        return State.DETACHED, "it follows nobody: the source was never set, or was reset"
    if now.trouble is not None and not _passes(now):
        return State.BROKEN, _explained(now.trouble)
    fetches = now.fetching or now.connecting
    if not now.applying or not fetches:
        halves = [name for name, runs in (("fetches", fetches), ("applies", now.applying)) if not runs]
        return State.STOPPED, f"it no longer {' nor '.join(halves)}, and no error says why: somebody stopped it"
    if now.connecting:
        return State.RECONNECTING, now.trouble.message if now.trouble else "it connects to its source"
    return None


def _passes(now: Observation) -> bool:
    return (
        now.trouble is not None and not now.trouble.of_apply and now.trouble.number in _RECONNECTING and now.connecting
    )


def _still_for(seen: Sequence[Observation]) -> float:
    """Seconds for which it has done nothing although something was to be done."""
    now = seen[-1]
    since = now.at
    for earlier in reversed(seen):
        if earlier.done != now.done or not earlier.behind:
            break
        since = earlier.at
    return now.at - since if now.behind else 0.0


def _rates(seen: Sequence[Observation]) -> tuple[float | None, float | None]:
    """Bytes per second that the clone did and the source wrote, from the first observation to the last.

    Only what lies behind and the source's own steps are known, so what was done is what was written less the growth of
    what lies behind.
    """
    span = seen[-1].at - seen[0].at
    if span <= 0 or any(each.done is None for each in seen):
        return None, None
    written = sum(_step(before.written, after.written) for before, after in pairwise(seen))
    return (written - (seen[-1].behind - seen[0].behind)) / span, written / span


def _step(before: Position, after: Position) -> int:
    # Over a rotation the rest of the old file is not known here; what is in the new one is.
    return after.offset - before.offset if after.number == before.number else after.offset


def _trouble(status: Mapping[str, Any]) -> Trouble | None:
    for number, text, of_apply in (
        ("Last_SQL_Errno", "Last_SQL_Error", True),
        ("Last_IO_Errno", "Last_IO_Error", False),
    ):
        if int(status.get(number) or 0):
            return Trouble(int(status[number]), str(status.get(text) or ""), of_apply)
    return None


def _explained(trouble: Trouble) -> str:
    if trouble.of_apply:
        return f"a change cannot be applied ({trouble.number}): {trouble.message}"
    if trouble.number in _LOST_LOG:
        return (
            f"the source does not have the binlog that comes next ({trouble.number}): {trouble.message}. It was purged, or the "
            "source failed over; what is missing cannot be had from it"
        )
    if trouble.number in _REFUSED_LOGIN:
        return (
            f"the source refuses the replication account ({trouble.number}): {trouble.message}. Was its secret changed?"
        )
    return f"it does not reach its source any more and has given up ({trouble.number}): {trouble.message}"


def may_skip(trouble: Trouble, policy: ErrorPolicy, skipped: int) -> bool:
    """Whether the policy lets this error pass. Each skip loses a whole transaction, so it is counted and verified."""
    return policy.policy == "skip" and trouble.of_apply and trouble.number in policy.numbers and skipped < policy.most
