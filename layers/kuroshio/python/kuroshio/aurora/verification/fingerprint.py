"""Rows summed up by the server: a count, and a number that differs where rows differ.

The usual sum, ``BIT_XOR(CRC32(row))``, is blind to values that changed places. CRC32 is affine: for texts of equal length,
crc(a·x) ⊕ crc(b·y) = crc(a·y) ⊕ crc(b·x). So where two rows of a chunk exchange their values of a column, the sum stays
as it was, and pt-table-checksum and its like report no difference. Here each row's CRC32 is multiplied by a number
made of its key before it is summed: multiplication is not linear over bits, so nothing cancels but by chance.

Floating point travels as the bytes of a POINT: exact, where the text of a FLOAT is rounded, and several times as fast.

The session must have ``SET NAMES binary`` (numbers and text then meet without conversion), ``time_zone = '+00:00'`` and
none of ANSI_QUOTES, PIPES_AS_CONCAT in its ``sql_mode``: see ``SESSION``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.verification.tables import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kuroshio.aurora.verification.tables import Column, Table

SESSION = (
    "SET NAMES binary",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",  # no undo is held for us, and no gap is locked
)
_MOST_BITS = 60  # of a bitmap in one number
_MASK = 0xFFFFFFFF


def fingerprint(table: Table) -> str:
    """Two expressions to select: how many rows there are, and their fingerprint."""
    if not table.key:
        # Without a key, equal rows may stand twice, and a XOR would cancel them: these are added.
        return f"COUNT(*), COALESCE(SUM({_weight(table)}), 0)"
    return f"COUNT(*), COALESCE(BIT_XOR({_weight(table)}), 0)"


def digest(table: Table) -> str:
    """An expression for a single row, by which two rows can be called equal for good: SHA-256 in hexadecimal.

    MD5 and SHA-1 are gone from MySQL 9.
    """
    floats = [f"IFNULL(HEX({each}), '')" for each in _points(table.columns)]
    return f"SHA2({_joined([_text(table), *floats])}, 256)"


def _weight(table: Table) -> str:
    text = _text(table)
    # ^ binds tighter than * and &, so every factor stands in parentheses or is a call.
    factor = " ^ ".join([_spread(table, text), *(f"IFNULL(CRC32({each}), 1)" for each in _points(table.columns))])
    return f"CRC32({text}) * (({factor}) | 1)"


def _spread(table: Table, text: str) -> str:
    """32 bits of the key. A number is multiplied, which costs half of what its text and CRC32 do, and is as good."""
    if len(table.key) == 1 and table.key_columns[0].is_integer:
        # The parts are masked so that no product passes 64 bits, which would be an error. 2654435761: 2^32 / golden ratio.
        return f"(({quoted(table.key[0])} & {_MASK}) * 2654435761 & {_MASK})"
    key = _joined([_value(column) for column in table.key_columns]) if table.key else f"CONCAT('#', {text})"
    return f"CRC32({key})"


def _text(table: Table) -> str:
    """All columns but floating point as one text; no two different rows of a table share it, float apart."""
    columns = [column for column in table.columns if not column.generated]
    exact = [column for column in columns if not column.is_float]
    lengths = [f"LENGTH({quoted(column.name)})" for column in exact if column.has_length]
    # One text of any length ends where the numbers around it begin; two need their lengths to be told apart.
    parts = [_value(column) for column in exact] + (lengths[:-1] if len(lengths) > 1 else [])
    parts += _bitmaps(columns)
    return _joined(parts or ["''"])


def _bitmaps(columns: Sequence[Column]) -> Iterator[str]:
    names = [quoted(column.name) for column in columns if column.nullable]
    for first in range(0, len(names), _MOST_BITS):
        bits = enumerate(names[first : first + _MOST_BITS])
        yield " | ".join(f"(({name} IS NULL) << {bit})" for bit, name in bits)


def _points(columns: Iterable[Column]) -> Iterator[str]:
    for column in columns:
        if column.is_float and not column.generated:
            yield f"POINT({quoted(column.name)}, 0)"


def _value(column: Column) -> str:
    """The column as text that is the same on every engine and version."""
    name = quoted(column.name)
    if column.type_name in ("enum", "set", "bit"):
        return f"{name} + 0"
    if column.type_name == "json":
        return f"CAST({name} AS CHAR CHARACTER SET utf8mb4)"
    if column.is_spatial:
        return f"CONCAT(ST_SRID({name}), ST_AsBinary({name}))"
    return name


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"CONCAT_WS('#', {', '.join(parts)})"
