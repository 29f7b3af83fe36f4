"""How a search went: what was missed, which must be nothing, and what was flagged without need."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.changes.plan import Cause

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan


@dataclass
class Tally:
    """Plans held against the truth. A unit is flagged without need when nothing of what it is made of differs."""

    plans: int = 0
    units: int = 0
    changed: int = 0
    flagged: int = 0
    needless: int = 0
    in_doubt: int = 0  # flagged without need because something cannot be known, and the plan says so
    causes: Counter[str] = field(default_factory=Counter)

    def add(self, plan: Plan, truth: set[str], units: int, case: object) -> None:
        found = {unit.id: unit for unit in plan.units}
        assert truth <= found.keys(), f"missed {sorted(truth - found.keys())} in {case}"
        needless = [found[unit] for unit in sorted(found.keys() - truth)]
        doubted = [unit for unit in needless if any(reason.cause is Cause.UNKNOWN for reason in unit.reasons)]
        self.plans += 1
        self.units += units
        self.changed += len(truth)
        self.flagged += len(found)
        self.needless += len(needless)
        self.in_doubt += len(doubted)
        self.causes.update("+".join(sorted({reason.cause for reason in unit.reasons})) for unit in needless)

    def __str__(self) -> str:
        share = 100 * (self.needless - self.in_doubt) / max(self.flagged, 1)
        return (
            f"{self.plans} plans, {self.units} units looked at, {self.changed} changed, 0 missed; "
            f"{self.needless - self.in_doubt} of {self.flagged} flagged without need ({share:.1f} %), "
            f"{self.in_doubt} more in doubt; by cause: {dict(self.causes.most_common(8))}"
        )
