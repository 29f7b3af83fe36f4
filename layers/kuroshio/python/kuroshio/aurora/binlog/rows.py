"""The primary keys in row events, cut out as the bytes that stand there, without reading the other columns.

A binlog holds the same value always as the same bytes, so equal keys are equal bytes; ``literals`` reads them.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.aurora.binlog.tables import lenenc
from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kuroshio.aurora.binlog.tables import TableMap
    from kuroshio.aurora.binlog.widths import Width

_V1 = {23: "write", 24: "update", 25: "delete"}
_V2 = {30: "write", 31: "update", 32: "delete", 39: "update"}  # 39: PARTIAL_UPDATE_ROWS, of JSON columns
_COMPRESSED_V1 = {166: "write", 167: "update", 168: "delete"}
_COMPRESSED_V2 = {169: "write", 170: "update", 171: "delete"}
_VERBS = _V1 | _V2 | _COMPRESSED_V1 | _COMPRESSED_V2
ROW_KINDS = frozenset(_VERBS)
_PARTIAL_UPDATE = 39
_V1_HEADER = 8

Key = tuple[bytes, ...]


class _Columns(NamedTuple):
    """The columns that one image of a row has, in the order of the table. ``parts``: which of them are of the key,
    as pairs of their place among the columns here and their place in the key, in the order of the columns.
    """

    widths: tuple[Width, ...]
    parts: tuple[tuple[int, int], ...]
    nulls: int  # bytes of the null bitmap


def verb(kind: int) -> str:
    """``write``, ``update`` or ``delete``."""
    return _VERBS[kind]


def keys(kind: int, body: bytes, table: TableMap, primary: Sequence[int]) -> Iterator[Key]:
    """The primary key of every row image that the event holds. ``primary``: places of its columns in the table.

    An update yields the key before it and the key after it. Where ``binlog_row_image`` left out of the second image what
    stayed the same, that may be a part of the key; it is taken from the first. Raises BinlogUnreadable where the event
    does not fit the table, or holds no key.
    """
    try:
        yield from _keys(kind, body, table, tuple(primary))
    except (IndexError, zlib.error) as error:
        raise BinlogUnreadable(f"rows of {table.schema}.{table.name} do not fit its columns: {error}") from error


def _keys(kind: int, body: bytes, table: TableMap, primary: tuple[int, ...]) -> Iterator[Key]:
    at = _V1_HEADER
    if kind in _V2 or kind in _COMPRESSED_V2:
        at += int.from_bytes(body[at : at + 2], "little")
    count, at = lenenc(body, at)
    if count != len(table.widths):
        raise BinlogUnreadable(f"{table.schema}.{table.name} has {len(table.widths)} columns, its rows have {count}")
    size = (count + 7) // 8
    images = 2 if verb(kind) == "update" else 1
    columns = []
    for _ in range(images):
        columns.append(_present(table, body[at : at + size], primary))
        at += size
    if len(columns[0].parts) != len(primary):
        raise BinlogUnreadable(f"rows of {table.schema}.{table.name} come without their primary key")
    if kind in _COMPRESSED_V1 or kind in _COMPRESSED_V2:
        body, at = inflated(body, at), 0
    if kind == _PARTIAL_UPDATE:
        raise BinlogUnreadable(f"rows of {table.schema}.{table.name} hold parts of JSON documents")
    if len(primary) == 1:
        yield from _alone(body, at, columns, table)
        return
    readers = [_reader(each, len(primary)) for each in columns]
    end = len(body)
    key: Key = ()
    while at < end:
        for read in readers:
            key, at = read(body, at, key)
            yield key
    _check(table, at - end)


def _alone(body: bytes, at: int, columns: Sequence[_Columns], table: TableMap) -> Iterator[Key]:
    """The same where the key is one column, as in most tables: without a call for each image."""
    images: list[tuple[_Columns, int, dict[bytes, list[tuple[int, int, int]]]]] = [
        (each, each.nulls, {}) for each in columns
    ]
    end, raw = len(body), b""
    while at < end:
        for image, size, plans in images:
            nulls = body[at : at + size]
            at += size
            plan = plans.get(nulls)
            if plan is None:
                plan = plans[nulls] = _plan(image, nulls)
            for skip, prefix, wanted in plan:
                at += skip
                length = wanted
                if prefix:
                    length = prefix + (body[at] if prefix == 1 else int.from_bytes(body[at : at + prefix], "little"))
                if wanted:
                    raw = body[at : at + length]
                at += length
            yield (raw,)
    _check(table, at - end)


def _check(table: TableMap, beyond: int) -> None:
    if beyond:
        raise BinlogUnreadable(f"rows of {table.schema}.{table.name} reach {beyond} bytes beyond their event")


def _present(table: TableMap, bitmap: bytes, primary: tuple[int, ...]) -> _Columns:
    there = [i for i in range(len(table.widths)) if bitmap[i // 8] >> i % 8 & 1]
    parts = tuple((place, primary.index(column)) for place, column in enumerate(there) if column in primary)
    return _Columns(tuple(table.widths[i] for i in there), parts, (len(there) + 7) // 8)


def _reader(columns: _Columns, whole: int) -> Callable[[bytes, int, Key], tuple[Key, int]]:
    """Reads one image: its key, completed from the one before it, and where the next begins.

    Runs of columns with a fixed width are one step.
    """
    plans: dict[bytes, list[tuple[int, int, int]]] = {}  # by the bitmap of NULLs, of which a table has few
    order = [part for _, part in columns.parts]
    in_order = order == list(range(whole))

    def read(body: bytes, at: int, before: Key) -> tuple[Key, int]:
        nulls = body[at : at + columns.nulls]
        at += columns.nulls
        plan = plans.get(nulls)
        if plan is None:
            plan = plans[nulls] = _plan(columns, nulls)
        spans: list[bytes] = []
        for skip, prefix, wanted in plan:
            at += skip
            if prefix:
                begin = at
                at += prefix + int.from_bytes(body[at : at + prefix], "little")
                if wanted:
                    spans.append(body[begin:at])
            elif wanted:
                spans.append(body[at : at + wanted])
                at += wanted
        if in_order:
            return tuple(spans), at
        found = dict(zip(order, spans, strict=True))
        return tuple(found.get(part, before[part] if before else b"") for part in range(whole)), at

    return read


def _plan(columns: _Columns, nulls: bytes) -> list[tuple[int, int, int]]:
    """Steps: bytes to skip, then the prefix of a value with a length of its own, or the bytes of a fixed one that is wanted."""
    steps: list[tuple[int, int, int]] = []
    skip = 0
    keys = {place for place, _ in columns.parts}
    for place, width in enumerate(columns.widths):
        if nulls[place // 8] >> place % 8 & 1:
            continue
        wanted = place in keys
        if width.prefix:
            steps.append((skip, width.prefix, wanted))
            skip = 0
        elif wanted:
            steps.append((skip, 0, width.fixed))
            skip = 0
        else:
            skip += width.fixed
    return [*steps, (skip, 0, 0)]


def inflated(body: bytes, at: int) -> bytes:
    """MariaDB's compressed content: a byte with the algorithm and the bytes of the length, the length, a zlib stream."""
    header = body[at]
    size = header & 0x07
    length = int.from_bytes(body[at + 1 : at + 1 + size], "big")
    unpacker = zlib.decompressobj()
    inflated = unpacker.decompress(body[at + 1 + size :], length)
    if header >> 4 & 0x07 or len(inflated) != length:
        raise BinlogUnreadable("compressed rows that do not unpack to their length")
    return inflated
