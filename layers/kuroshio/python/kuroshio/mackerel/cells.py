"""A cell: every contribution to one metric name in one minute, and how many of them Mackerel is known to hold."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from kuroshio.mackerel.points import Combine

# A contribution with the longest key takes 125 bytes, and DynamoDB's item holds 400 KB.
MOST_CONTRIBUTIONS = 3_000
_HUGE = 1e300  # three thousand of them are still finite


class Contribution(NamedTuple):
    """What one writer added, once."""

    key: str
    value: float
    time: int


class Loss(NamedTuple):
    """How many contributions were found lost at a time."""

    at: int
    size: int


@dataclass(frozen=True)
class Cell:
    """Contributions in the order in which they arrived: the first ``stored`` are in Mackerel, the next ``lost`` never will be."""

    combine: Combine
    contributions: tuple[Contribution, ...] = ()
    stored: int = 0
    losses: tuple[Loss, ...] = ()

    @classmethod
    def parse(cls, body: Any) -> Cell:
        """The cell of a ledger record."""
        contributions = tuple(Contribution(*entry) for entry in body["contributions"])
        losses = tuple(Loss(*entry) for entry in body["losses"])
        return cls(Combine(body["combine"]), contributions, body["stored"], losses)

    def to_json(self) -> dict[str, Any]:
        """The body of its ledger record."""
        contributions = [list(entry) for entry in self.contributions]
        losses = [list(entry) for entry in self.losses]
        return {"combine": str(self.combine), "contributions": contributions, "stored": self.stored, "losses": losses}

    @property
    def lost(self) -> int:
        """How many contributions Mackerel never will hold."""
        return sum(loss.size for loss in self.losses)

    @property
    def open(self) -> int:
        """How many contributions are neither stored nor lost."""
        return len(self.contributions) - self.stored - self.lost

    def adding(self, *contributions: Contribution) -> Cell:
        """With the contributions whose keys are not there already."""
        known = {entry.key for entry in self.contributions}
        fresh = {entry.key: entry for entry in reversed(contributions) if entry.key not in known}
        return replace(self, contributions=(*self.contributions, *reversed(fresh.values()))) if fresh else self

    def refusal(self, value: float) -> str | None:
        """Why the cell cannot take one more contribution of this value, if it cannot."""
        if len(self.contributions) >= MOST_CONTRIBUTIONS:
            return f"it has {MOST_CONTRIBUTIONS} contributions: add them up before they are sent"
        if self.combine is Combine.SUM and abs(value) > _HUGE:
            return f"a sum of {value} and others may be beyond what a double holds"
        return None

    def total(self, count: int | None = None) -> float:
        """The value of the first ``count`` contributions together, or of all.

        Sums are exactly rounded (``fsum``), so they do not depend on the order in which contributions arrived.
        """
        counted = self.contributions[:count]
        match self.combine:
            case Combine.SUM:
                return math.fsum(entry.value for entry in counted)
            case Combine.MAX:
                return max(entry.value for entry in counted)
            case Combine.LAST:
                return max(counted, key=lambda entry: (entry.time, entry.key)).value

    def storing(self, count: int) -> Cell:
        """With the knowledge that Mackerel holds the total of the first ``count``."""
        return replace(self, stored=max(self.stored, count))

    def judged(self, value: float | None, now: float) -> Cell:
        """With everything lost that the value which Mackerel holds does not count.

        A post whose answer never came may have been processed: the longest beginning that has this value is stored.
        """
        held = [count for count in range(len(self.contributions), self.stored, -1) if self.total(count) == value]
        stored = held[0] if held and not self.losses else self.stored
        gone = len(self.contributions) - stored - self.lost
        return replace(self, stored=stored, losses=(*self.losses, Loss(int(now), gone)) if gone else self.losses)
