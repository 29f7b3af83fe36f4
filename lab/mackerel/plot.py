"""Lines over time as SVG text, with spans behind them."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

WIDTH, HEIGHT = 560, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 22, 24
_FEW = 20  # points that are shown as such
_GAP = 180  # seconds without a point after which a line is interrupted


class Line(NamedTuple):
    """One series: (epoch seconds, value) in order."""

    name: str
    colour: str
    points: list[tuple[int, float]]


class Span(NamedTuple):
    """Something that lasted: from and to in epoch seconds, which may be equal. ``mark`` is what the picture has room for."""

    title: str
    first: float
    last: float
    mark: str = ""
    colour: str = "#1b9e77"
    is_ground: bool = False  # drawn behind all others, with its mark at the foot


class _Frame(NamedTuple):
    first: float
    last: float
    low: float
    high: float

    def x(self, at: float) -> float:
        return LEFT + (at - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (value - self.low) / (self.high - self.low) * (HEIGHT - TOP - BOTTOM)


def plotted(
    lines: list[Line], spans: Iterable[Span], clock: Callable[[float], str], window: tuple[float, float] | None = None
) -> str:
    """One picture of some series that share an axis; ``clock`` writes a time under it. ``window`` is from when to when."""
    frame = _frame([point for line in lines for point in line.points])
    if window is not None:
        frame = frame._replace(first=window[0], last=window[1])
    shown = [span for span in spans if span.last >= frame.first and span.first <= frame.last]
    parts = [*_bands(shown, frame), *_axes(frame, clock), *(part for line in lines for part in _strokes(line, frame))]
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(parts)}</svg>'


def _frame(points: list[tuple[int, float]]) -> _Frame:
    times, values = [at for at, _ in points], [value for _, value in points]
    first, last = min(times), max(times)
    step = _round_step((max(*values, 0.0) - min(*values, 0.0)) / 4)
    low, high = math.floor(min(*values, 0.0) / step) * step, math.ceil(max(*values, 0.0) / step) * step
    return _Frame(first - 60, max(last, first + 60) + 60, low, high if high > low else low + step)


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 0.25
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)


def _axes(frame: _Frame, clock: Callable[[float], str]) -> Iterator[str]:
    step = _round_step((frame.high - frame.low) / 4)
    for number in range(int((frame.high - frame.low) / step + 0.001) + 1):
        value = frame.low + number * step
        y = frame.y(value)
        yield f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
    for number in range(5):
        at = frame.first + (frame.last - frame.first) * number / 4
        anchor = ("start", "middle", "middle", "middle", "end")[number]
        yield f'<text x="{frame.x(at):.1f}" y="{HEIGHT - 6}" text-anchor="{anchor}">{clock(at)}</text>'


def _bands(spans: list[Span], frame: _Frame) -> Iterator[str]:
    for span in sorted(spans, key=lambda span: not span.is_ground):
        left, right = frame.x(max(span.first, frame.first)), frame.x(min(span.last, frame.last))
        size = f'width="{max(right - left, 1.5):.1f}" height="{HEIGHT - TOP - BOTTOM}"'
        rect = f'<rect x="{left:.1f}" y="{TOP}" {size} fill="{span.colour}" fill-opacity=".13" stroke="{span.colour}" stroke-width=".6"/>'
        anchor = "end" if left > WIDTH * 0.7 else "start"
        y = HEIGHT - BOTTOM - 6 if span.is_ground else TOP - 6
        at = f'x="{right if anchor == "end" else left + 4 * span.is_ground:.1f}" y="{y}" text-anchor="{anchor}"'
        yield f"<g><title>{escape(span.title)}</title>{rect}<text {at}>{escape(span.mark or span.title)}</text></g>"


def _strokes(line: Line, frame: _Frame) -> Iterator[str]:
    for run in _runs(line.points):
        marks = [f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in run]
        if len(marks) > 1:
            yield f'<polyline points="{" ".join(marks)}" fill="none" stroke="{line.colour}" stroke-width="1.6"/>'
        for x, y in (mark.split(",") for mark in marks if len(marks) <= _FEW):
            yield f'<circle cx="{x}" cy="{y}" r="2.4" fill="{line.colour}"/>'


def _runs(points: list[tuple[int, float]]) -> Iterator[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for point in points:
        if run and point[0] - run[-1][0] > _GAP:
            yield run
            run = []
        run.append(point)
    if run:
        yield run


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"
