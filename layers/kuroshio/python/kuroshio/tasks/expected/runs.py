"""Expected runs, what was seen of them, and which belongs to which. Pure."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kuroshio.tasks.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# A window's clock and ours need not agree to the second, and Scheduler's "1:00" means within 1:00:00 to 1:00:59.
_EARLY = timedelta(seconds=60)


@dataclass(frozen=True, order=True)
class ExpectedRun:
    """A run of ``task`` that has to begin at ``due`` (UTC), or within ``grace`` of it; later it is late.

    ``excused``: why it is known beforehand that it will not run (a freeze, a task that is disabled); empty for none.
    """

    due: datetime
    task: str
    grace: timedelta = timedelta(minutes=15)
    excused: str = ""

    @property
    def key(self) -> str:
        """One for each run, the same whoever writes it down and how often."""
        return f"{self.task}@{self.due:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class SeenRun:
    """An execution that was found. ``scheduled``: the due time that it says itself; None where SSM made it on its own.

    ``verdict``: None while it runs.
    """

    task: str
    began: datetime
    name: str  # of the execution
    scheduled: datetime | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class Finding:
    """What is known of an expected run: its verdict, or that it is still open, and why."""

    run: ExpectedRun
    verdict: Verdict | None
    open_because: str = ""


def judge(
    expected: Iterable[ExpectedRun], seen: Iterable[SeenRun], now: datetime, *, why_not: Mapping[str, str] | None = None
) -> list[Finding]:
    """Judge the expected runs of one task by what was seen of it, in the order in which they are due.

    ``why_not``: for the keys of runs that nothing was seen of, why (a disabled window, an overlap that was found
    elsewhere). A run that nobody saw is a verdict only when its grace is over: until then it may yet begin.
    """
    runs = sorted(expected)
    found = _matched(runs, seen)
    return [_judged(run, found.get(run.key, []), now, (why_not or {}).get(run.key, "")) for run in runs]


def _matched(runs: Sequence[ExpectedRun], seen: Iterable[SeenRun]) -> dict[str, list[SeenRun]]:
    """The executions of each run. One that says its due time belongs there; another to the last run due before it began."""
    by_due = {run.due: run.key for run in runs}
    dues = [run.due for run in runs]
    found: dict[str, list[SeenRun]] = {}
    for each in {one.name: one for one in _finished_last(seen)}.values():
        if each.scheduled is not None:
            key = by_due.get(each.scheduled)
        else:
            place = bisect_right(dues, each.began + _EARLY) - 1
            key = runs[place].key if place >= 0 else None
        if key is not None:
            found.setdefault(key, []).append(each)
    return {key: sorted(those, key=lambda one: one.began) for key, those in found.items()}


def _finished_last(seen: Iterable[SeenRun]) -> list[SeenRun]:
    # The same execution may be told twice, once while it ran: what is known of its end counts.
    return sorted(seen, key=lambda one: one.verdict is not None)


def _judged(run: ExpectedRun, seen: Sequence[SeenRun], now: datetime, why_not: str) -> Finding:
    if not seen:
        return _unseen(run, now, why_not)
    if any(one.verdict is None for one in seen):
        return Finding(run, None, f"{seen[-1].name} is running")
    ran = [one for one in seen if one.verdict and one.verdict.outcome is not Outcome.SKIPPED] or list(seen)
    verdict = ran[0].verdict
    if verdict is None:
        raise ValueError(f"{ran[0].name} has no verdict")
    late = ran[0].began - (run.due + run.grace)
    if late > timedelta() and verdict.outcome is not Outcome.SKIPPED:
        verdict = replace(
            verdict, reason=f"{verdict.reason}; it began {_span(ran[0].began - run.due)} after it was due"
        )
    if len(ran) > 1:
        # At-least-once: Scheduler may deliver twice. It is one run with one verdict, and somebody should know.
        verdict = replace(verdict, reason=f"{verdict.reason}; it ran {len(ran)} times, this is the first")
    return Finding(run, verdict)


def _unseen(run: ExpectedRun, now: datetime, why_not: str) -> Finding:
    if run.excused:
        if now < run.due:
            return Finding(run, None, "it is not due yet")
        return Finding(run, Verdict(Outcome.SKIPPED, run.excused))
    if now <= run.due + run.grace:
        return Finding(run, None, "it is not due yet" if now < run.due else "it may yet begin")
    reason = why_not or "nothing was seen of it: no execution began"
    return Finding(run, Verdict(Outcome.DID_NOT_RUN, reason))


def _span(span: timedelta) -> str:
    minutes = int(span.total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"  # noqa: PLR2004 - an hour
