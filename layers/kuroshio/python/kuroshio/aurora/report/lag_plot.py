"""How far behind a clone was, over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.aurora.report import words
from kuroshio.aurora.report.markup import Markup, element, joined
from kuroshio.aurora.report.svg import WIDTH, picture, ruled, utc, written
from kuroshio.aurora.report.thinning import Point, thinned, unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HEIGHT = 280.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 80.0, WIDTH - 16.0, 34.0, _HEIGHT - 30.0
_QUIET_S = 15 * 60  # without a look, after which the line is interrupted
_SHORT_S = 2 * 3_600  # that are shown with their seconds
_LETTER = 6.5


class Mark(NamedTuple):
    """Something that happened meanwhile, in a few words."""

    at: float
    said: str


class _Frame(NamedTuple):
    first: float
    last: float
    high: float

    def x(self, at: float) -> float:
        return _LEFT + (at - self.first) / (self.last - self.first) * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        return _BOTTOM - value / self.high * (_BOTTOM - _TOP)


def plotted(points: Sequence[Point], marks: Sequence[Mark] = ()) -> Markup:
    """Bytes of binlog behind; at least one point."""
    times = [point.at for point in points] + [mark.at for mark in marks]
    highest = max(points, key=lambda point: point.value)
    first, last = min(times), max(times)
    frame = _Frame(first, max(last, first + 1.0), _round(highest.value))
    runs = unbroken(points, max(_QUIET_S, (last - first) / 50))
    parts = [*_axes(frame), *_marked(marks, frame), *(_line(thinned(run), frame) for run in runs)]
    if highest.value:
        parts.append(_peak(highest, frame))
    return picture("Bytes of binlog that the clone was behind, over time", _HEIGHT, parts)


def _line(run: Sequence[Point], frame: _Frame) -> Markup:
    places = [(frame.x(point.at), frame.y(point.value)) for point in run]
    if len(places) == 1:
        [(x, y)] = places
        return element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=2.5, class_="peak")
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    ground = f"{places[0][0]:.1f},{_BOTTOM:.1f} {path} {places[-1][0]:.1f},{_BOTTOM:.1f}"
    return joined([element("polygon", points=ground, class_="area"), element("polyline", points=path, class_="line")])


def _axes(frame: _Frame) -> Iterator[Markup]:
    for quarter in range(5):
        value = frame.high * quarter / 4
        y = frame.y(value)
        yield ruled(_LEFT, y, _RIGHT, y, "axis")
        yield written(words.size(value), _LEFT - 8, y + 4, end=True)
    form = "%H:%M:%S" if frame.last - frame.first < _SHORT_S else "%m-%d %H:%M"
    for quarter in range(5):
        at = frame.first + (frame.last - frame.first) * quarter / 4
        said = f"{utc(at):{form}}"
        yield written(said, frame.x(at) - len(said) * _LETTER * quarter / 4, _HEIGHT - 8)


def _marked(marks: Sequence[Mark], frame: _Frame) -> Iterator[Markup]:
    free = -math.inf
    for mark in sorted(marks):
        x, wide = frame.x(mark.at), len(mark.said) * _LETTER
        title = element("title", f"{mark.said}, {words.clock(utc(mark.at))} UTC")
        left = x - wide if x + wide > _RIGHT else x
        label = Markup("")
        if left >= free:
            label = written(mark.said, left, _TOP - 12)
            free = left + wide + 8
        yield element("g", title, ruled(x, _TOP - 8, x, _BOTTOM, "mark"), label)


def _peak(peak: Point, frame: _Frame) -> Markup:
    x, y = frame.x(peak.at), frame.y(peak.value)
    ends = x > WIDTH / 2
    dot = element("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.5, class_="peak")
    said = written(f"highest: {words.size(peak.value)}", x - 9 if ends else x + 9, y + 4, end=ends, kind="strong")
    return joined([dot, said])


def _round(highest: float) -> float:
    """The top of the axis: its quarters are powers of two, so that they read as 256 KiB and not as 244.1."""
    return 4 * math.ldexp(1.0, math.ceil(math.log2(max(highest / 4, 1.0))))
