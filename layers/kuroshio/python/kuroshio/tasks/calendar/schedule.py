"""Schedules in a named time zone, and what the change to and from summer time does to them, as EventBridge Scheduler does it.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time: a cron time that the
clocks leap over does not run that day; one that comes twice runs once, the first time; a rate counts hours and days of 24.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

from kuroshio.errors import InvalidRequest
from kuroshio.tasks.calendar.cron import Cron

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNITS = {"minute": 60, "hour": 3_600, "day": 86_400}
_RATE = re.compile(r"(\d+) (minute|hour|day)(s?)")
_ONCE = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})")


@dataclass(frozen=True)
class Due:
    """A time at which something is due. ``wall``: as clocks in the zone show it. ``note``: of a change of the clocks near it."""

    at: datetime  # in UTC
    wall: datetime  # with its zone
    note: str = ""


@dataclass(frozen=True)
class CronSchedule:
    """By the clocks of a zone."""

    cron: Cron
    zone: ZoneInfo

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every due time after ``moment``, in UTC, in order."""
        # From a day earlier: in the hour that comes twice, the wall clock says less than it said before.
        begin = moment.astimezone(self.zone).replace(tzinfo=None) - timedelta(days=1)
        for wall in self.cron.after(begin):
            due = _first(wall, self.zone)
            if due is not None and due > moment:
                yield due

    def leapt_over(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The wall-clock times, naive, that no clock of the zone shows in that period, and that so do not run."""
        end = until.astimezone(self.zone).replace(tzinfo=None)
        for wall in self.cron.after(since.astimezone(self.zone).replace(tzinfo=None)):
            if wall > end:
                return
            if _first(wall, self.zone) is None:
                yield wall


@dataclass(frozen=True)
class RateSchedule:
    """Every so many seconds from ``anchor`` on, the first time at the anchor itself."""

    seconds: int
    anchor: datetime

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every due time after ``moment``, in UTC, in order."""
        interval = timedelta(seconds=self.seconds)
        number = max(0, (moment - self.anchor) // interval + 1)
        while True:
            yield self.anchor + number * interval
            number += 1


@dataclass(frozen=True)
class OnceSchedule:
    """At one time."""

    at: datetime

    def after(self, moment: datetime) -> Iterator[datetime]:
        """It, where it is yet to come."""
        if self.at > moment:
            yield self.at


Schedule = CronSchedule | RateSchedule | OnceSchedule


def cron(text: str, zone: str) -> CronSchedule:
    """A schedule by cron. Raises InvalidRequest."""
    return CronSchedule(Cron.parse(text), zone_of(zone))


def rate(text: str, anchor: datetime) -> RateSchedule:
    """A schedule such as ``1 hour``, ``5 minutes``. Raises InvalidRequest: AWS takes the plural for all but 1, and only then."""
    found = _RATE.fullmatch(text)
    if found is None or not int(found[1]) or (int(found[1]) == 1) == bool(found[3]):
        raise InvalidRequest(f"rate({text}) is none; it must be such as 1 hour, 5 minutes, 2 days")
    return RateSchedule(int(found[1]) * _UNITS[found[2]], anchor)


def once(text: str, zone: str) -> OnceSchedule:
    """A single time such as ``2026-11-22 23:00``.

    Raises InvalidRequest, also for a time that the clocks leap over, and for one that they show twice: whoever wrote it
    meant one of two hours, and nobody can know which.
    """
    found = _ONCE.fullmatch(text)
    place = zone_of(zone)
    try:
        wall = datetime.fromisoformat(f"{found[1]}T{found[2]}") if found else None
    except ValueError:
        wall = None
    if wall is None:
        raise InvalidRequest(f"{text!r} is no time; one looks like 2026-11-22 23:00")
    first, second = (wall.replace(tzinfo=place, fold=fold).astimezone(UTC) for fold in (0, 1))
    if _first(wall, place) is None:
        raise InvalidRequest(f"{text} does not exist in {zone}: the clocks leap over it that day")
    if first != second:
        raise InvalidRequest(
            f"{text} comes twice in {zone} that day, at {first:%H:%M} and {second:%H:%M} UTC: give it in UTC"
        )
    return OnceSchedule(first)


def zone_of(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises InvalidRequest."""
    if name not in _zones():
        raise InvalidRequest(f"there is no time zone {name!r}; names are such as Asia/Tokyo, Europe/Berlin, UTC")
    return ZoneInfo(name)


def described(at: datetime, zone: ZoneInfo) -> Due:
    """A due time as people read it, with a note where the clocks change within a day of it."""
    wall = at.astimezone(zone)
    before, after = ((at + timedelta(days=days)).astimezone(zone).utcoffset() for days in (-1, 1))
    now = wall.utcoffset()
    if before != now:
        return Due(at, wall, f"the clocks changed from {_offset(before)} to {_offset(now)} within the day before")
    if after != now:
        return Due(at, wall, f"the clocks change from {_offset(now)} to {_offset(after)} within the day after")
    return Due(at, wall)


def _first(wall: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment at which clocks show that time; None where they never do."""
    due = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return due if due.astimezone(zone).replace(tzinfo=None) == wall else None


def _offset(offset: timedelta | None) -> str:
    minutes = int((offset or timedelta()).total_seconds()) // 60
    return f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60}" + (
        f":{abs(minutes) % 60:02}" if minutes % 60 else ""
    )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
