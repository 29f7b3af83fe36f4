"""What the ledger knows of deployments, on its way to Mackerel: their units, the DORA figures, a span on the graphs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.mackerel.catalogue import figure
from kuroshio.mackerel.metrics import Metrics
from kuroshio.release.dora import LOOK_BACK, figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Outbox
    from kuroshio.release.dora import Figures
    from kuroshio.release.history import Deployment, History

# What is told twice counts once, so everything of the last hours is told again once an hour: a function that could not run
# for most of a day, or a queue that took nothing, costs no figure. In between, only what is new.
_RECENT, _LONG = timedelta(minutes=30), timedelta(hours=23)
_OFTEN = 5  # minutes between two reports


class Journal(Protocol):
    """What a person and CloudWatch can see of it, whether Mackerel answers or not."""

    def reported(self, figures: Figures, told: int) -> None:
        """Tell what was computed, and of how many deployments Mackerel is told."""


@dataclass(frozen=True)
class Reporting:
    """Deployments in, figures out; the same records may be reported any number of times."""

    history: History
    outbox: Outbox
    service: str
    journal: Journal
    clock: Callable[[], float]

    def report(self) -> dict[str, Any]:
        """Send what is known now, and return it. Raises TransientError where the ledger or the queue fails."""
        now = datetime.fromtimestamp(self.clock(), UTC)
        known = self.history.since(now - LOOK_BACK)
        span = _LONG if now.minute < _OFTEN else _RECENT
        told = [each for each in known if (each.ended or each.started) > now - span]
        values = figures(known, now)
        self.journal.reported(values, len(told))
        for each in told:
            with self._metrics(f"deployment/{each.key}") as metrics:
                _tell(metrics, each)
        named = {
            "deployments": values.deployments,
            "lead_time": values.lead_time,
            "change_failure_rate": values.change_failure_rate,
            "time_to_restore": values.time_to_restore,
        }
        with self._metrics(f"dora/{now.isoformat(timespec='minutes')}") as metrics:
            for name, value in named.items():
                if value is not None:
                    shown = figure(f"dora.{name}")
                    # With its time, which needs no claim in the ledger: said again a minute later, it is as true.
                    metrics.put(shown.name, value, combine=shown.combine, at=self.clock())
        return {"told": len(told), **named}

    def _metrics(self, origin: str) -> Metrics:
        return Metrics(self.outbox, service=self.service, origin=origin, clock=self.clock)


def _tell(metrics: Metrics, deployment: Deployment) -> None:
    target, commit = deployment.target, deployment.commit[:12]
    count = f"{len(deployment.units)} unit{'s' if len(deployment.units) != 1 else ''}"
    begun = deployment.started.timestamp()
    if deployment.ended is None:
        metrics.annotate(f"{target}: {commit} is being deployed ({count})", first=begun)
        return
    ended = deployment.ended.timestamp()
    outcome = f"failed: {len(deployment.left)} of {count} left" if deployment.left else f"deployed, {count}"
    units = ", ".join(deployment.left or deployment.units)
    metrics.annotate(f"{target}: {commit} {outcome}", first=begun, last=ended, description=units)
    for name, value in (("units", len(deployment.deployed)), ("failed_units", len(deployment.left))):
        shown = figure(f"deployments.{name}")
        metrics.put(shown.name, value, combine=shown.combine, at=ended)
