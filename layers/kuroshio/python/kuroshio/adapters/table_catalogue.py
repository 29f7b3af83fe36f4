"""The tables of a server, from its ``information_schema``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog.touched import Layout
from kuroshio.aurora.dialect import OWN_SCHEMAS
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
_CARRYING = frozenset({"CASCADE", "SET NULL", "SET DEFAULT"})


def tables(server: Server) -> list[Table]:
    """All tables of users, in the order of their names."""
    columns: defaultdict[Name, list[Column]] = defaultdict(list)
    for schema, name, column, type_name, nullable, shown, charset, extra in server.rows(_COLUMNS):
        is_virtual = "VIRTUAL" in str(extra).upper() and "GENERATED" in str(extra).upper()
        columns[schema, name].append(
            Column(
                column,
                str(type_name).lower(),
                bool(nullable),
                "unsigned" in str(shown).lower(),
                charset,
                is_virtual,
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
