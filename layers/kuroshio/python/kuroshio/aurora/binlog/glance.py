"""What a short look at a binlog tells: how much waits in it, since when, and who wrote what should not be there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog import events as kinds
from kuroshio.aurora.binlog import rows, statements
from kuroshio.aurora.position import Position

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.aurora.binlog.events import Event


@dataclass(frozen=True)
class Waiting:
    """What a source has written and its clone has not done. ``since``: epoch seconds of the first of it, None where none is."""

    transactions: int
    since: int | None
    is_counted: bool  # to the end; else the number is what it would be if all were as large as those that were counted


def waiting(stream: Iterable[Event], behind: int, most_bytes: int) -> Waiting:
    """Count the transactions of a stream that begins where the clone is, ``behind`` bytes from its end."""
    seen, transactions, since, whole = 0, 0, None, True
    for event in stream:
        if event.artificial or not event.end:
            continue
        seen += len(event.packet)
        if event.kind in kinds.GTID_KINDS:
            transactions += 1
        if since is None and event.timestamp:
            since = event.timestamp
        if seen >= most_bytes:
            whole = seen >= behind
            break
    if not whole:
        transactions = max(round(transactions * behind / seen), transactions, 1)
    return Waiting(transactions, since, whole)


@dataclass(frozen=True)
class Strange:
    """Changes that began on the clone itself. ``upto``: how far its binlog was looked through."""

    changes: int
    first: Position | None
    upto: Position


def strange(stream: Iterable[Event], begin: Position, servers: frozenset[int], most_bytes: int) -> Strange:
    """Look through a clone's own binlog for changes that began on ``servers``, the clone's own ids."""
    seen, changes, first, upto = 0, 0, None, begin
    for event in stream:
        if event.artificial or not event.end:
            continue
        upto = Position(event.file, event.end)
        if event.server in servers and _changes(event):
            changes += 1
            first = first or upto
        seen += len(event.packet)
        if seen >= most_bytes:
            break
    return Strange(changes, first, upto)


def _changes(event: Event) -> bool:
    if event.kind in statements.KINDS:
        schema, text = statements.executed(event)
        return bool(statements.effect(text, schema, ()).reason)
    return event.kind in rows.ROW_KINDS
