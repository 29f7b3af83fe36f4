"""A table cut by its key: from after one key up to another, so that every row, wherever it is written, lies in one span."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.aurora.verification.tables import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.aurora.verification.tables import Column, Table

Bound = tuple[str, ...]  # SQL literals, one for each column of the key


@dataclass(frozen=True)
class Span:
    """Rows with a key after ``after`` and not after ``upto``; None is the table's end on that side.

    A bound may have the first columns of the key alone: all rows that begin so are then before the bound, or end with it.
    """

    after: Bound | None = None
    upto: Bound | None = None


def where(table: Table, span: Span) -> str:
    """The condition for the rows of a span, empty for the whole table. Its first column bounds the range of the index."""
    parts = []
    if span.after is not None:
        parts.append(_beyond(table.key[: len(span.after)], span.after, ">"))
    if span.upto is not None:
        parts.append(_beyond(table.key[: len(span.upto)], span.upto, "<", inclusive=True))
    return f" WHERE {' AND '.join(parts)}" if parts else ""


def among(table: Table, keys: Sequence[Bound]) -> str:
    """The condition for the rows of these keys."""
    if len(table.key) == 1:
        return f" WHERE {quoted(table.key[0])} IN ({', '.join(key[0] for key in keys)})"
    return " WHERE " + " OR ".join(f"({_equal(table.key, key)})" for key in keys)


def key_literals(table: Table) -> str:
    """Expressions to select, one for each column of the key, that give the literal by which SQL finds the row again."""
    return ", ".join(_literal(column) for column in table.key_columns)


def nth_key(table: Table, span: Span, rows: int) -> str:
    """The query for the key of the row of that number in the span, counted from 1; no row comes where it has fewer."""
    order = ", ".join(quoted(name) for name in table.key)
    # Identifiers are quoted, and literals are the server's own.
    return f"SELECT {key_literals(table)} FROM {table.sql}{where(table, span)} ORDER BY {order} LIMIT {rows - 1}, 1"  # noqa: S608


def _beyond(names: Sequence[str], bound: Bound, sign: str, *, inclusive: bool = False) -> str:
    """``(a, b) > (x, y)`` written so that MySQL 5.7 and MariaDB use the index: ``a >= x AND (a > x OR (a = x AND b > y))``."""
    name, value = quoted(names[0]), bound[0]
    last = f"{sign}=" if inclusive else sign
    if len(names) == 1:
        return f"{name} {last} {value}"
    rest = _beyond(names[1:], bound[1:], sign, inclusive=inclusive)
    return f"{name} {sign}= {value} AND ({name} {sign} {value} OR ({name} = {value} AND {rest}))"


def _equal(names: Sequence[str], key: Bound) -> str:
    return " AND ".join(f"{quoted(name)} = {value}" for name, value in zip(names, key, strict=True))


def _literal(column: Column) -> str:
    """In the form that ``binlog.literals`` has: both name the same row by the same text."""
    name = quoted(column.name)
    if column.type_name in ("enum", "set", "bit"):
        return f"CAST({name} + 0 AS CHAR)"
    if column.is_integer or column.type_name in ("decimal", "year"):
        return f"CAST({name} AS CHAR)"
    if column.charset is not None or column.type_name in ("binary", "varbinary"):
        introducer = f"_{column.charset} X" if column.charset else "X"
        return f"CONCAT('{introducer}', QUOTE(HEX({name})))"
    return f"QUOTE({name})"
