"""Proof in time proportional to what changed.

A clone is byte for byte its source at the seed position. Afterwards only rows can differ that the source's binlog touched
since then, or that somebody wrote on the clone itself: just these are compared. What rests on that is said with each
result: ``since`` where both binlogs were read from, and for each table whether keys or all of it were looked at.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.aurora.binlog.literals import literal
from kuroshio.errors import BinlogUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.aurora.binlog.rows import Key
    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.binlog.touched import Touched
    from kuroshio.aurora.binlog.widths import Width
    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Table


@dataclass
class Work:
    """What of one table is to be compared: keys, or all of it for the reasons that stand here."""

    keys: list[Bound] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether keys alone prove nothing."""
        return bool(self.reasons)


def work(tables: Iterable[Table], touched: Iterable[Touched]) -> dict[Name, Work]:
    """What is to be compared after what both binlogs touched. Tables that nobody touched are not in it."""
    found: defaultdict[Name, Work] = defaultdict(Work)
    by_name = {table.label: table for table in tables}
    for part in touched:
        for name, table in by_name.items():
            found[name].reasons += sorted(part.whole.get(name, ())) + sorted(part.unknown)
            try:
                found[name].keys += bounds(table, part.widths.get(name, ()), part.keys.get(name, ()))
            except BinlogUnreadable as error:
                found[name].reasons.append(str(error))
    for each in found.values():
        each.keys = [] if each.is_whole else list(dict.fromkeys(each.keys))
    return {name: each for name, each in found.items() if each.keys or each.is_whole}


def bounds(table: Table, widths: tuple[Width, ...], keys: Iterable[Key]) -> list[Bound]:
    """Keys as they stand in a binlog, as SQL finds them. Raises BinlogUnreadable for a type by which no row is found."""
    if not widths:
        return []
    places = {column.name: place for place, column in enumerate(table.columns)}
    shapes = [(widths[places[column.name]], column) for column in table.key_columns]
    if len(shapes) == 1 and shapes[0][1].is_integer:
        # Neighbours in the index are asked for together, and lie in one page. Most keys are of this kind.
        signed = not shapes[0][1].unsigned
        return [(str(key),) for key in sorted(int.from_bytes(raw, "little", signed=signed) for (raw,) in keys)]
    return [
        tuple(
            literal(raw, width, unsigned=column.unsigned, charset=column.charset)
            for raw, (width, column) in zip(key, shapes, strict=True)
        )
        for key in sorted(keys)
    ]
