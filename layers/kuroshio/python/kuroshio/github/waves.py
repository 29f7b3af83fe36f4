"""In which order units travel: what others need comes first, what is removed goes last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.plan import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.changes.plan import UnitChange

# A function refers to its layers, a state machine to its functions.
_FIRST = ("layer", "function", "state-machine")


@dataclass(frozen=True)
class Wave:
    """Units of one kind that may travel side by side."""

    kind: str
    is_removal: bool
    units: tuple[UnitChange, ...]

    def __str__(self) -> str:
        """Say it in a line."""
        count, kind = len(self.units), self.kind.replace("-", " ")
        return f"{count:,} {kind}{'' if count == 1 else 's'}{' to be removed' if self.is_removal else ''}"


def waves(units: Iterable[UnitChange]) -> tuple[Wave, ...]:
    """Return the units as they travel, one wave after the other; removals in the opposite order, at the end."""
    grouped: dict[tuple[bool, int, str], list[UnitChange]] = {}
    for unit in units:
        is_removal = unit.change is Change.REMOVED
        place = _FIRST.index(unit.kind) if unit.kind in _FIRST else len(_FIRST)
        grouped.setdefault((is_removal, -place if is_removal else place, unit.kind), []).append(unit)
    return tuple(Wave(kind, gone, tuple(grouped[gone, place, kind])) for gone, place, kind in sorted(grouped))
