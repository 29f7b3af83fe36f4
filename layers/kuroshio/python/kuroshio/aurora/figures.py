"""Figures of clones on their way to Mackerel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.errors import KuroshioError
from kuroshio.mackerel.catalogue import figure
from kuroshio.mackerel.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kuroshio.mackerel.ports import Outbox


@dataclass(frozen=True)
class OutboxFigures:
    """Implements ``aurora.sides.Figures``: one message per look, and never an error for its sake."""

    outbox: Outbox
    service: str
    clock: Callable[[], float]
    complain: Callable[[str], None]

    def tell(self, clone: str, run: str, values: Mapping[str, float]) -> None:
        """Each name is that of ``replication.*.<name>`` in the catalogue."""
        try:
            with Metrics(self.outbox, service=self.service, origin=run, clock=self.clock) as metrics:
                for name, value in values.items():
                    known = figure(f"replication.*.{name}")
                    metrics.put(known.of(clone), value, combine=known.combine)
        except KuroshioError as error:
            self.complain(f"the figures of {clone} could not be sent: {error}")
