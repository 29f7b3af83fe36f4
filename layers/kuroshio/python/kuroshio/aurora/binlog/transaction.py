"""One transaction of a binlog, whole: what is lost when a replica skips it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog import events as kinds
from kuroshio.aurora.binlog import images, rows, statements
from kuroshio.aurora.binlog.tables import TableMap, number, table_map
from kuroshio.aurora.position import Position
from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kuroshio.aurora.binlog.events import Event
    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.verification.tables import Column

MAGIC = b"\xfebin"
_MOST_LINES, _MOST_CHARACTERS = 500, 64_000
_MOST_BYTES = 16 * 2**20
_BETWEEN = frozenset({kinds.ROTATE, kinds.STOP, kinds.FORMAT_DESCRIPTION})  # nothing of a transaction comes after them
_ENDS = frozenset({kinds.XID, kinds.XA_PREPARE})
_OPENED, _CLOSED = ("BEGIN", "XA START"), ("COMMIT", "ROLLBACK")
_FRAME = frozenset({"BEGIN", "COMMIT"})  # say nothing of what was done
_MARIADB_GTID, _STANDALONE = 162, 0x01


@dataclass
class Transaction:
    """A transaction from where it begins to where the next one does. ``at``: epoch seconds of its first event."""

    begin: Position
    end: Position
    at: int
    server: int  # the id of the server on which it began
    events: int = 0
    size: int = 0  # bytes
    tables: set[Name] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)  # its statements and rows, as far as they are kept as text
    is_cut: bool = False  # ``lines`` are not all of them
    file: bytes = b""  # its events as a binlog that mysqlbinlog reads; empty where they are too many

    def names(self, position: Position) -> bool:
        """Whether the position lies inside: an error tells where the event ends that could not be applied."""
        return self.begin < position <= self.end


def read(
    stream: Iterable[Event], begin: Position, columns: Mapping[Name, Sequence[Column]], known: Iterable[Name]
) -> Transaction:
    """Read the transaction at the beginning of a stream that starts at ``begin``.

    ``columns``: of tables as they are now, for the names in its rows. ``known``: all tables, for what a statement may
    reach. Raises BinlogUnreadable where no transaction begins there, or it is cut off.
    """
    reading = _Reading(begin, columns, tuple(known))
    for event in stream:
        if not reading.take(event):
            break
    return reading.result()


class _Reading:
    def __init__(self, begin: Position, columns: Mapping[Name, Sequence[Column]], known: Sequence[Name]) -> None:
        self._begin, self._columns, self._known = begin, columns, known
        self._found: Transaction | None = None
        self._maps: dict[int, TableMap] = {}
        self._packets: list[bytes] = []
        self._head = b""
        self._characters = 0
        self._is_open = False  # more of it has to come than the next statement
        self._is_whole = False

    def take(self, event: Event) -> bool:
        """False where the transaction has ended before this event."""
        if event.kind == kinds.FORMAT_DESCRIPTION and self._found is None:
            self._head = event.packet
        if event.artificial or not event.end:
            return True
        if event.kind in kinds.GTID_KINDS or event.kind in _BETWEEN:
            if self._found is not None:
                return False
            if event.kind in _BETWEEN:
                return True
            self._found = Transaction(self._begin, self._begin, event.timestamp, event.server)
        if self._found is None:
            raise BinlogUnreadable(
                f"no transaction begins at {self._begin}: an event of type {event.kind} stands there"
            )
        self._keep(self._found, event)
        return True

    def _keep(self, found: Transaction, event: Event) -> None:
        found.events += 1
        found.size += len(event.packet)
        found.end = Position(event.file, event.end)
        if found.size <= _MOST_BYTES:
            self._packets.append(event.packet)
        self._is_whole = event.kind in _ENDS
        if event.kind == _MARIADB_GTID:  # which says BEGIN itself: a sequence, a domain, flags
            self._is_open = not event.body[12] & _STANDALONE
        elif event.kind == kinds.TABLE_MAP:
            table = table_map(event.body)
            self._maps[table.number] = table
            found.tables.add((table.schema, table.name))
        elif event.kind in statements.KINDS:
            schema, text = statements.executed(event)
            word = text.strip().upper()
            self._is_open = self._is_open or word.startswith(_OPENED)
            self._is_whole = not self._is_open or word.startswith(_CLOSED)
            found.tables |= statements.effect(text, schema, self._known).tables or set(self._known)
            if word not in _FRAME:
                self._line(f"USE {schema}; {text}" if schema else text)
        elif event.kind in rows.ROW_KINDS:
            for line in self._rows(event):
                self._line(line)
                if found.is_cut:
                    break

    def _rows(self, event: Event) -> Iterator[str]:
        table = self._maps.get(number(event.body))
        if table is None:
            return
        try:
            yield from images.changes(event.kind, event.body, table, self._columns.get((table.schema, table.name), ()))
        except BinlogUnreadable as error:
            yield f"{rows.verb(event.kind)} {table.schema}.{table.name}: {error}"

    def _line(self, line: str) -> None:
        found = self._found
        if found is None or found.is_cut:
            return
        self._characters += len(line)
        if len(found.lines) >= _MOST_LINES or self._characters > _MOST_CHARACTERS:
            found.is_cut = True
            return
        found.lines.append(line)

    def result(self) -> Transaction:
        found = self._found
        if found is None:
            raise BinlogUnreadable(f"no transaction begins at {self._begin}: the binlog ends there")
        if not self._is_whole:
            raise BinlogUnreadable(f"the transaction at {self._begin} is cut off at {found.end}")
        if found.size <= _MOST_BYTES:
            found.file = b"".join((MAGIC, self._head, *self._packets))
        return found
