"""Thousands of points for a picture of hundreds of pixels, with every peak still in it."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class Point(NamedTuple):
    """A value at a time, in seconds since the epoch."""

    at: float
    value: float


def thinned(points: Sequence[Point], most: int = 800) -> list[Point]:
    """At most about ``most`` of the points, in order: of each stretch of time its first, lowest, highest and last.

    Averages would make a catch-up smooth that was not, and would lose the peaks that people look for.
    """
    if len(points) <= most:
        return list(points)
    first, width = points[0].at, (points[-1].at - points[0].at) / max(1, most // 4) or 1.0
    stretches: dict[int, list[Point]] = {}
    for point in points:
        stretches.setdefault(int((point.at - first) / width), []).append(point)
    kept: list[Point] = []
    for stretch in stretches.values():
        value = {each: each.value for each in stretch}
        kept += sorted(
            {stretch[0], min(stretch, key=value.__getitem__), max(stretch, key=value.__getitem__), stretch[-1]}
        )
    return kept


def unbroken(points: Sequence[Point], patience_s: float) -> list[list[Point]]:
    """The points in runs between which nobody looked for longer than that."""
    if not points:
        return []
    runs = [[points[0]]]
    for before, after in pairwise(points):
        if after.at - before.at > patience_s:
            runs.append([])
        runs[-1].append(after)
    return runs
