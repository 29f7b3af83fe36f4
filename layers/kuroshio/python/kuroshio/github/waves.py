"""In which order units travel: what others need comes first, what is removed goes last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.plan import Change

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.changes.plan import UnitChange

# A function refers to its layers, a state machine to its functions, a service to its task definition.
_FIRST = ("layer", "function", "state-machine", "task-definition", "ecs-service", "instance-service")


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
    """Return the units as they travel: by the order that kuroshio.yaml gives, then by kind; removals backwards, last."""
    grouped: dict[tuple[bool, int, int, str], list[UnitChange]] = {}
    for unit in units:
        is_removal = unit.change is Change.REMOVED
        place = _FIRST.index(unit.kind) if unit.kind in _FIRST else len(_FIRST)
        sign = -1 if is_removal else 1
        grouped.setdefault((is_removal, sign * unit.wave, sign * place, unit.kind), []).append(unit)
    return tuple(Wave(key[-1], key[0], tuple(grouped[key])) for key in sorted(grouped))
