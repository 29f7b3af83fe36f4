"""The sweeper: writes down what has to run, and gives each of it exactly one verdict, however long it was away.

It keeps nothing in memory. What it knows of the past is the book: how far expectations were written, which are open. So a
sweep after a day without any does what all the lost ones would have done, and two at once do no more than one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Protocol

from kuroshio.tasks.expected.runs import ExpectedRun, Finding, SeenRun, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kuroshio.tasks.calendar.schedule import Schedule
    from kuroshio.tasks.verdict import Verdict

HORIZON = timedelta(days=2)  # how far ahead expectations are written
_BATCH = 1_000  # expectations that are written before how far they reach is noted


class Book(Protocol):
    """The record of expected runs. Every call may be repeated without harm."""

    def written_until(self, task: str) -> datetime | None:
        """Up to when a task's expectations were written, inclusive; None for a task that has none."""

    def write(self, task: str, runs: Iterable[ExpectedRun], until: datetime) -> None:
        """Add the runs that are not there, and then note ``until``, which never goes back."""

    def open_runs(self, task: str) -> list[ExpectedRun]:
        """The runs that have no verdict yet."""

    def close(self, run: ExpectedRun, verdict: Verdict) -> bool:
        """Give a run its verdict. False where it has one already, which then stays."""

    def withdraw(self, task: str, since: datetime) -> None:
        """Forget the open runs that are due at ``since`` or later, and note that nothing is written beyond it."""


class Witness(Protocol):
    """What happened, asked of AWS itself and not of events, which are delivered at best effort."""

    def seen(self, task: str, since: datetime, until: datetime) -> Iterable[SeenRun]:
        """The executions of a task that began in that time."""

    def why_not(self, task: str, runs: Iterable[ExpectedRun]) -> Mapping[str, str]:
        """Of runs that nothing was seen of, why, by their keys, as far as it is known."""


@dataclass(frozen=True)
class Task:
    """What the sweeper has to know. ``excuse``: why nothing runs at a time; empty where something does."""

    name: str
    schedule: Schedule
    since: datetime  # the time from which it is declared
    grace: timedelta = timedelta(minutes=15)
    excuses: Mapping[datetime, str] = field(default_factory=dict)

    def expected(self, after: datetime, until: datetime) -> Iterator[ExpectedRun]:
        """The runs that are due after the one and not after the other time, in order."""
        for due in takewhile(lambda due: due <= until, self.schedule.after(after)):
            yield ExpectedRun(due, self.name, self.grace, self.excuses.get(due, ""))


@dataclass(frozen=True)
class Sweeper:
    """One pass over tasks at a time."""

    book: Book
    witness: Witness

    def sweep(self, task: Task, now: datetime) -> list[Finding]:
        """Write what is to come, and judge what is past. Returns the verdicts that this sweep gave, in order."""
        self._expect(task, now)
        due = [run for run in self.book.open_runs(task.name) if run.due <= now]
        if not due:
            return []
        since = min(run.due for run in due)
        seen = list(self.witness.seen(task.name, since - timedelta(minutes=1), now))
        unseen = self.witness.why_not(task.name, due)
        # A later run that has its verdict already is needed too: an execution belongs to the last run due before it.
        neighbours = [run for run in task.expected(since - timedelta(seconds=1), now) if run not in due]
        findings = judge([*due, *neighbours], seen, now, why_not=unseen)
        mine = {run.key for run in due}
        return [
            each
            for each in findings
            if each.run.key in mine and each.verdict and self.book.close(each.run, each.verdict)
        ]

    def _expect(self, task: Task, now: datetime) -> None:
        until = now + HORIZON
        after = self.book.written_until(task.name) or task.since - timedelta(microseconds=1)
        while after < until:
            runs = list(islice(task.expected(after, until), _BATCH))
            # A whole batch: there may be more before the horizon, so it is known only as far as its last.
            reached = runs[-1].due if len(runs) == _BATCH else until
            self.book.write(task.name, runs, reached)
            after = reached
