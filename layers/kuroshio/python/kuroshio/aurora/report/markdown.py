"""A report as Markdown, for a pull request, a ticket or a wiki. Pictures are told in words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import singledispatch

from kuroshio.aurora.report.blocks import Cell, Listing, Paragraph, Picture, Report, Sentences, Table, Tone
from kuroshio.changes.rendering.words import printable

_SIGNS = {Tone.PLAIN: "", Tone.GOOD: "✓ ", Tone.WARN: "! ", Tone.BAD: "✗ "}


def written(report: Report) -> str:
    """Return the text. Nothing of what it quotes can become a heading, a link, a mention or HTML."""
    lines = [f"# {_text(report.title)}", "", _text(report.subtitle), "", f"**{_text(report.verdict.text)}**", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {_text(tile.name)} | **{_text(tile.figure)}** {_text(tile.note)} |" for tile in report.tiles]
    for section in report.sections:
        lines += ["", f"## {_text(section.title)}"]
        for block in section.blocks:
            lines += ["", *_block(block)]
    return "\n".join([*lines, "", "---", "", _text(report.made), ""])


@singledispatch
def _block(block: object) -> Iterator[str]:
    raise TypeError(block)


@_block.register
def _(block: Paragraph) -> Iterator[str]:
    yield _SIGNS[block.tone] + _text(block.text)


@_block.register
def _(block: Table) -> Iterator[str]:
    yield from (f"_{_text(block.caption)}_", "")
    heads = block.heads or ("", *("" for _ in block.rows[:1] for _ in block.rows[0][1:]))
    yield f"| {' | '.join(map(_text, heads))} |"
    yield "|" + "|".join("---" for _ in heads) + "|"
    for row in block.rows:
        yield f"| {' | '.join(map(_cell, row))} |"


@_block.register
def _(block: Listing) -> Iterator[str]:
    yield from (f"{_text(block.title)}:", "")
    # Four blanks make code that no fence inside of it can end.
    yield from (f"    {printable(line)}" for line in block.text.split("\n"))


@_block.register
def _(block: Sentences) -> Iterator[str]:
    yield from (f"- {_SIGNS[each.tone]}{_text(each.text)}" for each in block.items)


@_block.register
def _(block: Picture) -> Iterator[str]:
    yield _text(block.words)


def _cell(cell: Cell) -> str:
    if cell.code and cell.text:
        quoted = "".join(map(printable, cell.text)).translate({ord("`"): "'", ord("|"): "\N{BROKEN BAR}"})
        return f"`{quoted}`"
    return _SIGNS[cell.tone] + "<br>".join(map(_text, cell.text.split("\n")))


def _text(text: str) -> str:
    one_line = " ".join(text.split("\n"))
    return re.sub(r"([\\`*_{}\[\]#|<>@~&!])", lambda match: f"&#{ord(match[0])};", printable(one_line))
