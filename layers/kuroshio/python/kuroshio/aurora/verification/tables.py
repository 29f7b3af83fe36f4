"""Tables as verification sees them: columns, and the key by which rows are found on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kuroshio.aurora.binlog.statements import Name

_INTEGERS = frozenset({"tinyint", "smallint", "mediumint", "int", "bigint"})
_TEXTS = frozenset({"char", "varchar", "tinytext", "text", "mediumtext", "longtext"})
_BYTES = frozenset({"binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "vector"})
_FLOATS = frozenset({"float", "double"})
_SPATIAL = frozenset(
    {
        "geometry",
        "point",
        "linestring",
        "polygon",
        "multipoint",
        "multilinestring",
        "multipolygon",
        "geometrycollection",
        "geomcollection",
    }
)
_ORDERED = _INTEGERS | {
    "char",
    "varchar",
    "binary",
    "varbinary",
    "date",
    "datetime",
    "timestamp",
    "time",
    "decimal",
    "year",
}


@dataclass(frozen=True)
class Column:
    """A column, with the words of ``information_schema.COLUMNS``. ``type_name``: DATA_TYPE in lower case."""

    name: str
    type_name: str
    nullable: bool = False
    unsigned: bool = False
    charset: str | None = None
    generated: bool = False  # and not stored: it has no place in a row
    computed: bool = False  # stored or not, no statement gives it a value

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self.type_name in _INTEGERS

    @property
    def is_float(self) -> bool:
        """Whether it holds binary floating point."""
        return self.type_name in _FLOATS

    @property
    def is_spatial(self) -> bool:
        """Whether it holds shapes."""
        return self.type_name in _SPATIAL

    @property
    def has_length(self) -> bool:
        """Whether its text may be of any length, so that only a length keeps it apart from its neighbour."""
        return self.type_name in _TEXTS | _BYTES | {"json"} or self.is_spatial

    @property
    def is_ordered(self) -> bool:
        """Whether ranges over it mean the same on both sides: SQL compares it as its index does."""
        return self.type_name in _ORDERED


@dataclass(frozen=True)
class Table:
    """A table. ``key``: the columns of its primary key; empty where it has none."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    rows: int = 0  # the engine's estimate

    @property
    def label(self) -> Name:
        """The name by which everything about it is kept."""
        return self.schema, self.name

    @property
    def sql(self) -> str:
        """Its quoted name."""
        return f"{quoted(self.schema)}.{quoted(self.name)}"

    @property
    def key_columns(self) -> tuple[Column, ...]:
        """The columns of the key, in its order."""
        by_name = {column.name: column for column in self.columns}
        return tuple(by_name[name] for name in self.key)

    @property
    def is_cut(self) -> bool:
        """Whether it can be looked at in spans of its key."""
        return bool(self.key) and all(column.is_ordered for column in self.key_columns)


def quoted(name: str) -> str:
    """An identifier as SQL takes it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"
