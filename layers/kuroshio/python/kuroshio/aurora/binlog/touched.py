"""What a stretch of binlog touched: the keys of rows, or whole tables where keys cannot be had, each with a reason."""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog import events as kinds
from kuroshio.aurora.binlog import rows, statements
from kuroshio.aurora.binlog.tables import TableMap, number, table_map
from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kuroshio.aurora.binlog.events import Event
    from kuroshio.aurora.binlog.rows import Key
    from kuroshio.aurora.binlog.statements import Effect, Name
    from kuroshio.aurora.binlog.widths import Width

# Events that neither change a row nor say that one was changed.
_HARMLESS = frozenset(
    {3, 4, 5, 13, 14, 15, 16, 17, 27, 28, 29, 33, 34, 35, 36, 37, 38, 41, 42, 160, 161, 162, 163, 164}
)
_NO_TABLE = 0xFFFFFF  # ends a statement that changed no row
_APPEND_BLOCK, _DELETE_FILE = 9, 11


@dataclass(frozen=True)
class Layout:
    """What is known of a table: the places of its primary key among its columns, none where it has no such key.

    ``cascades``: tables whose rows InnoDB changes by foreign keys when rows here are deleted or updated, and by which
    of the two. Until MySQL 9.6 no binlog tells of these rows.
    """

    primary: tuple[int, ...]
    columns: int
    cascades: tuple[tuple[Name, str], ...] = ()


@dataclass
class Touched:
    """Keys by table, and the reasons for which other tables have to be looked at whole."""

    keys: defaultdict[Name, set[Key]] = field(default_factory=lambda: defaultdict(set))
    whole: defaultdict[Name, set[str]] = field(default_factory=lambda: defaultdict(set))
    widths: dict[Name, tuple[Width, ...]] = field(default_factory=dict)  # how the columns of a table stand in its rows
    unknown: set[str] = field(default_factory=set)  # reasons for which any table may have been touched
    events: int = 0
    bytes: int = 0
    file: str = ""
    end: int = 0


class Reader:
    """Adds up events. ``of_interest`` judges the id of the server on which an event began; None takes all.

    On a clone that follows, that leaves what was written on the clone itself.
    """

    def __init__(
        self,
        layouts: Mapping[Name, Layout],
        *,
        most_keys: Callable[[Name], int],
        of_interest: Callable[[int], bool] | None = None,
    ) -> None:
        self.touched = Touched()
        self._layouts = layouts
        self._most_keys = most_keys
        self._of_interest = of_interest
        self._maps: dict[int, TableMap | None] = {}
        self._verbs: defaultdict[Name, set[str]] = defaultdict(set)

    def read(self, stream: Iterable[Event]) -> None:
        """Take in events, in the order in which the server sends them."""
        for event in stream:
            self._take(event)

    def result(self) -> Touched:
        """What was touched by all that was read, through foreign keys too."""
        pending = list(self._verbs)
        while pending:
            parent = pending.pop()
            layout = self._layouts.get(parent)
            for child, verb in layout.cascades if layout else ():
                if verb in self._verbs[parent] and child not in self.touched.whole:
                    self._give_up(
                        child, f"foreign keys carry a {verb} of {'.'.join(parent)} to it, which no binlog shows"
                    )
                    self._verbs[child] |= {"update", "delete"}
                    pending.append(child)
        return self.touched

    def _take(self, event: Event) -> None:
        touched = self.touched
        if not event.artificial:
            touched.events += 1
            touched.bytes += len(event.body)
            touched.file, touched.end = event.file, event.end or touched.end
        if event.artificial or event.kind in _HARMLESS:
            return
        if self._of_interest is not None and not self._of_interest(event.server):
            return
        if event.kind in rows.ROW_KINDS:
            self._rows(event)
        elif event.kind == kinds.TABLE_MAP:
            self._map(event)
        elif event.kind in statements.KINDS:
            self._statement(event)
        elif event.kind not in (_APPEND_BLOCK, _DELETE_FILE):
            touched.unknown.add(_foreign(event))

    def _map(self, event: Event) -> None:
        try:
            table = table_map(event.body)
        except BinlogUnreadable as error:
            self._maps[number(event.body)] = None
            self.touched.unknown.add(str(error))
            return
        self._maps[table.number] = table
        name = (table.schema, table.name)
        layout = self._layouts.get(name)
        if layout is not None and layout.columns != len(table.widths):
            self._give_up(name, f"it had {len(table.widths)} columns at {event.file} {event.end}, now {layout.columns}")

    def _rows(self, event: Event) -> None:
        if number(event.body) == _NO_TABLE:
            return
        table = self._maps.get(number(event.body))
        if table is None:
            self.touched.unknown.add(f"rows at {event.file} {event.end} belong to a table that no event describes")
            return
        name = (table.schema, table.name)
        layout = self._layouts.get(name)
        if layout is None:
            return  # it is not there any more, or nobody asked for it
        self._verbs[name].add(rows.verb(event.kind))
        if not layout.primary:
            self._give_up(name, "it has no primary key")
        if name in self.touched.whole:
            return
        self.touched.widths[name] = table.widths
        found = self.touched.keys[name]
        try:
            found.update(rows.keys(event.kind, event.body, table, layout.primary))
        except BinlogUnreadable as error:
            self._give_up(name, str(error))
            return
        if len(found) > self._most_keys(name):
            self._give_up(name, f"more than {self._most_keys(name):,} of its rows were touched")

    def _statement(self, event: Event) -> None:
        try:
            schema, text = statements.executed(event)
        except (BinlogUnreadable, IndexError, zlib.error) as error:
            self.touched.unknown.add(f"a statement at {event.file} {event.end} cannot be read: {error}")
            return
        self._apply(statements.effect(text, schema, self._layouts))

    def _apply(self, effect: Effect) -> None:
        if effect.tables is None:
            self.touched.unknown.add(effect.reason)
        for name in effect.tables or ():
            self._verbs[name] |= {"update", "delete"}
            self._give_up(name, effect.reason)

    def _give_up(self, name: Name, reason: str) -> None:
        self.touched.whole[name].add(reason)
        self.touched.keys.pop(name, None)


def _foreign(event: Event) -> str:
    where = f"{event.file} {event.end}"
    if event.kind == kinds.TRANSACTION_PAYLOAD:
        return f"a compressed transaction at {where}: binlog_transaction_compression must be off to see its rows"
    if event.kind == kinds.INCIDENT:
        return f"the server noted at {where} that it lost events"
    return f"an event of type {event.kind} at {where}, which is not known"
