"""Figures of runs on their way to Mackerel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.mackerel.messages import Parcel, packed
from kuroshio.runs.points import parcel_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Outbox
    from kuroshio.runs.run import Run


@dataclass(frozen=True)
class OutboxFigures:
    """Implements ``runs.ports.Figures``: one message per event."""

    outbox: Outbox
    service: str
    environment: str
    clock: Callable[[], float]

    def tell(self, run: Run) -> None:
        """Send what the run contributes."""
        parcel = parcel_of(run, service=self.service, environment=self.environment, now=self.clock())
        if parcel != Parcel():
            self.outbox.send(packed(parcel))
