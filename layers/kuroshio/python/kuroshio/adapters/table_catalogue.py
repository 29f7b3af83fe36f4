"""The tables of a server, from its ``information_schema``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog.touched import Layout
from kuroshio.aurora.dialect import OWN_SCHEMAS
from kuroshio.aurora.verification.schema import ColumnDefinition, Definition
from kuroshio.aurora.verification.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.adapters.mysql import Server
    from kuroshio.aurora.binlog.statements import Name

_TABLES = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(TABLE_ROWS, 0) FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2"""  # noqa: S608
_COLUMNS = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, IS_NULLABLE = 'YES', COLUMN_TYPE, CHARACTER_SET_NAME, EXTRA
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2, ORDINAL_POSITION"""  # noqa: S608
# A key over the beginning of a column finds no single row, so the whole key is of no use then.
_KEYS = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, SUB_PART IS NOT NULL FROM information_schema.STATISTICS
WHERE INDEX_NAME = 'PRIMARY' AND TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2, SEQ_IN_INDEX"""  # noqa: S608
_CASCADES = f"""
SELECT UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, CONSTRAINT_SCHEMA, TABLE_NAME, DELETE_RULE, UPDATE_RULE
FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA NOT IN {OWN_SCHEMAS}"""  # noqa: S608
_DEFINED = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE = 'YES', COLUMN_DEFAULT, CHARACTER_SET_NAME, COLLATION_NAME,
  EXTRA, GENERATION_EXPRESSION
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2, ORDINAL_POSITION"""  # noqa: S608
_INDEXES = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, NON_UNIQUE = 0, COLUMN_NAME, SUB_PART
FROM information_schema.STATISTICS WHERE TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2, 3, SEQ_IN_INDEX"""  # noqa: S608
_ENGINES = f"""
SELECT TABLE_SCHEMA, TABLE_NAME, COALESCE(ENGINE, '') FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1, 2"""  # noqa: S608
_CARRYING = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def tables(server: Server) -> list[Table]:
    """All tables of users, in the order of their names."""
    columns: defaultdict[Name, list[Column]] = defaultdict(list)
    for schema, name, column, type_name, nullable, shown, charset, extra in server.rows(_COLUMNS):
        words = str(extra).upper()
        # DEFAULT_GENERATED is MySQL 8's word for a default that is an expression.
        computed = " GENERATED" in words
        columns[schema, name].append(
            Column(
                column,
                str(type_name).lower(),
                bool(nullable),
                "unsigned" in str(shown).lower(),
                charset,
                generated=computed and "VIRTUAL" in words,
                computed=computed,
            )
        )
    keys = _keys(server)
    return [
        Table(schema, name, tuple(columns[schema, name]), keys.get((schema, name), ()), int(rows))
        for schema, name, rows in server.rows(_TABLES)
    ]


def layouts(server: Server, of: Iterable[Table]) -> dict[Name, Layout]:
    """How the rows of the tables lie in a binlog, and where foreign keys carry their changes."""
    carried: defaultdict[Name, list[tuple[Name, str]]] = defaultdict(list)
    for parent_schema, parent, schema, name, on_delete, on_update in server.rows(_CASCADES):
        for verb, rule in (("delete", on_delete), ("update", on_update)):
            if rule in _CARRYING:
                carried[parent_schema, parent].append(((schema, name), verb))
    found = {}
    for table in of:
        places = {column.name: place for place, column in enumerate(_stored(table))}
        primary = tuple(places[name] for name in table.key)
        found[table.label] = Layout(primary, len(places), tuple(carried[table.label]))
    return found


def definitions(server: Server) -> dict[Name, Definition]:
    """All that a table's definition says which may differ between two servers."""
    columns: defaultdict[Name, list[ColumnDefinition]] = defaultdict(list)
    for schema, name, column, kind, nullable, default, charset, collation, extra, expression in server.rows(_DEFINED):
        columns[schema, name].append(
            ColumnDefinition(
                column,
                _text(kind),
                bool(nullable),
                None if default is None else _text(default),
                charset or "",
                collation or "",
                _text(extra),
                _text(expression),
            )
        )
    indexes: defaultdict[Name, dict[str, tuple[bool, tuple[str, ...]]]] = defaultdict(dict)
    for schema, name, index, unique, column, length in server.rows(_INDEXES):
        before = indexes[schema, name].get(index, (bool(unique), ()))[1]
        # MySQL 8 has indexes over expressions, whose columns have no name.
        part = f"{column or 'an expression'}({length})" if length else str(column or "an expression")
        indexes[schema, name][index] = (bool(unique), (*before, part))
    return {
        (schema, name): Definition(engine, tuple(columns[schema, name]), indexes[schema, name])
        for schema, name, engine in server.rows(_ENGINES)
    }


def _text(value: object) -> str:
    return "" if value is None else value.decode() if isinstance(value, bytes) else str(value)


def _stored(table: Table) -> list[Column]:
    """The columns that rows in a binlog have: MySQL writes virtual ones too, as they were computed."""
    return list(table.columns)


def _keys(server: Server) -> dict[Name, tuple[str, ...]]:
    keys: defaultdict[Name, list[str]] = defaultdict(list)
    partial: set[Name] = set()
    for schema, name, column, is_partial in server.rows(_KEYS):
        keys[schema, name].append(column)
        if is_partial:
            partial.add((schema, name))
    return {label: tuple(names) for label, names in keys.items() if label not in partial}
