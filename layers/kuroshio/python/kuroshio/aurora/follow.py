"""How a clone follows: judged by positions, never by the seconds that a server says it is behind.

``Seconds_Behind_Source`` is 0 while hundreds of transactions are still to come, whenever the replica has done all that it
*fetched*. So lag is counted in bytes of the source's binlog between what the clone has done and what the source has
written, and time is predicted from how fast the two move.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position
from kuroshio.aurora.trouble import Trouble, found

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_STALLED_AFTER_S = 600
_BLOCKED_AFTER_S = 60  # a lock is known to be in the way: nothing is gained by waiting for the rest of the time
_DEFINING_AFTER_S = (
    6 * 3_600
)  # a change of a table's definition shows no progress, and takes hours where tables are large


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
class Work:
    """What the clone applies at a moment. A large transaction moves no position until it is done; its rows move."""

    rows: int | None = None  # changed so far by the transactions that it has open; None where it has none
    doing: str = ""  # the server's words
    blocked: str = ""  # who holds the lock that it waits for; empty where it waits for none
    defining: bool = False  # a statement that changes a table's definition


@dataclass(frozen=True)
class Observation:
    """Both servers at one time, in seconds since the epoch. ``behind``: bytes of binlog that are still to be done."""

    at: float
    written: Position  # by the source
    done: Position | None  # by the clone; None where it follows nobody
    behind: int
    fetched: Position | None = None
    work: Work = Work()
    fetching: bool = False
    applying: bool = False
    connecting: bool = False
    trouble: Trouble | None = None
    claimed_seconds: int | None = None  # what the server says; shown beside ours, and decides nothing
    still_since: float | None = None  # when it was last seen to do something, and
    away_since: float | None = None  # the source did not answer, so that ``written`` is of an earlier look
    reached: int = 0  # the most rows that it had changed since, so that a transaction that begins again is no progress


def observe(
    status: Mapping[str, Any] | None, written: Position, logs: Mapping[str, int], *, at: float, work: Work = Work()
) -> Observation:
    """Read a replica's status (``dialect.normalised``) beside its source's position and the sizes of its files."""
    if status is None:
        return Observation(at, written, None, 0)
    file = str(status.get("Relay_Source_Log_File") or "")
    done = Position(file, int(status["Exec_Source_Log_Pos"])) if file else None
    ahead = str(status.get("Source_Log_File") or "")
    fetching = str(status.get("Replica_IO_Running"))
    return Observation(
        at=at,
        written=written,
        done=done,
        behind=0 if done is None else distance(done, written, logs),
        fetched=Position(ahead, int(status.get("Read_Source_Log_Pos") or 0)) if ahead else None,
        work=work,
        fetching=fetching == "Yes",
        applying=str(status.get("Replica_SQL_Running")) == "Yes",
        connecting=fetching == "Connecting",
        trouble=found(status),
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
    seen = remembering(seen)
    now = seen[-1]
    state, reason = _state(seen)
    applied, written = _rates(seen)
    gain = None if applied is None or written is None else applied - written
    ready = now.behind / gain if gain is not None and gain > 0 and now.behind else None
    return Judgement(state, reason, now.behind, applied, written, 0.0 if state is State.CAUGHT_UP else ready)


def remembering(seen: Sequence[Observation]) -> list[Observation]:
    """The same, each with since when nothing was done. An earlier one that remembers that hands it on."""
    first = seen[0] if seen[0].still_since is not None else _moved(seen[0])
    return list(accumulate(seen[1:], _remembered, initial=first))


def _remembered(before: Observation, now: Observation) -> Observation:
    rows = now.work.rows or 0
    if not now.behind or now.done != before.done or rows > before.reached:
        return _moved(now)
    # Between transactions it may wait for the rest of the log, on a slow link; inside one that says nothing.
    if now.fetched != before.fetched and now.work.rows is None and not now.work.blocked:
        return _moved(now)
    return replace(now, still_since=before.still_since, reached=before.reached)


def _moved(now: Observation) -> Observation:
    return replace(now, still_since=now.at, reached=now.work.rows or 0)


def _state(seen: Sequence[Observation]) -> tuple[State, str]:
    now = seen[-1]
    standing = _standing(now)
    if standing is not None:
        return standing
    stalled = _stalled(now)
    if stalled:
        return State.STALLED, stalled
    if len(seen) > 1 and now.done is not None and now.done >= seen[-2].written:
        return State.CAUGHT_UP, f"it has done all that the source had written {now.at - seen[-2].at:.0f} s ago"
    reason = f"{now.behind:,} bytes of binlog behind"
    if now.behind and now.work.rows:
        reason += f", in a transaction of which it has changed {now.work.rows:,} rows"
    return State.FOLLOWING, reason


def _standing(now: Observation) -> tuple[State, str] | None:
    """Why it does not follow at this moment; None where it does."""
    if now.done is None:
        return State.DETACHED, "it follows nobody: the source was never set, or was reset"
    if now.trouble is not None and not (now.trouble.is_unreached and now.connecting):
        return State.BROKEN, now.trouble.words
    fetches = now.fetching or now.connecting
    if not now.applying or not fetches:
        halves = [name for name, runs in (("fetches", fetches), ("applies", now.applying)) if not runs]
        return State.STOPPED, f"it no longer {' nor '.join(halves)}, and no error says why: somebody stopped it"
    if now.connecting:
        return State.RECONNECTING, now.trouble.message if now.trouble else "it connects to its source"
    return None


def _stalled(now: Observation) -> str:
    """Why it gets nowhere although something is to be done; empty where it does."""
    still = now.at - (now.at if now.still_since is None else now.still_since)
    waiting = f"{now.behind:,} bytes wait"
    if now.work.blocked:
        if still < _BLOCKED_AFTER_S:
            return ""
        return f"it has waited for a lock for {still:.0f} s while {waiting}: {now.work.blocked}"
    if still < (_DEFINING_AFTER_S if now.work.defining else _STALLED_AFTER_S):
        return ""
    doing = f", and says {now.work.doing!r}" if now.work.doing else ""
    return f"it has done nothing for {still:.0f} s while {waiting}{doing}"


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
