"""What a schedule comes to: the next runs by the team's clocks and in UTC, with all that is strange about them said."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING

from kuroshio.tasks.calendar.freezes import why_frozen
from kuroshio.tasks.calendar.schedule import CronSchedule, described

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from kuroshio.tasks.calendar.freezes import Freeze
    from kuroshio.tasks.calendar.schedule import Schedule

_HOUR, _DAY, _YEAR = timedelta(hours=1), timedelta(days=1), timedelta(days=366)
_LEAPT = "the clocks leap over it: it does not run"
_TWICE = "the clocks show it twice: it runs the first time only"


@dataclass(frozen=True)
class Coming:
    """A time by a zone's clocks. ``at`` is None where it never comes. ``frozen``: why it is skipped; empty where it runs."""

    at: datetime | None  # in UTC
    wall: datetime  # naive: as the zone's clocks show it
    note: str = ""
    frozen: str = ""


def coming(
    schedule: Schedule, zone: ZoneInfo, since: datetime, count: int, freezes: Iterable[Freeze] = ()
) -> list[Coming]:
    """The next ``count`` due times after ``since``, frozen ones among them, and between them those that are leapt over."""
    rules = tuple(freezes)
    dues = [_described(at, zone, rules) for at in islice(schedule.after(since), count)]
    if not isinstance(schedule, CronSchedule) or not dues:
        return dues
    # Up to the last one shown, or a year ahead: a run that never comes has no later one to stand before.
    until = dues[-1].at if len(dues) == count and dues[-1].at else since + _YEAR
    leapt = (Coming(None, wall, _LEAPT) for wall in _leapt(schedule, since, until))
    return list(heapq.merge(dues, leapt, key=lambda each: each.wall))


def doubtful(schedule: Schedule, since: datetime) -> list[Coming]:
    """Of the year to come, the first time that the clocks leap over and the first that they show twice."""
    if not isinstance(schedule, CronSchedule):
        return []
    until = since + _YEAR
    leapt = next((Coming(None, wall, _LEAPT) for wall in _leapt(schedule, since, until)), None)
    near = ((change - 3 * _HOUR, change + 3 * _HOUR) for change in changes(schedule.zone, since.date().isoformat()))
    dues = (_described(at, schedule.zone, ()) for begin, end in near for at in _between(schedule, begin, end))
    twice = next((due for due in dues if due.note == _TWICE), None)
    return [each for each in (leapt, twice) if each]


@cache
def changes(zone: ZoneInfo, day: str) -> tuple[datetime, ...]:
    """The hours (UTC) within which the zone's clocks change, in the year from a day on and a little more."""
    begin = datetime.fromisoformat(day).replace(tzinfo=UTC)
    days = [begin + number * _DAY for number in range(_YEAR.days + 2)]
    found = []
    for today in days:
        if today.astimezone(zone).utcoffset() != (today + _DAY).astimezone(zone).utcoffset():
            hours = (today + number * _HOUR for number in range(24))
            found += [
                hour
                for hour in hours
                if hour.astimezone(zone).utcoffset() != (hour + _HOUR).astimezone(zone).utcoffset()
            ]
    return tuple(found)


def _leapt(schedule: CronSchedule, since: datetime, until: datetime) -> Iterator[datetime]:
    """Asked around each change alone: a task of every minute has half a million other times in a year."""
    for change in changes(schedule.zone, since.date().isoformat()):
        if change - _HOUR < until and change + 2 * _HOUR > since:
            yield from schedule.leapt_over(max(since, change - _HOUR), min(until, change + 2 * _HOUR))


def _between(schedule: CronSchedule, begin: datetime, end: datetime) -> Iterator[datetime]:
    for at in schedule.after(begin):
        if at > end:
            return
        yield at


def _described(at: datetime, zone: ZoneInfo, freezes: tuple[Freeze, ...]) -> Coming:
    due = described(at, zone)
    found = Coming(at, due.wall.replace(tzinfo=None), due.note, why_frozen(freezes, at, zone))
    first, second = (due.wall.replace(fold=fold).utcoffset() for fold in (0, 1))
    return replace(found, note=_TWICE) if first != second else found
