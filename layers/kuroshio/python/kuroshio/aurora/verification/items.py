"""Verification's work, cut so that many can do it at once. An item is what one execution of the distributed Map does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.verification.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.aurora.binlog.statements import Name

_WHOLE = Span()


@dataclass(frozen=True)
class Part:
    """A span of a table, or keys of it that stand in an object of their own. ``rows``: how many that may be."""

    table: Name
    span: Span = _WHOLE
    keys: str = ""
    rows: int = 0

    def document(self) -> dict[str, Any]:
        """As it travels."""
        if self.keys:
            return {"table": list(self.table), "keys": self.keys, "rows": self.rows}
        bounds = {"after": self.span.after, "upto": self.span.upto}
        return {
            "table": list(self.table),
            "rows": self.rows,
            **{name: list(bound) for name, bound in bounds.items() if bound is not None},
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Part:
        """Read what ``document`` wrote."""
        schema, name = document["table"]
        span = Span(_bound(document.get("after")), _bound(document.get("upto")))
        return cls((schema, name), span, document.get("keys", ""), document["rows"])


@dataclass(frozen=True)
class Item:
    """Parts that are looked at one after the other."""

    number: int
    parts: tuple[Part, ...]

    def document(self) -> dict[str, Any]:
        """As it travels. It stays far below the 256 KB that an item of a distributed Map may have."""
        return {"item": self.number, "parts": [part.document() for part in self.parts]}

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Item:
        """Read what ``document`` wrote."""
        return cls(document["item"], tuple(Part.of(part) for part in document["parts"]))


# Parts have a key of at most 3,072 bytes on each side, in hexadecimal, so this many are below 256 KB whatever they hold.
_MOST_PARTS = 12
_SMALL = 200  # parts without bounds: names alone


def packed(parts: Iterable[Part], rows: int) -> list[Item]:
    """Fill items up to about ``rows`` with parts, in their order; large parts stand alone."""
    items: list[Item] = []
    held: list[Part] = []
    weight = 0
    for part in parts:
        most = _SMALL if all(each.span == _WHOLE for each in [*held, part]) else _MOST_PARTS
        if held and (weight + part.rows > rows or len(held) >= most):
            items.append(Item(len(items), tuple(held)))
            held, weight = [], 0
        held.append(part)
        weight += part.rows
    return [*items, Item(len(items), tuple(held))] if held else items


def _bound(values: list[str] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(values)
