"""Rows as statements: every value as the literal that gives it back exactly, written by the server that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.verification.spans import among
from kuroshio.aurora.verification.tables import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Column, Table


def stored(table: Table) -> list[Column]:
    """The columns that a statement may give a value."""
    return [column for column in table.columns if not column.computed]


def literals(table: Table, keys: Sequence[Bound]) -> str:
    """The query for the rows of these keys, each value as a literal. Rows are locked until the transaction ends."""
    values = ", ".join(f"IFNULL({_literal(column)}, 'NULL')" for column in stored(table))
    return f"SELECT {values} FROM {table.sql}{among(table, keys)} FOR UPDATE"  # noqa: S608 - quoted names, the server's literals


def removal(table: Table, keys: Sequence[Bound]) -> str:
    """The statement that removes the rows of these keys."""
    return f"DELETE FROM {table.sql}{among(table, keys)}"  # noqa: S608


def insertion(table: Table, rows: Sequence[Sequence[str]]) -> str:
    """The statement that writes rows whose values are literals."""
    names = ", ".join(quoted(column.name) for column in stored(table))
    values = ", ".join(f"({', '.join(row)})" for row in rows)
    return f"INSERT INTO {table.sql} ({names}) VALUES {values}"  # noqa: S608


def _literal(column: Column) -> str:
    name = quoted(column.name)
    if column.type_name in ("enum", "set", "bit"):
        return f"CAST({name} + 0 AS CHAR)"
    if column.is_float:
        # As a double every float has its exact value, and text of a double reads back as the same bits; a bare -0 would not.
        return f"QUOTE({name} + 0e0)"
    if column.is_integer or column.type_name in ("decimal", "year"):
        return f"CAST({name} AS CHAR)"
    if column.type_name == "json" and column.charset is None:
        return f"CONCAT('_utf8mb4 X', QUOTE(HEX(CAST({name} AS CHAR CHARACTER SET utf8mb4))))"
    if column.has_length or column.charset is not None:
        introducer = f"_{column.charset} X" if column.charset else "X"
        return f"CONCAT('{introducer}', QUOTE(HEX({name})))"
    return f"QUOTE({name})"
