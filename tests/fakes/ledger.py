"""A ledger in memory. tests/contract/ledger proves it against DynamoDB."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kuroshio.runs.run import Run


class InMemoryLedger:
    def __init__(self) -> None:
        self._runs: dict[tuple[str, str], Run] = {}

    def record(self, run: Run) -> bool:
        known = self._runs.get((run.workflow, run.execution))
        if known and known.revision >= run.revision:
            return False
        self._runs[run.workflow, run.execution] = run
        return True

    def statuses(self) -> list[str]:
        return [run.status for run in self._runs.values()]
