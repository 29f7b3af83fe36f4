"""Table map events: the name and the column types that the row events after them refer to."""

from __future__ import annotations

from typing import NamedTuple

from kuroshio.aurora.binlog.widths import Width, width
from kuroshio.errors import BinlogUnreadable

_ID_BYTES = 6
_LENENC_2, _LENENC_3, _LENENC_8 = 0xFC, 0xFD, 0xFE
_METADATA_BYTES = dict.fromkeys((4, 5, 17, 18, 19, 140, 242, 245, 249, 250, 251, 252, 255), 1) | dict.fromkeys(
    (15, 16, 141, 246, 247, 248, 253, 254), 2
)


class TableMap(NamedTuple):
    """A table as its row events are laid out. ``widths``: for each column, how far its value reaches."""

    number: int
    schema: str
    name: str
    widths: tuple[Width, ...]


def number(body: bytes) -> int:
    """The table's number, which row events repeat."""
    return int.from_bytes(body[:_ID_BYTES], "little")


def table_map(body: bytes) -> TableMap:
    """Raises BinlogUnreadable where a column has a type that has no place in a row event."""
    at = _ID_BYTES + 2
    schema, at = _text(body, at)
    name, at = _text(body, at)
    count, at = lenenc(body, at)
    kinds, at = body[at : at + count], at + count
    _, at = lenenc(body, at)
    widths = []
    for kind in kinds:
        size = _METADATA_BYTES.get(kind, 0)
        metadata, at = body[at : at + size], at + size
        try:
            widths.append(width(kind, metadata))
        except (ValueError, IndexError) as error:
            raise BinlogUnreadable(f"table {schema}.{name}, column {len(widths) + 1}: {error}") from error
    return TableMap(number(body), schema, name, tuple(widths))


def lenenc(body: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where the next field begins."""
    first = body[at]
    if first < _LENENC_2:
        return first, at + 1
    size = {_LENENC_2: 2, _LENENC_3: 3, _LENENC_8: 8}.get(first)
    if size is None:
        raise BinlogUnreadable(f"{first:#x} begins no length-encoded integer")
    return int.from_bytes(body[at + 1 : at + 1 + size], "little"), at + 1 + size


def _text(body: bytes, at: int) -> tuple[str, int]:
    length = body[at]
    return body[at + 1 : at + 1 + length].decode("utf-8", "replace"), at + length + 2
