"""Three years in four zones, two with summer time: every expected run ends in exactly one verdict, and the right one.

The world fires what is due as EventBridge Scheduler does, loses some firings, doubles some, lets some run long or fail;
the sweeper comes every ten minutes unless it is away, for a day or two at times, and sometimes dies between two writes.
"""

from __future__ import annotations

import contextlib
import random
from bisect import bisect_left, insort
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from kuroshio.tasks.calendar.schedule import cron, rate
from kuroshio.tasks.expected.runs import ExpectedRun, SeenRun, judge
from kuroshio.tasks.expected.sweeping import Sweeper, Task
from kuroshio.tasks.verdict import Outcome, Verdict
from lab.schedules import Recurrence, parse_schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=3 * 365 + 1)
ZONES = ("Asia/Tokyo", "UTC", "Europe/Berlin", "America/New_York")
STALE = 0.01
CRONS = ("30 2 * * ? *", "0 1-3 * * ? *", "0 22 ? * MON-FRI *", "15 3 L * ? *")


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret


class PowerCut(Exception):  # noqa: N818 - what happens
    """The sweeper's function dies."""


@dataclass
class MemoryBook:
    """The book, which counts verdicts and dies now and then just before or just after it has written."""

    dice: random.Random
    deadly: float = 0.0
    until: dict[str, datetime] = field(default_factory=dict)
    runs: dict[str, ExpectedRun] = field(default_factory=dict)
    open: dict[str, ExpectedRun] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    def written_until(self, task: str) -> datetime | None:
        return self.until.get(task)

    def write(self, task: str, runs: Iterable[ExpectedRun], until: datetime) -> None:
        for run in runs:
            self._perhaps_die()
            if self.runs.setdefault(run.key, run) is run:
                self.open[run.key] = run
        self._perhaps_die()
        self.until[task] = max(until, self.until.get(task, until))

    def open_runs(self, task: str) -> list[ExpectedRun]:
        return [run for run in self.open.values() if run.task == task]

    def close(self, run: ExpectedRun, verdict: Verdict) -> bool:
        self._perhaps_die()
        if run.key in self.verdicts:
            return False
        self.verdicts[run.key] = verdict
        del self.open[run.key]
        self._perhaps_die()
        return True

    def withdraw(self, task: str, since: datetime) -> None:
        for run in [run for run in self.open_runs(task) if run.due >= since]:
            del self.runs[run.key], self.open[run.key]
        self.until[task] = min(self.until.get(task, since), since - timedelta(microseconds=1))

    def _perhaps_die(self) -> None:
        if self.dice.random() < self.deadly:
            raise PowerCut


@dataclass
class World:
    """What happened, and what AWS says of it at a time. Executions that SSM made by itself do not say their due time."""

    dice: random.Random
    says_due: bool
    executions: list[tuple[SeenRun, datetime]] = field(default_factory=list)  # and when it ended
    truth: dict[datetime, Outcome] = field(default_factory=dict)
    now: datetime = BEGIN

    def fire(self, task: str, due: datetime, gap: timedelta) -> None:
        chance = self.dice.random()
        if chance < 0.05:
            self.truth[due] = Outcome.DID_NOT_RUN
            return
        outcome = Outcome.FAILED if chance < 0.15 else Outcome.SUCCEEDED
        began = due + timedelta(seconds=self.dice.uniform(0, 59))
        # A run that goes on longer than the next one's due time is the overlap that every peer gets wrong.
        ended = began + gap * self.dice.choice([0.01, 0.1, 0.5, 1.5])
        self.truth[due] = outcome
        for copy in range(2 if chance > 0.95 else 1):
            verdict = Verdict(outcome, "as it happened")
            run = SeenRun(
                task, began + timedelta(seconds=copy), f"{due:%s}-{copy}", due if self.says_due else None, verdict
            )
            insort(self.executions, (run, ended), key=lambda execution: execution[0].began)

    def seen(self, task: str, since: datetime, until: datetime) -> Iterable[SeenRun]:
        first = bisect_left(self.executions, since, key=lambda execution: execution[0].began)
        for run, ended in self.executions[first:]:
            if run.began > min(until, self.now):
                break
            if run.task == task:
                running = SeenRun(task, run.began, run.name, run.scheduled, None)
                if ended <= self.now:
                    yield run
                # A list that is read while it changes tells of the same execution twice.
                if ended > self.now or self.dice.random() < STALE:
                    yield running

    def why_not(self, task: str, runs: Iterable[ExpectedRun]) -> Mapping[str, str]:
        del task, runs
        return {}


def outages(dice: random.Random, end: datetime) -> list[tuple[datetime, datetime]]:
    begins = [BEGIN + (end - BEGIN) * dice.random() for _ in range((end - BEGIN).days // 27 + 1)]
    return [(begin, begin + timedelta(hours=dice.choice([1, 5, 24, 50]))) for begin in begins]


def live(
    seed: int, text: str, zone: str, *, says_due: bool, end: datetime = END
) -> tuple[MemoryBook, World, list[datetime]]:
    dice = chance(seed)
    book, world = MemoryBook(dice, deadly=0.002), World(dice, says_due)
    task = Task("nightly", cron(text, zone), BEGIN)
    # Who fires is the lab's calendar, which was written apart from the one under test.
    fires = Recurrence(parse_schedule(f"cron({text})", zone), BEGIN)
    dues = [due for due in fires.upcoming(BEGIN - timedelta(seconds=1), 9_000) if due <= end]
    for due, following in zip(dues, [*dues[1:], end], strict=True):
        world.fire(task.name, due, min(following - due, timedelta(hours=20)))
    away = outages(dice, end)
    for now in looks(dice, dues, end):
        world.now = now
        if not any(begin <= now < over for begin, over in away):
            with contextlib.suppress(PowerCut):
                Sweeper(book, world).sweep(task, now)
    book.deadly = 0
    world.now = end + timedelta(days=4)
    Sweeper(book, world).sweep(task, world.now)
    return book, world, dues


def looks(dice: random.Random, dues: list[datetime], end: datetime) -> list[datetime]:
    """When the sweeper comes: now and then, and just before and after what is due, where the races are."""
    found = [due + timedelta(seconds=dice.uniform(-90, 90)) for due in dues if dice.random() < 0.5]
    now = BEGIN
    while now < end + timedelta(days=3):
        found.append(now)
        now += timedelta(minutes=dice.choice([10, 60, 360, 600]))
    return sorted(found)


@pytest.mark.search
@pytest.mark.parametrize("says_due", [True, False], ids=["scheduler", "window"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("text", CRONS)
def test_every_expected_run_has_its_one_verdict(text: str, zone: str, *, says_due: bool) -> None:
    book, world, dues = live(20261121, text, zone, says_due=says_due)
    assert_each_has_its_verdict(book, world, dues, END)


@pytest.mark.search
@pytest.mark.parametrize("says_due", [True, False], ids=["scheduler", "window"])
def test_runs_that_are_closer_than_their_grace_are_told_apart(*, says_due: bool) -> None:
    week = BEGIN + timedelta(days=8)
    book, world, dues = live(3, "*/5 * * * ? *", "Europe/Berlin", says_due=says_due, end=week)
    assert_each_has_its_verdict(book, world, dues, week)


def assert_each_has_its_verdict(book: MemoryBook, world: World, dues: list[datetime], end: datetime) -> None:
    expected = {f"nightly@{due:%Y-%m-%dT%H:%M:%SZ}": due for due in dues}
    judged = {expected[key]: verdict for key, verdict in book.verdicts.items() if key in expected}
    assert {key for key in book.verdicts if key not in expected and book.runs[key].due <= end} == set()
    assert sorted(judged) == dues
    assert {due: verdict.outcome for due, verdict in judged.items()} == {due: world.truth[due] for due in dues}


@pytest.mark.parametrize(("zone", "day"), [("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25")])
def test_on_the_days_when_the_clocks_change_nothing_is_missed_that_was_not_to_run(zone: str, day: str) -> None:
    book, world, dues = live(7, "30 2 * * ? *", zone, says_due=True)
    runs = [due for due in dues if f"{due:%Y-%m-%d}" == day]
    assert len(runs) == (0 if day.endswith("03-29") else 1)
    assert all(book.verdicts[f"nightly@{due:%Y-%m-%dT%H:%M:%SZ}"].outcome is world.truth[due] for due in runs)


def test_rates_are_expected_from_their_anchor_on() -> None:
    book = MemoryBook(chance(0))
    task = Task("often", rate("5 minutes", BEGIN), BEGIN)
    Sweeper(book, World(chance(0), says_due=True)).sweep(task, BEGIN)
    assert len(book.runs) == 2 * 24 * 12 + 1
    assert min(run.due for run in book.runs.values()) == BEGIN


def test_a_changed_schedule_takes_back_what_is_not_due_and_keeps_what_was() -> None:
    book, world = MemoryBook(chance(0)), World(chance(0), says_due=True)
    Sweeper(book, world).sweep(Task("nightly", cron("0 3 * * ? *", "UTC"), BEGIN), BEGIN)
    change = BEGIN + timedelta(hours=5)
    book.withdraw("nightly", change)
    world.now = change
    later = Task("nightly", cron("0 4 * * ? *", "UTC"), change)
    [first] = Sweeper(book, world).sweep(later, change)
    assert first.run.due == BEGIN + timedelta(hours=3)
    assert sorted(f"{run.due:%d %H}" for run in book.open_runs("nightly")) == ["02 04", "03 04"]


def test_a_freeze_is_a_skip_with_its_reason_and_no_missed_run() -> None:
    book, world = MemoryBook(chance(0)), World(chance(0), says_due=True)
    due = BEGIN + timedelta(hours=3)
    task = Task("nightly", cron("0 3 * * ? *", "UTC"), BEGIN, excuses={due: "frozen: new year"})
    sweeper = Sweeper(book, world)
    sweeper.sweep(task, BEGIN)
    world.now = due + timedelta(hours=1)
    [finding] = sweeper.sweep(task, world.now)
    assert finding.verdict == Verdict(Outcome.SKIPPED, "frozen: new year")


def test_an_execution_that_a_list_tells_twice_has_ended_when_either_says_so() -> None:
    run = ExpectedRun(BEGIN, "nightly")
    ended = SeenRun("nightly", BEGIN, "one", BEGIN, Verdict(Outcome.SUCCEEDED, "exit code 0"))
    for told in ([ended, replace(ended, verdict=None)], [replace(ended, verdict=None), ended]):
        [finding] = judge([run], told, BEGIN + timedelta(hours=1))
        assert finding.verdict == ended.verdict


def test_a_late_run_is_told_how_late_it_began_and_a_doubled_one_that_it_ran_twice() -> None:
    run = ExpectedRun(BEGIN, "nightly")
    late = SeenRun("nightly", BEGIN + timedelta(minutes=80), "one", BEGIN, Verdict(Outcome.SUCCEEDED, "exit code 0"))
    again = replace(late, name="two", began=late.began + timedelta(seconds=1))
    [finding] = judge([run], [again, late], BEGIN + timedelta(hours=3))
    assert finding.verdict is not None
    assert (
        finding.verdict.reason == "exit code 0; it began 1 h 20 min after it was due; it ran 2 times, this is the first"
    )
