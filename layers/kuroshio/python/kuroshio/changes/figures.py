"""Figures of plans on their way to Mackerel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.errors import KuroshioError
from kuroshio.mackerel.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kuroshio.changes.plan import Plan
    from kuroshio.changes.ports import Journal
    from kuroshio.changes.request import DetectRequest
    from kuroshio.mackerel.ports import Outbox


@dataclass(frozen=True)
class FiguredJournal:
    """A journal that also sends what a plan comes to: one message, and never an error for the plan's sake.

    Implements ``changes.ports.Journal``. A plan is named by its commits, so one that is asked for again counts once.
    """

    journal: Journal
    outbox: Outbox
    service: str
    clock: Callable[[], float]
    complain: Callable[[str], None]

    def planned(self, request: DetectRequest, plan: Plan) -> None:
        """Tell of a plan that was published."""
        self.journal.planned(request, plan)
        try:
            with Metrics(self.outbox, service=self.service, origin=request.plan, clock=self.clock) as metrics:
                metrics.put("changes.units_planned", len(plan.units))
                metrics.put("changes.incomplete_plans", 0 if plan.complete else 1)
        except KuroshioError as error:
            self.complain(f"the plan's figures could not be sent: {error}")

    def timed(self, request: DetectRequest, seconds: Mapping[str, float]) -> None:
        """Tell how long the parts of a detection took."""
        self.journal.timed(request, seconds)
