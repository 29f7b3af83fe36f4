"""Whole rows of row events as text that a person reads: what a transaction did, or would have done.

For reading one transaction, not for reading a binlog: ``rows`` is what is fast.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog import rows
from kuroshio.aurora.binlog.literals import literal
from kuroshio.aurora.binlog.tables import lenenc
from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kuroshio.aurora.binlog.tables import TableMap
    from kuroshio.aurora.binlog.widths import Width
    from kuroshio.aurora.verification.tables import Column

_HEADER = 8
_WITH_EXTRA = frozenset({30, 31, 32, 39, 169, 170, 171})
_COMPRESSED = frozenset(range(166, 172))
_FLOATS = {4: "<f", 5: "<d"}
_TEXTS = frozenset({15, 249, 250, 251, 252, 253, 254})
_LONGEST = 200
_WORDS = {"write": "INSERT", "update": "UPDATE", "delete": "DELETE"}

Image = tuple[str, ...]  # "id=1", "note='x'": the columns that the event holds


def changes(kind: int, body: bytes, table: TableMap, columns: Sequence[Column] = ()) -> Iterator[str]:
    """A line for each row: ``INSERT shop.orders id=1, note='x'``.

    ``columns``: those of the table as it is now; where their number is another they are told by number, as
    mysqlbinlog does. Raises BinlogUnreadable where the event does not fit the table.
    """
    verb = _WORDS[rows.verb(kind)]
    name = f"{table.schema}.{table.name}"
    try:
        for images in _rows(kind, body, table, columns if len(columns) == len(table.widths) else ()):
            yield f"{verb} {name} " + " -> ".join(", ".join(image) for image in images)
    except (IndexError, struct.error, zlib.error) as error:
        raise BinlogUnreadable(f"rows of {name} do not fit its columns: {error}") from error


def _rows(kind: int, body: bytes, table: TableMap, columns: Sequence[Column]) -> Iterator[list[Image]]:
    at = _HEADER
    if kind in _WITH_EXTRA:
        at += int.from_bytes(body[at : at + 2], "little")
    count, at = lenenc(body, at)
    size = (count + 7) // 8
    present = []
    for _ in range(2 if rows.verb(kind) == "update" else 1):
        bitmap, at = body[at : at + size], at + size
        present.append([place for place in range(count) if bitmap[place // 8] >> place % 8 & 1])
    if kind in _COMPRESSED:
        body, at = rows.inflated(body, at), 0
    while at < len(body):
        images = []
        for places in present:
            image, at = _image(body, at, places, table, columns)
            images.append(image)
        yield images


def _image(
    body: bytes, at: int, places: Sequence[int], table: TableMap, columns: Sequence[Column]
) -> tuple[Image, int]:
    size = (len(places) + 7) // 8
    nulls, at = body[at : at + size], at + size
    shown = []
    for order, place in enumerate(places):
        column = columns[place] if columns else None
        name = column.name if column else f"@{place + 1}"
        if nulls[order // 8] >> order % 8 & 1:
            shown.append(f"{name}=NULL")
            continue
        width = table.widths[place]
        length = width.fixed
        if width.prefix:
            length = width.prefix + int.from_bytes(body[at : at + width.prefix], "little")
        if at + length > len(body):
            raise IndexError(f"a value of {length} bytes reaches beyond the event")
        shown.append(f"{name}={value(body[at : at + length], width, column)}")
        at += length
    return tuple(shown), at


def value(raw: bytes, width: Width, column: Column | None) -> str:
    """One value: text as text, what has no text as hexadecimal digits, long ones cut with their length."""
    if width.kind in _FLOATS:
        return repr(struct.unpack(_FLOATS[width.kind], raw)[0])
    if width.kind in _TEXTS:
        return _text(raw[width.prefix :], column)
    try:
        return literal(raw, width, unsigned=bool(column and column.unsigned))
    except BinlogUnreadable:
        return _digits(raw[width.prefix :])


def _text(held: bytes, column: Column | None) -> str:
    if column is not None and column.charset is None:
        return _digits(held)
    try:
        text = held.decode("latin-1" if column and column.charset == "latin1" else "utf-8")
    except UnicodeDecodeError:
        return _digits(held)
    cut = f"… ({len(held):,} bytes)" if len(text) > _LONGEST else ""
    return "'" + text[:_LONGEST].replace("\\", "\\\\").replace("'", "\\'") + "'" + cut


def _digits(held: bytes) -> str:
    cut = f"… ({len(held):,} bytes)" if len(held) > _LONGEST else ""
    return f"X'{held[:_LONGEST].hex().upper()}'{cut}"
