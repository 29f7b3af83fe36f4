"""A report as one HTML page that loads nothing: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from kuroshio.aurora.report.blocks import Listing, Paragraph, Picture, Report, Section, Sentences, Table, Tile, Tone
from kuroshio.aurora.report.markup import Markup, element, joined
from kuroshio.aurora.report.style import STYLE

if TYPE_CHECKING:
    from kuroshio.aurora.report.blocks import Cell

# Nothing may be fetched or run even if a browser finds a way: the page shows names out of other people's databases.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_FOLDED = 12  # lines that are shown at once


def written(report: Report) -> str:
    """Return the page."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", report.title),
        Markup(f"<style>{STYLE}</style>"),
    )
    body = element(
        "div",
        element("header", element("h1", report.title), element("p", report.subtitle)),
        element("p", report.verdict.text, class_=f"verdict {report.verdict.tone}", role="status"),
        element("ul", *map(_tile, report.tiles), class_="tiles"),
        element(
            "nav", *(element("a", each.title, href=f"#{each.anchor}") for each in report.sections), aria_label="Parts"
        ),
        element("main", *map(_section, report.sections)),
        element("footer", report.made),
        class_="page",
    )
    return "<!doctype html>\n" + element("html", head, element("body", body), lang="en") + "\n"


def _tile(tile: Tile) -> Markup:
    parts = (
        element("span", tile.name, class_="name"),
        element("span", tile.figure, class_=f"figure {tile.tone}"),
        element("span", tile.note, class_="note") if tile.note else "",
    )
    return element("li", element("a", *parts, href=f"#{tile.anchor}") if tile.anchor else joined(parts))


def _section(section: Section) -> Markup:
    name = f"{section.anchor}-title"
    title = element("h2", section.title, id=name)
    return element("section", title, *map(_block, section.blocks), id=section.anchor, aria_labelledby=name)


@singledispatch
def _block(block: object) -> Markup:
    raise TypeError(block)


@_block.register
def _(block: Paragraph) -> Markup:
    return element("p", block.text, class_=block.tone if block.tone is not Tone.PLAIN else None)


@_block.register
def _(block: Table) -> Markup:
    if not block.heads:
        return _facts(block)
    numeric = [all(row[column].number for row in block.rows) for column in range(len(block.heads))]
    heads = [
        element("th", head, scope="col", class_="number" if right else None)
        for head, right in zip(block.heads, numeric, strict=True)
    ]
    rows = [element("tr", *map(_cell, row)) for row in block.rows]
    table = element(
        "table", element("caption", block.caption), element("thead", element("tr", *heads)), element("tbody", *rows)
    )
    # Wide tables scroll on narrow screens, also by keyboard.
    return element("div", table, class_="wide", tabindex=0, role="region", aria_label=block.caption)


@_block.register
def _(block: Listing) -> Markup:
    is_open = "open" if block.text.count("\n") < _FOLDED else None
    return element("details", element("summary", block.title), element("pre", block.text), open=is_open)


@_block.register
def _(block: Sentences) -> Markup:
    rows = (element("li", each.text, class_=each.tone if each.tone is not Tone.PLAIN else None) for each in block.items)
    return element("ul", *rows, class_="sentences")


@_block.register
def _(block: Picture) -> Markup:
    keys = (element("li", element("i", class_=f"p{turn % 6}"), said) for turn, said in block.legend)
    legend = element("ul", *keys, class_="legend") if block.legend else ""
    return element("figure", element("div", block.svg, class_="drawing"), legend)


def _facts(block: Table) -> Markup:
    rows = [element("tr", element("th", name.text, scope="row"), *map(_cell, values)) for name, *values in block.rows]
    return element(
        "div", element("table", element("caption", block.caption), element("tbody", *rows)), class_="wide facts"
    )


def _cell(cell: Cell) -> Markup:
    kinds = [cell.tone if cell.tone is not Tone.PLAIN else "", "number" * cell.number, "tight" * cell.tight]
    content = element("code", cell.text) if cell.code and cell.text else joined(cell.text.split("\n"), Markup("<br/>"))
    return element("td", content, class_=" ".join(kind for kind in kinds if kind) or None)
