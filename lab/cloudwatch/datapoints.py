"""What was measured, kept by the minute, and the statistics of it."""

from __future__ import annotations

import math
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MINUTE = 60
_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")
_SIMPLE = {"SampleCount", "Sum", "Average", "Minimum", "Maximum"}


@dataclass(frozen=True)
class Metric:
    """One metric: CloudWatch takes another set of dimensions for another metric."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]


@dataclass
class Sample:
    """What one minute, or several, saw of a metric."""

    count: float = 0.0
    total: float = 0.0
    lowest: float = float("inf")
    highest: float = float("-inf")
    values: dict[float, float] = field(default_factory=dict)  # how often each was seen; statistic sets have none

    def add(self, value: float, times: float = 1.0) -> None:
        self.merge(Sample(times, value * times, value, value, {value: times}))

    def merge(self, other: Sample) -> None:
        self.count += other.count
        self.total += other.total
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)
        for value, times in other.values.items():
            self.values[value] = self.values.get(value, 0.0) + times

    def statistic(self, name: str) -> float | None:
        """The statistic, or None where nothing was measured. Raises ValueError for one that the lab does not know."""
        if not is_known(name):
            raise ValueError(f"the lab knows no statistic {name!r}")
        if not self.count:
            return None
        simple = {
            "SampleCount": self.count,
            "Sum": self.total,
            "Average": self.total / self.count,
            "Minimum": self.lowest,
            "Maximum": self.highest,
        }
        return simple[name] if name in simple else self._percentile(float(name[1:]))

    def _percentile(self, wanted: float) -> float | None:
        """The smallest value at or below which that share of the values lies. CloudWatch's own is an approximation."""
        seen, share = 0.0, sum(self.values.values()) * wanted / 100
        for value in sorted(self.values):
            seen += self.values[value]
            if seen >= share:
                return value
        return None


def is_known(statistic: str) -> bool:
    return statistic in _SIMPLE or _PERCENTILE.fullmatch(statistic) is not None


class Datapoints:
    """Safe to share between threads. ``version`` grows with everything that is added."""

    def __init__(self) -> None:
        self._minutes: dict[Metric, dict[int, list[tuple[str, Sample]]]] = {}
        self._lock = threading.Lock()
        self.version = 0

    def add(self, metric: Metric, at: float, unit: str, sample: Sample) -> None:
        with self._lock:
            self._minutes.setdefault(metric, {}).setdefault(int(at // _MINUTE), []).append((unit, sample))
            self.version += 1

    def over(self, metric: Metric, end: float, period: int, count: int, unit: str = "") -> Sequence[Sample]:
        """What the last ``count`` periods before ``end`` saw, the newest last. A unit picks what was measured in it."""
        with self._lock:
            minutes = self._minutes.get(metric, {})
            starts = [end - period * n for n in range(count, 0, -1)]
            return [_merged(minutes, start, start + period, unit) for start in starts]

    def next_change(self, metric: Metric, now: float, period: int, count: int) -> float | None:
        """When, after ``now``, a minute that is known passes from one period into an older one; None where none will."""
        with self._lock:
            ends = [(minute + 1) * _MINUTE for minute in self._minutes.get(metric, {})]
        crossings = [end + max(0, math.floor((now - end) / period) + 1) * period for end in ends]
        return min((at for at, end in zip(crossings, ends, strict=True) if at <= end + count * period), default=None)

    def forget_since(self, now: float) -> None:
        """The calendar was set back: what was measured later was not."""
        with self._lock:
            for minutes in self._minutes.values():
                for minute in [one for one in minutes if one >= now // _MINUTE]:
                    del minutes[minute]
            self.version += 1


def _merged(minutes: dict[int, list[tuple[str, Sample]]], start: float, end: float, unit: str) -> Sample:
    merged = Sample()
    first, last = int(start // _MINUTE), int(end // _MINUTE)
    span = range(first, max(last, first + 1))
    for minute in span if len(span) < len(minutes) else [m for m in minutes if m in span]:
        for measured, sample in minutes.get(minute, ()):
            if not unit or measured == unit:
                merged.merge(sample)
    return merged
