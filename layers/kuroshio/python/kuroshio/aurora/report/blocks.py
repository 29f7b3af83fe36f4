"""What a report is made of, whatever it is shown as."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.aurora.report.markup import Markup


class Tone(StrEnum):
    """What a reader should feel. Always said in words too: colour alone tells nothing to many."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Cell:
    """One value. ``code``: a name or a position, to be read letter by letter."""

    text: str
    tone: Tone = Tone.PLAIN
    code: bool = False
    number: bool = False
    tight: bool = False  # never broken into lines, such as a time


@dataclass(frozen=True)
class Paragraph:
    """A few sentences."""

    text: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True)
class Table:
    """``caption`` says what the table shows, for those who cannot see it at a glance. Without heads, rows begin with theirs."""

    caption: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]


@dataclass(frozen=True)
class Listing:
    """Text as a machine wrote it, such as a transaction. ``title`` says what it is; long ones are folded."""

    title: str
    text: str


@dataclass(frozen=True)
class Sentences:
    """One each."""

    items: list[Paragraph]


@dataclass(frozen=True)
class Picture:
    """A drawing, and what it shows in words. ``legend``: what the colours mean, by the number of their turn."""

    svg: Markup
    words: str
    legend: list[tuple[int, str]] = field(default_factory=list)


Block = Paragraph | Table | Listing | Sentences | Picture


@dataclass(frozen=True)
class Section:
    """A part with a name. ``anchor`` is its address in the page."""

    anchor: str
    title: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Tile:
    """One figure of the first screen."""

    name: str
    figure: str
    note: str = ""
    tone: Tone = Tone.PLAIN
    anchor: str = ""  # of the part that tells more


@dataclass(frozen=True)
class Report:
    """A whole one. ``verdict``: how it stands, in a sentence."""

    title: str
    subtitle: str
    verdict: Paragraph
    tiles: list[Tile]
    sections: list[Section]
    made: str
