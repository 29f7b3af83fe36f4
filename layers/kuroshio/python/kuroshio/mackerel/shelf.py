"""Moves that every lane makes on the ledger."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.errors import Outpaced
from kuroshio.mackerel import places
from kuroshio.mackerel.ports import Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Ledger

_TRIES = 10


@dataclass
class Tally:
    """What one turn did so far."""

    delivered: int = 0
    set_aside: int = 0
    lost: int = 0


def rewritten(ledger: Ledger, record: Record, change: Callable[[Record], Record]) -> Record:
    """Write the changed record, changing again what others wrote meanwhile. Raises Outpaced after ten of them."""
    for _ in range(_TRIES):
        try:
            return ledger.write(change(record))
        except Outpaced:
            found = ledger.read([record.key])
            if record.key not in found:
                raise
            record = found[record.key]
    raise Outpaced(f"{_TRIES} other writers of {record.key.sk} were faster each time")


def resolved(ledger: Ledger, entry: Record) -> None:
    """Take an entry off what is due, unless it became due once more since it was read."""
    with suppress(Outpaced):  # the next look finds it
        ledger.remove(entry)


def set_aside(ledger: Ledger, lane: str, entry: Record, reason: str, now: float) -> None:
    """Park what is due alone, with the reason, so that it blocks nothing; ``redrive`` brings it back."""
    key = places.parked(lane, entry.key.sk)
    known = ledger.read([key]).get(key, Record(key))
    body = {"reason": reason, "lane": lane, "sk": entry.key.sk, "at": int(now)}
    try:
        ledger.write(Record(key, body, known.version, int(now) + places.KEPT))
    except Outpaced:
        return  # still due
    resolved(ledger, entry)
