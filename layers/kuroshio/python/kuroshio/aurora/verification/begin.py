"""Where the two binlogs are read from, so that what lies before is proven already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIRST = 4  # bytes of magic stand before the first event
Logs = dict[str, int]  # files of a binlog and their sizes


@dataclass(frozen=True)
class Begin:
    """Positions in the source's binlog and in the clone's own."""

    source: Position
    clone: Position


def of_seed(seed: Position, source: Mapping[str, int], clone: Mapping[str, int]) -> Begin | str:
    """A margin before the seed, in which a seed that is off is found too; or why there is no such beginning.

    The margin is the file before the seed's. The clone has its source's files up to the seed; in some cases (enhanced
    binlog) it has none of them, and its own begin at number 1.
    """
    if seed.file not in source:
        return f"the source's binlog no longer has {seed.file}, where the clone began"
    theirs = [file for file in source if Position(file, _FIRST).number == seed.number - 1] or [seed.file]
    first = [file for file in clone if file == seed.file or Position(file, _FIRST).number == 1]
    if not first:
        return "the clone's binlog does not reach back to its beginning: what was written there cannot be seen"
    ours = seed.file if seed.file in clone else first[0]
    return Begin(Position(theirs[0], _FIRST), Position(ours, _FIRST))


def of_proof(proven: Mapping[str, Any], source: Mapping[str, int], clone: Mapping[str, int]) -> Begin | str:
    """Where the last verification that proved everything ended; or why that can be no beginning."""
    begin = Begin(Position.parse(proven["upto"]), Position.parse(proven["clone_upto"]))
    for position, logs, where in ((begin.source, source, "the source's"), (begin.clone, clone, "the clone's")):
        if position.file not in logs:
            return f"{where} binlog no longer has {position.file}, where the last proof ended"
    return begin


def bytes_from(begin: Position, logs: Mapping[str, int]) -> int:
    """What there is to read from a position to the end of the binlog."""
    sizes = {Position(file, _FIRST).number: size for file, size in logs.items()}
    later = sum(size for number, size in sizes.items() if number > begin.number)
    return later + max(sizes.get(begin.number, 0) - begin.offset, 0)
