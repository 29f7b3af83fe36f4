"""Whether two servers mean the same by their tables. What rows hold says little where the columns are others.

What versions of MySQL write differently and mean the same is no difference: ``int(11)`` and ``int``, ``utf8`` and
``utf8mb3``, ``CURRENT_TIMESTAMP`` and ``current_timestamp()``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.aurora.finding import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.aurora.binlog.statements import Name

_WIDTH = re.compile(r"\b((?:small|medium|big)?int|year)\(\d+\)|\b(tinyint)\((?!1\))\d+\)")
_OLD_UTF8 = re.compile(r"\butf8(?=_|\b)(?!mb)")


@dataclass(frozen=True)
class ColumnDefinition:
    """A column in the words of ``information_schema.COLUMNS``."""

    name: str
    type: str
    nullable: bool
    default: str | None
    charset: str
    collation: str
    extra: str
    expression: str


@dataclass(frozen=True)
class Definition:
    """A table. ``indexes``: each name with whether it is unique and its columns, with the length of a prefix."""

    engine: str
    columns: tuple[ColumnDefinition, ...]
    indexes: Mapping[str, tuple[bool, tuple[str, ...]]]


def differences(source: Mapping[Name, Definition], clone: Mapping[Name, Definition]) -> list[Finding]:
    """Every difference, by table. A blocking one makes rows incomparable."""
    found = [
        *(_missing(name, "the clone") for name in source if name not in clone),
        *(_missing(name, "the source") for name in clone if name not in source),
    ]
    for name in source:
        if name in clone:
            found += _of_table(name, source[name], clone[name])
    return found


def incomparable(findings: list[Finding]) -> set[str]:
    """The tables, as ``shown``, whose rows cannot be held against each other."""
    return {table for finding in findings if finding.stops for table in finding.about}


def shown(name: Name) -> str:
    """A table as people read it."""
    return ".".join(name)


def _missing(name: Name, where: str) -> Finding:
    return Finding(
        "table-missing",
        Severity.BLOCKING,
        f"{shown(name)} is not on {where}",
        "Find out which of the two is wrong: a DDL statement was lost, or somebody made or dropped the table there.",
        (shown(name),),
    )


def _of_table(name: Name, source: Definition, clone: Definition) -> Iterator[Finding]:
    theirs, ours = ([column.name for column in each.columns] for each in (source, clone))
    if theirs != ours:
        yield _differs(name, "columns", ", ".join(theirs), ", ".join(ours), Severity.BLOCKING)
        return
    for one, other in zip(source.columns, clone.columns, strict=True):
        yield from _of_column(name, one, other)
    if source.engine.lower() != clone.engine.lower():
        yield _differs(name, "engine", source.engine, clone.engine, Severity.WARNING)
    for index in sorted({*source.indexes, *clone.indexes}):
        their, our = source.indexes.get(index), clone.indexes.get(index)
        if their != our:
            yield _differs(name, f"index {index}", _index(their), _index(our), Severity.WARNING)


def _of_column(name: Name, source: ColumnDefinition, clone: ColumnDefinition) -> Iterator[Finding]:
    facets = (
        ("type", _type(source.type), _type(clone.type), Severity.BLOCKING),
        ("character set", _type(source.charset), _type(clone.charset), Severity.BLOCKING),
        ("collation", _type(source.collation), _type(clone.collation), Severity.WARNING),
        ("NULL", str(source.nullable), str(clone.nullable), Severity.WARNING),
        ("default", _default(source.default), _default(clone.default), Severity.WARNING),
        ("extra", _extra(source.extra), _extra(clone.extra), Severity.WARNING),
        ("expression", _default(source.expression), _default(clone.expression), Severity.WARNING),
    )
    for facet, theirs, ours, severity in facets:
        if theirs != ours:
            yield _differs(name, f"{facet} of column {source.name}", theirs, ours, severity)


def _differs(name: Name, what: str, source: str, clone: str, severity: Severity) -> Finding:
    code = "schema-" + what.split(" ", 1)[0].lower()
    return Finding(
        code,
        severity,
        f"{shown(name)}: {what} is {source} on the source and {clone} on the clone",
        "Make the definitions equal before the clone takes over.",
        (shown(name),),
    )


def _type(text: str) -> str:
    return _OLD_UTF8.sub("utf8mb3", _WIDTH.sub(lambda found: found[1] or found[2], text.lower()))


def _default(text: str | None) -> str:
    if text is None or text.upper() == "NULL":
        return "none"
    plain = text.strip("'").removesuffix("()")
    return plain.lower() if plain.lower().startswith("current_timestamp") else plain


def _extra(text: str) -> str:
    return " ".join(text.lower().replace("default_generated", "").replace("()", "").split())


def _index(index: tuple[bool, tuple[str, ...]] | None) -> str:
    if index is None:
        return "absent"
    unique, columns = index
    return f"{'unique ' if unique else ''}({', '.join(columns)})"
