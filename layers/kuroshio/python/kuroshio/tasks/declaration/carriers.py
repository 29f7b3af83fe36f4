"""Who begins the runs of a task: a maintenance window of SSM, where one can say all of it, else Scheduler and ``run_task``.

A window runs what it has at its times, whatever day it is and whatever became of the run before. All that is conditional
is for the workflow.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from kuroshio.tasks.calendar.schedule import CronSchedule, RateSchedule
from kuroshio.tasks.declaration.model import Carrier, Document, Overlap, Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from kuroshio.tasks.calendar.schedule import Schedule
    from kuroshio.tasks.declaration.model import Task

_FASTEST = timedelta(minutes=5)
_HOUR = timedelta(hours=1)
_DAY = 24 * 60


def choose(task: Task, now: datetime, *, is_awaited: bool, is_doubtful: bool) -> tuple[Carrier, str]:
    """The carrier, and why. ``is_awaited``: others run after it; ``is_doubtful``: the clocks leap over, or repeat, a run."""
    if task.window is None:
        return Carrier.SCHEDULER, "it names no window"
    obstacles = against_a_window(task, now, is_awaited=is_awaited, is_doubtful=is_doubtful)
    if obstacles:
        return Carrier.SCHEDULER, obstacles[0]
    return Carrier.WINDOW, "a window can say all of it"


def against_a_window(task: Task, now: datetime, *, is_awaited: bool, is_doubtful: bool) -> list[str]:
    """What a window cannot express of a task."""
    return [
        *_of_its_times(task, now, is_doubtful=is_doubtful),
        *_of_its_order(task, is_awaited=is_awaited),
        *_of_it(task),
    ]


def _of_its_times(task: Task, now: datetime, *, is_doubtful: bool) -> Iterator[str]:
    if task.at is None:
        yield "it has no time of its own"
    elif _interval(task.at.schedule(now)) < _FASTEST:
        yield "a window cannot run more often than every 5 minutes"
    if task.window is None:
        yield "it names no window"
    elif task.window.length % _HOUR:
        yield "a window lasts whole hours"
    if is_doubtful:
        yield "the clocks change at one of its times, and what a window does then is documented nowhere"
    if task.freezes:
        yield "a window knows no freezes"


def _of_its_order(task: Task, *, is_awaited: bool) -> Iterator[str]:
    if task.after:
        yield "a window cannot ask whether another task succeeded"
    if is_awaited:
        yield "others wait for its verdict, which our own workflow gives"
    if task.overlap is Overlap.QUEUE:
        yield "a window skips what overlaps, it does not queue"
    if task.catches_up:
        yield "a window does not catch up"


def _of_it(task: Task) -> Iterator[str]:
    if task.on and task.on.once:
        yield "a window cannot choose one instance of several"
    if task.retries:
        yield "a window does not repeat what failed"
    if task.downtime:
        yield "a window knows nothing of Mackerel's monitors"
    if task.timeout.execution is not None and not isinstance(task.run, Shell):
        kind = "a document's own parameters say" if isinstance(task.run, Document) else "what it starts says"
        yield f"a window has no timeout for its execution: {kind} how long it may run"


def _interval(schedule: Schedule) -> timedelta:
    """The least time between two runs, by the clocks."""
    if isinstance(schedule, RateSchedule):
        return timedelta(seconds=schedule.seconds)
    if not isinstance(schedule, CronSchedule):
        return timedelta.max
    minutes = [hour * 60 + minute for hour, minute in schedule.cron.times]
    gaps = (later - sooner for sooner, later in pairwise([*minutes, minutes[0] + _DAY]))
    return timedelta(minutes=min(gaps))
