"""What recording asks of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kuroshio.runs.run import Run


class Ledger(Protocol):
    """The newest that is known of each run."""

    def record(self, run: Run) -> bool:
        """Keep the run. False, and nothing is changed, where as much or more is known of it already."""


class Journal(Protocol):
    """What a person and an alarm can see of recording."""

    def noted(self, run: Run, *, is_news: bool) -> None:
        """Tell of a run that was handed in; ``is_news`` says whether the ledger took it."""


class Figures(Protocol):
    """Where the figures of runs go."""

    def tell(self, run: Run) -> None:
        """Send what the run contributes; the same again counts once. Raises what sending raises."""


class NoFigures:
    """Where nothing is sent to Mackerel."""

    def tell(self, run: Run) -> None:
        """Tell nobody."""
