"""Cron as EventBridge and maintenance windows read it: ``minutes hours day-of-month month day-of-week year``.

One of the two day fields is ``?``; the week begins on Sunday with 1; ``L``, ``W`` and ``#`` mean what
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based says. Wall-clock time only: what a
change of the clocks makes of it is the zone's matter (``kuroshio.tasks.calendar.schedule``).
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NAMES = {
    **{
        name: str(number)
        for number, name in enumerate(
            ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1
        )
    },
    **{name: str(number) for number, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 1)},
}
_FIELDS = (
    ("minutes", 0, 59),
    ("hours", 0, 23),
    ("day-of-month", 1, 31),
    ("month", 1, 12),
    ("day-of-week", 1, 7),
    ("year", 1970, 2199),
)
_PART = re.compile(r"(?P<low>\*|\d+)(?:-(?P<high>\d+))?(?:/(?P<step>\d+))?")
_DAY = timedelta(days=1)
_WEEK = 7
_SATURDAY, _SUNDAY = 7, 1


@dataclass(frozen=True)
class Cron:
    """``matches`` tells whether it runs on a day at all; then it does at each of ``times``, hours and minutes, in order."""

    text: str
    years: frozenset[int]
    months: frozenset[int]
    matches: Callable[[date], bool]
    times: tuple[tuple[int, int], ...]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read the six fields. Raises InvalidRequest that names the field and what it takes."""
        fields = text.upper().split()
        if len(fields) != len(_FIELDS):
            names = ", ".join(name for name, _, _ in _FIELDS)
            raise InvalidRequest(f"cron({text}) has {len(fields)} fields; it must have six: {names}")
        minutes, hours, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise InvalidRequest(f"cron({text}): one of day-of-month and day-of-week must be ?, and the other not")
        times = sorted((hour, minute) for hour in _numbers(1, hours) for minute in _numbers(0, minutes))
        matches = _by_day(day) if weekday == "?" else _by_weekday(weekday)
        return cls(text, frozenset(_numbers(5, year)), frozenset(_numbers(3, month)), matches, tuple(times))

    def after(self, wall: datetime) -> Iterator[datetime]:
        """Every time after ``wall``, naive as that is, in order."""
        day = wall.date()
        last = date(max(self.years), 12, 31)
        while day <= last:
            if day.year not in self.years or day.month not in self.months:
                day = _next_month(day)
                continue
            if self.matches(day):
                for hour, minute in self.times:
                    due = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - the wall's
                    if due > wall:
                        yield due
            day += _DAY


def _numbers(field: int, text: str) -> set[int]:
    """What a field of numbers, names, ranges, lists and steps means."""
    name, lowest, highest = _FIELDS[field]
    found: set[int] = set()
    for written in text.split(","):
        part = re.sub(r"[A-Z]{3}", lambda match: _NAMES.get(match[0], match[0]), written)
        match = _PART.fullmatch(part)
        if match is None:
            raise InvalidRequest(f"{name}: {written!r} is no number, range or step of {lowest} to {highest}")
        low = lowest if match["low"] == "*" else int(match["low"])
        open_end = match["low"] == "*" or match["step"]
        high = int(match["high"]) if match["high"] else highest if open_end else low
        step = int(match["step"] or 1)
        if not lowest <= low <= high <= highest or not step:
            raise InvalidRequest(f"{name}: {written!r} does not lie within {lowest} to {highest}, rising")
        found.update(range(low, high + 1, step))
    return found


def _by_day(text: str) -> Callable[[date], bool]:
    """``L``: the last day. ``15W``: the weekday nearest to the 15th, in the same month. ``LW``: the last weekday."""
    rules = [_day_rule(part) for part in text.split(",")]
    return lambda day: any(rule(day) for rule in rules)


def _day_rule(part: str) -> Callable[[date], bool]:
    if part in ("L", "LW"):
        return lambda day: day == _near(day.replace(day=_length(day)), workday=part == "LW")
    nearest = re.fullmatch(r"(\d+)W", part)
    if nearest:
        [wanted] = _numbers(2, nearest[1])
        return lambda day: wanted <= _length(day) and day == _near(day.replace(day=wanted), workday=True)
    numbers = _numbers(2, part)
    return lambda day: day.day in numbers


def _by_weekday(text: str) -> Callable[[date], bool]:
    """``L``: Saturday. ``6L``: the month's last Friday. ``2#1``: its first Monday; that one stands alone in the field."""
    nth = re.fullmatch(r"(\w+)#([1-5])", text)
    if nth:
        [wanted] = _numbers(4, nth[1])
        return lambda day: _weekday(day) == wanted and (day.day - 1) // _WEEK + 1 == int(nth[2])
    if "#" in text:
        raise InvalidRequest(f"day-of-week: {text!r} must be one day and which of the month, such as MON#1")
    last = re.fullmatch(r"(\w+)L", text)
    if last:
        [wanted] = _numbers(4, last[1])
        return lambda day: _weekday(day) == wanted and day.day + _WEEK > _length(day)
    numbers = {_SATURDAY} if text == "L" else _numbers(4, text)
    return lambda day: _weekday(day) in numbers


def _near(day: date, *, workday: bool) -> date:
    """The weekday nearest to ``day`` within its month, or the day itself."""
    weekday = _weekday(day)
    if not workday or weekday not in (_SATURDAY, _SUNDAY):
        return day
    if weekday == _SATURDAY:
        return day - _DAY if day.day > 1 else day + 2 * _DAY
    return day + _DAY if day.day < _length(day) else day - 2 * _DAY


def _next_month(day: date) -> date:
    return day.replace(day=1) + timedelta(days=_length(day))


def _length(day: date) -> int:
    return monthrange(day.year, day.month)[1]


def _weekday(day: date) -> int:
    return day.isoweekday() % _WEEK + 1
