"""Cron as EventBridge reads it: six fields, one of the two day fields a ``?``, minutes as the finest step.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html#cron-based
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_SATURDAY, _SUNDAY = 7, 1  # as EventBridge counts: the week begins on Sunday, with 1
_DAYS_OF_A_WEEK = 7
_WEEKS_OF_A_MONTH = 5
_LAST_YEAR = 2199
_FIELDS = 6


class InvalidCron(ValueError):  # noqa: N818 - what the expression is
    """The expression is none that EventBridge takes; the message says why."""


@dataclass(frozen=True)
class _Field:
    name: str
    lowest: int
    highest: int
    names: Mapping[str, int]

    def values(self, text: str) -> list[int]:
        """The numbers that a field of lists, ranges, steps and names means, sorted."""
        return sorted({value for part in text.split(",") for value in self._part(part)})

    def _part(self, part: str) -> range:
        stem, slash, step_text = part.partition("/")
        step = self._step(step_text, part) if slash else 1
        if stem == "*":
            return range(self.lowest, self.highest + 1, step)
        low_text, dash, high_text = stem.partition("-")
        low = self.number(low_text)
        if dash:
            high = self.number(high_text)
            if high < low:
                raise InvalidCron(f"{self.name}: the range {stem} runs backwards")
        else:
            high = self.highest if slash else low
        return range(low, high + 1, step)

    def number(self, text: str) -> int:
        value = self.names.get(text.upper(), None)
        if value is None:
            if not (text.isascii() and text.isdigit()):
                raise InvalidCron(f"{self.name}: {text!r} is none of its values")
            value = int(text)
        if not self.lowest <= value <= self.highest:
            raise InvalidCron(f"{self.name}: {value} is not within {self.lowest}-{self.highest}")
        return value

    def _step(self, text: str, part: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text)):
            raise InvalidCron(f"{self.name}: the step of {part!r} is not a positive number")
        return int(text)


_MINUTE = _Field("minutes", 0, 59, {})
_HOUR = _Field("hours", 0, 23, {})
_DAY = _Field("day-of-month", 1, 31, {})
_MONTH = _Field("month", 1, 12, {name: n for n, name in enumerate(_MONTHS, start=1)})
_WEEKDAY = _Field("day-of-week", 1, 7, {name: n for n, name in enumerate(_DAYS, start=1)})
# The service was seen to take years beyond the documented 2199; nothing of ours lives that long.
_YEAR = _Field("year", 1970, _LAST_YEAR, {})


@dataclass(frozen=True)
class Cron:
    """A parsed expression. It knows no time zone: it is asked in wall-clock time."""

    minutes: list[int]
    hours: list[int]
    months: list[int]
    years: list[int]
    _days: Callable[[int, int], list[int]]

    @classmethod
    def parse(cls, text: str) -> Cron:
        """The expression between ``cron(`` and ``)``. Raises InvalidCron."""
        fields = text.split()
        if len(fields) != _FIELDS:
            raise InvalidCron(f"a cron expression has six fields, this one has {len(fields)}")
        minutes, hours, day, month, weekday, year = fields
        if (day == "?") == (weekday == "?"):
            raise InvalidCron("exactly one of day-of-month and day-of-week must be ?")
        days = _days_of_month(day) if weekday == "?" else _days_of_week(weekday)
        return cls(_MINUTE.values(minutes), _HOUR.values(hours), _MONTH.values(month), _YEAR.values(year), days)

    def first_after(self, moment: datetime) -> datetime | None:
        """The first minute after ``moment`` (naive wall-clock time) that matches, or None if none ever does."""
        return next(self.after(moment), None)

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Every matching minute after ``moment``, in order. Months that cannot match cost one step each."""
        day, time_of_day = moment.date(), moment.hour * 60 + moment.minute
        for found in self._dates_from(day):
            hour_from = divmod(time_of_day + 1, 60) if found == day else (0, 0)
            for hour in self.hours[bisect_left(self.hours, hour_from[0]) :]:
                begin = bisect_left(self.minutes, hour_from[1]) if hour == hour_from[0] else 0
                for minute in self.minutes[begin:]:
                    yield datetime(found.year, found.month, found.day, hour, minute)  # noqa: DTZ001 - wall-clock time

    def _dates_from(self, first: date) -> Iterator[date]:
        for year in self.years[bisect_left(self.years, first.year) :]:
            for month in self.months:
                if (year, month) < (first.year, first.month):
                    continue
                days = self._days(year, month)
                begin = bisect_left(days, first.day) if (year, month) == (first.year, first.month) else 0
                for day in days[begin:]:
                    yield date(year, month, day)


# Days of the month -----------------------------------------------------------------------------------------------------


def _days_of_month(text: str) -> Callable[[int, int], list[int]]:
    """``L`` is the last day, ``15W`` the weekday nearest to the 15th without leaving the month, ``LW`` the last weekday."""
    parts = [_day_of_month(part) for part in text.upper().split(",")]
    return lambda year, month: sorted({day for part in parts for day in part(year, month)})


def _day_of_month(part: str) -> Callable[[int, int], list[int]]:
    if part == "L":
        return lambda year, month: [_length(year, month)]
    if part == "LW":
        return lambda year, month: [_nearest_weekday(year, month, _length(year, month))]
    nearest = re.fullmatch(r"(\d+)W", part)
    if nearest:
        wanted = _DAY.number(nearest[1])
        return lambda year, month: [_nearest_weekday(year, month, wanted)] if wanted <= _length(year, month) else []
    numbers = _DAY.values(part)
    return lambda year, month: numbers[: bisect_right(numbers, _length(year, month))]


def _length(year: int, month: int) -> int:
    return monthrange(year, month)[1]


def _weekday(year: int, month: int, day: int) -> int:
    return date(year, month, day).isoweekday() % _DAYS_OF_A_WEEK + 1


def _nearest_weekday(year: int, month: int, day: int) -> int:
    weekday, last = _weekday(year, month, day), _length(year, month)
    if weekday == _SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == _SUNDAY:
        return day + 1 if day < last else day - 2
    return day


# Days of the week ------------------------------------------------------------------------------------------------------


def _days_of_week(text: str) -> Callable[[int, int], list[int]]:
    """``L`` is the last day of the week (Saturday), ``FRIL`` or ``6L`` the month's last Friday, ``2#1`` its first Monday."""
    text = text.upper()
    if "#" in text:
        return _nth(text)
    last = re.fullmatch(r"(\w+)L", text)
    if last:
        wanted = _WEEKDAY.number(last[1])
        return lambda year, month: _all_of(year, month, wanted)[-1:]
    numbers = frozenset([_SATURDAY] if text == "L" else _WEEKDAY.values(text))
    return lambda year, month: [d for d in range(1, _length(year, month) + 1) if _weekday(year, month, d) in numbers]


def _nth(text: str) -> Callable[[int, int], list[int]]:
    """One ``#`` only: two of them are refused (the documents say so for the field as a whole)."""
    weekday, _, nth = text.partition("#")
    wanted = _WEEKDAY.number(weekday)
    if not (nth.isascii() and nth.isdigit() and 1 <= int(nth) <= _WEEKS_OF_A_MONTH):
        raise InvalidCron(f"day-of-week: {text!r} does not say which one of a month, 1 to 5")
    return lambda year, month: _all_of(year, month, wanted)[int(nth) - 1 : int(nth)]


def _all_of(year: int, month: int, weekday: int) -> list[int]:
    first = 1 + (weekday - _weekday(year, month, 1)) % _DAYS_OF_A_WEEK
    return list(range(first, _length(year, month) + 1, _DAYS_OF_A_WEEK))
