"""Times as lengths: the phases of a run, and the steps of a cut-over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.report import words
from kuroshio.aurora.report.markup import Markup, element
from kuroshio.aurora.report.svg import WIDTH, barred, picture, ruled, utc, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.aurora.report.story import PhaseSpan

_LETTER = 6.6
_LEAST = 2.0  # of a bar's width: nothing that happened is invisible
_ROW = 24.0
_NAMES, _TIMES = 150.0, 130.0


def phases(spans: Sequence[PhaseSpan], until: float) -> Markup:
    """One bar; each part as long as its phase lasted."""
    first = spans[0].began.timestamp()
    whole = max(until - first, 1.0)
    parts = []
    for turn, each in enumerate(spans):
        began = each.began.timestamp()
        ended = each.ended.timestamp() if each.ended else max(until, began)
        left, width = (began - first) / whole * WIDTH, max((ended - began) / whole * WIDTH, _LEAST)
        title = element("title", f"{each.name}: {words.span(ended - began)}")
        room = width > len(each.name) * _LETTER + 12
        label = written(each.name, left + 7, 26, kind="on") if room else Markup("")
        parts.append(element("g", title, barred(min(left, WIDTH - _LEAST), 8, width, 28, turn), label))
    ends = [written(words.clock(utc(first)), 0, 54), written(words.clock(utc(first + whole)), WIDTH, 54, end=True)]
    return picture("How long each phase took", 60, [*parts, *ends])


def steps(reached: Sequence[tuple[str, float]]) -> Markup:
    """One bar for each step, from the end of the one before it; ``reached``: milliseconds since the beginning."""
    whole = max((at for _, at in reached), default=0.0) or 1.0
    scale, foot = (WIDTH - _NAMES - _TIMES) / whole, 8 + _ROW * len(reached)
    parts, before = [], 0.0
    for row, (name, at) in enumerate(reached):
        top, left = 6 + _ROW * row, _NAMES + before * scale
        width = max((at - before) * scale, _LEAST)
        parts += [
            written(name, _NAMES - 10, top + 13, end=True),
            barred(left, top, width, 17, row),
            written(words.milliseconds(at - before), left + width + 7, top + 13),
        ]
        before = at
    end = _NAMES + whole * scale
    parts += [
        ruled(_NAMES, foot, end, foot, "axis"),
        written("0", _NAMES, foot + 15),
        written(words.milliseconds(whole), end, foot + 15, end=True, kind="strong"),
    ]
    return picture("The steps of the cut-over, in milliseconds", foot + 22, parts)
