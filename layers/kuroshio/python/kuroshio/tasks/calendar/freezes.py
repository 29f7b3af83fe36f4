"""Times at which nothing may run: days of the week, hours, spans of dates, and calendars of SSM, all by a zone's clocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Hours:
    """From ``begin`` until before ``end``; over midnight where that is not later. A night belongs to the day it begins on."""

    begin: time
    end: time

    def day_of(self, wall: datetime) -> date | None:
        """The day to which that moment's hours belong; None where it lies outside of them."""
        if self.begin < self.end:
            return wall.date() if self.begin <= wall.time() < self.end else None
        if wall.time() >= self.begin:
            return wall.date()
        return wall.date() - _DAY if wall.time() < self.end else None


@dataclass(frozen=True)
class Freeze:
    """Holds where all that it names holds: ``days`` of the week, ``since`` and ``until`` (both included), ``hours``.

    ``calendar``: the ARN of an SSM Change Calendar, which stands alone: whether it is closed is known to SSM.
    """

    days: frozenset[str] = field(default=frozenset())
    since: date | None = None
    until: date | None = None
    hours: Hours | None = None
    calendar: str = ""
    reason: str = ""

    def holds(self, wall: datetime, closed: Collection[str] = ()) -> bool:
        """Whether nothing may run at a time as the zone's clocks show it. ``closed``: the calendars that are."""
        if self.calendar:
            return self.calendar in closed
        day = self.hours.day_of(wall) if self.hours else wall.date()
        if day is None:
            return False
        within = (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
        return within and (not self.days or DAYS[day.weekday()] in self.days)

    def __str__(self) -> str:
        """As a sentence about a run ends: "freeze: weekend (sat, sun)"."""
        told = ", ".join(filter(None, [self._days(), self._dates(), self._hours(), self.calendar]))
        return f"freeze: {self.reason} ({told})" if self.reason else f"freeze: {told}"

    def _days(self) -> str:
        return ", ".join(day for day in DAYS if day in self.days)

    def _dates(self) -> str:
        if self.since and self.until:
            return f"{self.since}" if self.since == self.until else f"{self.since} to {self.until}"
        return f"from {self.since}" if self.since else f"until {self.until}" if self.until else ""

    def _hours(self) -> str:
        return f"{self.hours.begin:%H:%M}-{self.hours.end:%H:%M}" if self.hours else ""


def why_frozen(freezes: Iterable[Freeze], at: datetime, zone: ZoneInfo, closed: Collection[str] = ()) -> str:
    """Why nothing runs at a moment, as the first freeze that holds says it; empty where none does."""
    wall = at.astimezone(zone).replace(tzinfo=None)
    return next((str(freeze) for freeze in freezes if freeze.holds(wall, closed)), "")
