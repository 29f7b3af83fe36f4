"""What all pictures of a report share. Their colours are classes of the page, so that they follow light and dark."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kuroshio.aurora.report.markup import Markup, element

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 960.0


def picture(label: str, height: float, parts: Sequence[Markup]) -> Markup:
    """A drawing that scales with the page; ``label`` is what a screen reader says of it."""
    view = f"0 0 {WIDTH:.0f} {height:.0f}"
    return element("svg", element("title", label), *parts, viewBox=view, role="img", aria_label=label)


def written(said: str, x: float, y: float, *, end: bool = False, kind: str | None = None) -> Markup:
    """Text that begins, or ends, at a place."""
    anchor = "end" if end else None
    return element("text", said, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=kind)


def ruled(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A line."""
    return element("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=kind)


def barred(x: float, y: float, width: float, height: float, turn: int) -> Markup:
    """A bar in one of six colours by turns."""
    size = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    return element("rect", class_=f"phase p{turn % 6}", rx=3, **size)


def utc(at: float) -> datetime:
    """Seconds since the epoch as a time."""
    return datetime.fromtimestamp(at, UTC)
