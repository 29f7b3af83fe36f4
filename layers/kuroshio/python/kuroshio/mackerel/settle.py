"""What is too old to be sent: ask what Mackerel holds, name the rest as lost, and report how much it was."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.errors import Outpaced
from kuroshio.mackerel import places
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.points import Combine, Point, digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.cells import Cell
    from kuroshio.mackerel.ports import Key, Ledger, Record
    from kuroshio.mackerel.turns import Channel

LOST = "kuroshio.outbox.lost"
LOST_REPORTS = "kuroshio.outbox.lost_reports"
_NOT_FOUND = 404


@dataclass(frozen=True)
class Losses:
    """Where losses are reported: a metric of our own, through the same ledger, so that they too are counted once."""

    ledger: Ledger
    clock: Callable[[], float]
    home: str

    def report(self, name: str, what: str, count: int, at: int) -> None:
        """Add the loss to the metric. ``what`` and ``at`` must be the same whenever the same loss is reported again."""
        key = digest(name, what)
        point = Point(self.home, name, at, float(count), Combine.SUM, key)
        Collector(self.ledger, self.clock).keep([Parcel(points=(point,))])


def settle(channel: Channel, losses: Losses, service: str, late: list[tuple[Record, Cell]]) -> dict[Key, int]:
    """Settle cells that Mackerel takes no more; returns how many contributions of each turned out to be lost.

    A cell that another wrote meanwhile is not among them, and comes again. Raises TurnEnded while Mackerel cannot be
    asked: a post without an answer may have been processed, so what is lost is known only once it is back.
    """
    names: defaultdict[str, list[tuple[Record, Cell]]] = defaultdict(list)
    for record, cell in late:
        names[places.name_of(record.key.sk)].append((record, cell))
    done: dict[Key, int] = {}
    for name, cells in names.items():
        held = _held(channel, service, name, [places.minute_of(record.key.sk) for record, _ in cells])
        for record, cell in cells:
            judged = cell.judged(held.get(places.minute_of(record.key.sk)), losses.clock())
            try:
                if judged != cell:
                    losses.ledger.write(replace(record, body=judged.to_json()))
            except Outpaced:
                continue
            _report(losses, service, record, judged)
            done[record.key] = judged.lost - cell.lost
    return done


def _report(losses: Losses, service: str, record: Record, cell: Cell) -> None:
    """Every loss of the cell, old ones too: we may have been killed after they were written and before they were told."""
    for number, loss in enumerate(cell.losses):
        losses.report(LOST, f"{service} {record.key.sk} {number}", loss.size, loss.at)


def _held(channel: Channel, service: str, name: str, minutes: list[int]) -> dict[int, float]:
    query = f"name={name}&from={min(minutes)}&to={max(minutes)}"
    answer = channel.call("GET", f"/services/{service}/metrics?{query}", expected=(_NOT_FOUND,))
    document = answer.document if isinstance(answer.document, dict) else {}
    return {int(entry["time"]): float(entry["value"]) for entry in document.get("metrics", [])}
