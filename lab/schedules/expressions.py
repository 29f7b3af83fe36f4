"""``rate(…)``, ``cron(…)`` and ``at(…)``: what is accepted, and when the next run is due.

All times that go in and out are aware datetimes, but for the wall-clock time within ``at(…)`` and ``cron(…)``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo, available_timezones

from lab.schedules.cron import Cron, InvalidCron

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_CRON = re.compile(r"cron\(([^()]+)\)")


class InvalidExpression(ValueError):  # noqa: N818 - what the expression is
    """The service would refuse the expression or the time zone; the message says why."""


class Expression(Protocol):
    """When something is due, apart from start and end dates and states."""

    @property
    def is_once(self) -> bool:
        """Whether there is one occurrence only."""

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:
        """The occurrences after ``moment``, in order, for a schedule that began at ``anchor``."""


@dataclass(frozen=True)
class At:
    """Once. A wall-clock time that a change to summer time skips is taken as much later as the clocks were put forward."""

    moment: datetime
    is_once: bool = True

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:  # noqa: ARG002 - not counted from anything
        if self.moment > moment:
            yield self.moment


@dataclass(frozen=True)
class Rate:
    """Every so many seconds from the anchor on, whatever the clocks of the zone do.

    Scheduler runs at the anchor itself (its start date, or at once), a rule one interval later.
    """

    seconds: int
    first: int = 0  # the interval after which the first run is due: 0 or 1
    is_once: bool = False

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:
        interval = timedelta(seconds=self.seconds)
        n = max(self.first, (moment - anchor) // interval + 1)
        while True:
            yield anchor + n * interval
            n += 1


@dataclass(frozen=True)
class WallClock:
    """Cron in a time zone: a time that the change to summer time skips does not run, one that is repeated runs once.

    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#daylist-savings-time
    """

    cron: Cron
    zone: ZoneInfo
    is_once: bool = False

    def after(self, moment: datetime, anchor: datetime) -> Iterator[datetime]:  # noqa: ARG002 - not counted from anything
        # An hour that is repeated lies before the wall clock's own time: begin there, and drop what has passed.
        begin = moment.astimezone(self.zone).replace(tzinfo=None, fold=0)
        for wall in self.cron.after(begin):
            due = wall.replace(tzinfo=self.zone).astimezone(UTC)
            if due > moment and due.astimezone(self.zone).replace(tzinfo=None) == wall:
                yield due


@dataclass(frozen=True)
class Recurrence:
    """An expression with its anchor and the period in which it is valid."""

    expression: Expression
    anchor: datetime
    start: datetime | None = None
    end: datetime | None = None

    def next_after(self, moment: datetime) -> datetime | None:
        """The first occurrence after ``moment``, or None where there is none any more."""
        return next(iter(self.upcoming(moment, 1)), None)

    def upcoming(self, moment: datetime, count: int) -> list[datetime]:
        """The next ``count`` occurrences, fewer where it ends before."""
        return list(islice(self._after(moment), count))

    def _after(self, moment: datetime) -> Iterator[datetime]:
        if self.expression.is_once:  # start and end dates are ignored for these
            yield from self.expression.after(moment, self.anchor)
            return
        anchor = self.start or self.anchor
        if self.start is not None and moment < self.start:
            moment = self.start - timedelta(microseconds=1)
        for due in self.expression.after(moment, anchor):
            if self.end is not None and due > self.end:
                return
            yield due


def parse_rule(text: str) -> Rate | WallClock:
    """A rule's expression: ``rate`` with exact singular and plural, or ``cron`` in UTC. Raises InvalidExpression."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)(s?)\)", text)
    if rate:
        value = int(rate[1])
        if not value or (value == 1) == bool(rate[3]):
            raise InvalidExpression(f"{text}: 1 has a unit in the singular, more have one in the plural")
        return Rate(value * _UNITS[rate[2]], first=1)
    return _cron(text, ZoneInfo("UTC"))


def parse_schedule(text: str, zone: str = "UTC") -> At | Rate | WallClock:
    """An expression of EventBridge Scheduler. Raises InvalidExpression for it, or for a zone that is not in the IANA list."""
    place = parse_zone(zone)
    at = _AT.fullmatch(text)
    if at:
        try:
            return At(datetime.fromisoformat(at[1]).replace(tzinfo=place).astimezone(UTC))
        except ValueError as error:
            raise InvalidExpression(f"{text}: {error}") from error
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", text)
    if rate and int(rate[1]):
        return Rate(int(rate[1]) * _UNITS[rate[2]])
    return _cron(text, place)


def parse_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name. Raises InvalidExpression where there is none."""
    if name not in _zones():
        raise InvalidExpression(f"there is no time zone {name!r}")
    return ZoneInfo(name)


@cache
def _zones() -> set[str]:
    return available_timezones()


def _cron(text: str, zone: ZoneInfo) -> WallClock:
    found = _CRON.fullmatch(text)
    if not found:
        raise InvalidExpression(f"{text!r} is no schedule expression")
    try:
        return WallClock(Cron.parse(found[1]), zone)
    except InvalidCron as error:
        raise InvalidExpression(f"{text}: {error}") from error
