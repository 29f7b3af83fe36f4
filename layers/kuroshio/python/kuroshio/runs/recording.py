"""Record what became of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.runs.run import run_from

if TYPE_CHECKING:
    from kuroshio.runs.ports import Figures, Journal, Ledger


@dataclass(frozen=True)
class Recording:
    """Events of executions in, the ledger kept current, figures out. The same event twice changes nothing the second time."""

    ledger: Ledger
    journal: Journal
    figures: Figures

    def record(self, event: object) -> dict[str, Any]:
        """Return which run it was and whether the ledger learned of something. Raises InvalidRequest.

        Ledger and figures are both tried, whatever becomes of the other; the error is raised afterwards, and the same
        event again does what is missing and nothing else.
        """
        run = run_from(event)
        try:
            is_news = self.ledger.record(run)
            self.journal.noted(run, is_news=is_news)
        finally:
            self.figures.tell(run)
        return {"workflow": run.workflow, "execution": run.execution, "status": run.status, "recorded": is_news}
