"""Record what became of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.runs.run import run_from

if TYPE_CHECKING:
    from kuroshio.runs.ports import Journal, Ledger


@dataclass(frozen=True)
class Recording:
    """Events of executions in, the ledger kept current. The same event twice changes nothing the second time."""

    ledger: Ledger
    journal: Journal

    def record(self, event: object) -> dict[str, Any]:
        """Return which run it was and whether the ledger learned of something. Raises InvalidRequest."""
        run = run_from(event)
        is_news = self.ledger.record(run)
        self.journal.noted(run, is_news=is_news)
        return {"workflow": run.workflow, "execution": run.execution, "status": run.status, "recorded": is_news}
