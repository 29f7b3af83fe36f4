"""What a statement in the binlog may have touched. It is told too much rather than too little: nothing here guesses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog import events as kinds
from kuroshio.aurora.binlog import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.aurora.binlog.events import Event

Name = tuple[str, str]  # schema and table

_COMMENT = re.compile(r"/\*(?!!|M!).*?\*/|^\s*(?:--\s|#).*?$", re.DOTALL | re.MULTILINE)
# The text of a conditional comment is executed, so it is looked at like the rest.
_CONDITIONAL = re.compile(r"/\*M?!\d*|\*/")
# What frames a transaction; MariaDB writes DUMMY where a replica is too old for an event.
_FRAME = re.compile(r"(?:BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE SAVEPOINT|START TRANSACTION|XA)\b", re.IGNORECASE)
# What changes no row of a table: accounts, programs, views, and the care of tables.
_IDLE = re.compile(
    r"(?:(?:CREATE|ALTER|DROP|RENAME)\s+(?:OR\s+REPLACE\s+)?(?:USER|ROLE|SERVER|TABLESPACE|RESOURCE\s+GROUP)\b"
    r"|(?:GRANT|REVOKE|SET\s+(?:DEFAULT\s+ROLE|PASSWORD|ROLE)|FLUSH|ANALYZE|OPTIMIZE|CHECK|REPAIR)\b"
    r"|(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:ALGORITHM\s*=\s*\w+\s+)?(?:DEFINER\s*=\s*\S+\s+)?"
    r"(?:SQL\s+SECURITY\s+\w+\s+)?(?:AGGREGATE\s+)?(?:VIEW|TRIGGER|PROCEDURE|FUNCTION|EVENT|PACKAGE|SEQUENCE)\b"
    r"|CREATE\s+(?:DATABASE|SCHEMA)\b)",
    re.IGNORECASE,
)
_DDL = re.compile(r"(?:CREATE|ALTER|DROP|TRUNCATE|RENAME)\b", re.IGNORECASE)
_DATABASE = re.compile(r"(?:ALTER|DROP)\s+(?:DATABASE|SCHEMA)\b", re.IGNORECASE)
_WORD = re.compile(r"`((?:[^`]|``)+)`|\"((?:[^\"]|\"\")+)\"|([\w$]+)")
_SHOWN = 120
KINDS = frozenset({kinds.QUERY, kinds.QUERY_COMPRESSED, kinds.EXECUTE_LOAD})
_QUERY_HEADER = 13
_LOAD_HEADER = 26  # EXECUTE_LOAD_QUERY: a query's header, and 13 bytes about the file


@dataclass(frozen=True)
class Effect:
    """The tables whose rows the statement may have changed, and why they are told. None: any table at all."""

    tables: frozenset[Name] | None
    reason: str = ""


_NOTHING = Effect(frozenset())


def executed(event: Event) -> tuple[str, str]:
    """The schema in which a statement of one of the ``KINDS`` was executed, and its text.

    Raises BinlogUnreadable, IndexError or zlib.error where it is damaged.
    """
    # Post-header of a query: thread, seconds, length of the schema's name, error, length of the status variables.
    body = event.body
    header = _LOAD_HEADER if event.kind == kinds.EXECUTE_LOAD else _QUERY_HEADER
    schema_length = body[8]
    at = header + int.from_bytes(body[11:13], "little")
    schema = body[at : at + schema_length].decode("utf-8", "replace")
    at += schema_length + 1
    text = rows.inflated(body, at) if event.kind == kinds.QUERY_COMPRESSED else body[at:]
    return schema, text.decode("utf-8", "replace")


def effect(statement: str, schema: str, known: Iterable[Name]) -> Effect:
    """What a statement may have changed of the ``known`` tables; ``schema`` is where it was executed.

    A DDL statement touches the tables that it names. Any other may reach further, through triggers, foreign keys and
    functions, which no text shows: it touches every table of the schemas in which it names one.
    """
    text = _CONDITIONAL.sub(" ", _COMMENT.sub(" ", statement)).strip()
    if not text or _FRAME.match(text) or _IDLE.match(text):
        return _NOTHING
    tables = list(known)
    words = {_unquoted(match).lower() for match in _WORD.finditer(text)}
    shown = " ".join(text.split())
    reason = f"statement: {shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + '…'}"
    if _DATABASE.match(text):
        return Effect(frozenset(each for each in tables if each[0].lower() in words), reason)
    named = {each for each in tables if _is_named(each, words, schema)}
    if _DDL.match(text):
        return Effect(frozenset(named), reason)
    if not named:
        return Effect(None, reason)
    reached = {each[0] for each in named} | ({schema} if schema else set())
    return Effect(frozenset(each for each in tables if each[0] in reached), reason)


def _is_named(table: Name, words: set[str], schema: str) -> bool:
    """Without parsing, a word that is the table's name names it: in its own schema, or where that is written too."""
    of, name = table
    return name.lower() in words and (of == schema or of.lower() in words)


def _unquoted(match: re.Match[str]) -> str:
    back, double, bare = match.groups()
    return back.replace("``", "`") if back else double.replace('""', '"') if double else bare
