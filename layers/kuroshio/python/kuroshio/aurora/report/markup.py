"""HTML by elements. What is not ``Markup`` is text and is escaped: there is no other way to make a page here."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kuroshio.changes.rendering.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset({"br", "circle", "hr", "line", "meta", "path", "polygon", "polyline", "rect"})


class Markup(str):
    """Text that is HTML already: only ``element`` and ``joined`` make it of anything that comes from elsewhere."""

    __slots__ = ()


def escaped(content: object) -> Markup:
    """Text of any origin as HTML; Markup as it is. Control and direction characters are shown by their numbers."""
    if isinstance(content, Markup):
        return content
    return Markup(escape("\n".join(map(printable, str(content).split("\n"))), quote=True))


def joined(parts: Iterable[object], between: str = "") -> Markup:
    """The parts one after the other."""
    return Markup(escaped(between).join(escaped(part) for part in parts))


def element(name: str, /, *content: object, **attributes: object) -> Markup:
    """One element. Attributes are written with ``-`` for ``_`` (``class_`` is ``class``); None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID and not content:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(content)}</{name}>")
