"""What the function ``flush_metrics`` does in a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kuroshio.mackerel import state

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.mackerel.flush import Flushed, Flusher
    from kuroshio.mackerel.state import Standing

# After the last answer of Mackerel: a hundred cells are noted, and the figures written.
_TO_FINISH = 10.0  # seconds


class Journal(Protocol):
    """What a person and an alarm can see of the outbox, whether Mackerel answers or not."""

    def standing(self, standing: Standing) -> None:
        """Tell what the outbox holds."""

    def flushed(self, flushed: Sequence[Flushed]) -> None:
        """Tell what came of the turns."""


@dataclass(frozen=True)
class Flushing:
    """First the figures that need no Mackerel, then a turn in every lane."""

    flusher: Flusher
    journal: Journal

    def run(self, seconds_left: float) -> dict[str, int]:
        """Flush for at most so many seconds; return how many lanes had a turn and what they delivered.

        Raises what went wrong in the first lane that broke, after all others had their turns.
        """
        now = self.flusher.clock()
        self.journal.standing(state.standing(self.flusher.ledger, now))
        flushed, wrong = self.flusher.round(until=now + seconds_left - _TO_FINISH)
        self.journal.flushed(flushed)
        if wrong:
            raise wrong[0]
        return {"lanes": len(flushed), "delivered": sum(each.delivered for each in flushed)}
