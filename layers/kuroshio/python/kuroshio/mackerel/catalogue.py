"""Every figure that Kuroshio publishes, once: who posts it takes the name from here, who draws or watches it too.

Mackerel groups service metrics into graphs by their names up to the last dot and knows no units for them, so unit and
words are kept here for dashboards, documents and people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel.names import joined
from kuroshio.mackerel.points import Combine

Unit = Literal["integer", "seconds", "percentage"]
_ANY = "*"


@dataclass(frozen=True)
class Figure:
    """A metric of the environment's service. ``*`` in the name stands for a workflow, or for a clone; ``graph`` names what shows it."""

    name: str
    unit: Unit
    combine: Combine
    graph: str
    words: str

    def of(self, workflow: str) -> str:
        """The metric's name for one workflow or clone, whatever signs that has; the name itself where it is of none."""
        return joined(*(workflow if part == _ANY else part for part in self.name.split(".")))


def _sum(name: str, graph: str, words: str) -> Figure:
    return Figure(name, "integer", Combine.SUM, graph, words)


def _last(name: str, unit: Unit, words: str) -> Figure:
    return Figure(name, unit, Combine.LAST, "replication", words)


FIGURES = (
    _sum("runs.*.started", "runs", "executions that began"),
    _sum("runs.*.succeeded", "runs", "executions that succeeded"),
    _sum("runs.*.failed", "runs", "executions that failed; 0 with each that succeeded, so that an alert closes"),
    _sum("runs.*.timed_out", "runs", "executions that ran out of time; 0 with each that succeeded"),
    _sum("runs.*.aborted", "runs", "executions that were stopped; 0 with each that succeeded"),
    Figure("runs.*.duration", "seconds", Combine.MAX, "durations", "the longest execution that ended in the minute"),
    _sum("changes.units_planned", "changes", "units that plans of pull requests named"),
    _sum("changes.incomplete_plans", "changes", "plans that had to name units because something could not be known"),
    _sum("deployments.units", "deployments", "units that were deployed"),
    _sum("deployments.failed_units", "deployments", "units whose deployment failed"),
    Figure("dora.deployments", "integer", Combine.LAST, "dora", "deployments of the last 30 days"),
    Figure("dora.lead_time", "seconds", Combine.LAST, "dora", "median time from merge to live, of 30 days"),
    Figure("dora.change_failure_rate", "percentage", Combine.LAST, "dora", "deployments that failed, of 30 days"),
    Figure(
        "dora.time_to_restore", "seconds", Combine.LAST, "dora", "median time from a failure to its end, of 30 days"
    ),
    _last("replication.*.behind_bytes", "integer", "bytes of the source's binlog that a clone has still to do"),
    _last("replication.*.behind_transactions", "integer", "transactions of these; where they are many, an estimate"),
    _last("replication.*.behind_seconds", "seconds", "age of the oldest change that a clone has still to do"),
    _last("replication.*.applied_bytes_per_second", "integer", "bytes of binlog that a clone does in a second"),
    _last("replication.*.following", "integer", "1 while a clone follows its source, 0 while it does not"),
    _last("replication.*.strange_changes", "integer", "changes that somebody else than its source made on a clone"),
    _last("replication.*.verified_differences", "integer", "rows that differ, by the last verification of a clone"),
    _last("replication.*.verified_unsettled", "integer", "rows that changed each time that verification looked"),
    _last(
        "replication.*.verified_unknown", "integer", "tables of which the last verification knows nothing, or not all"
    ),
    _last("replication.*.verified_rows", "integer", "rows that the last verification looked at"),
    _last("replication.*.verified_seconds", "seconds", "how long the last verification took"),
    _sum("kuroshio.outbox.lost", "outbox", "points that were given up after a day without Mackerel"),
    _sum("kuroshio.outbox.lost_reports", "outbox", "check reports that were given up after six hours without Mackerel"),
)
_BY_NAME = {figure.name: figure for figure in FIGURES}
# Our state machines, as metrics call them: what is drawn and watched where nobody says otherwise.
WORKFLOWS = (
    "detect-changes",
    "replicate-cluster",
    "verify-clone",
    "repair-clone",
    "watch-clones",
    "cut-over",
    "cut-back",
    "remove-clone",
)
# What a run's status in Step Functions is called here.
STATUSES = {
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "TIMED_OUT": "timed_out",
    "ABORTED": "aborted",
}


def figure(name: str) -> Figure:
    """The figure of the name, as it is written in the catalogue. Raises InvalidRequest for one that is not there."""
    if name not in _BY_NAME:
        raise InvalidRequest(f"{name!r} is no figure of the catalogue; there are {', '.join(sorted(_BY_NAME))}")
    return _BY_NAME[name]


def figure_of(metric: str) -> Figure | None:
    """The figure that a metric's full name belongs to, if it is one of ours."""
    for candidate in FIGURES:
        pattern = ".".join("[^.]+" if part == _ANY else re.escape(part) for part in candidate.name.split("."))
        if re.fullmatch(pattern, metric):
            return candidate
    return None


def service_of(environment: str) -> str:
    """The Mackerel service of an environment, where no other is configured."""
    return f"kuroshio-{environment}"


def workflow_of(state_machine: str, environment: str) -> str:
    """What a workflow is called in metrics: its state machine's name without what the service's name says already."""
    return state_machine.removeprefix(f"kuroshio-{environment}-")


def of_run(workflow: str, status: str, seconds: float | None) -> list[tuple[Figure, float]]:
    """What a run that changed its state contributes: 1 to its status; at its end its duration, and with a success 0 to
    every kind of failure: a monitor looks at the latest point, and would stay open for ever without one.
    """
    if status == "RUNNING":
        return [(figure("runs.*.started"), 1)]
    ended = STATUSES.get(status)
    if ended is None:
        raise InvalidRequest(f"{status!r} of {workflow!r} is no status of a run; there are {', '.join(STATUSES)}")
    others = [name for name in STATUSES.values() if name != ended] if ended == "succeeded" else []
    counts = [(figure(f"runs.*.{ended}"), 1.0), *((figure(f"runs.*.{name}"), 0.0) for name in others)]
    return counts if seconds is None else [*counts, (figure("runs.*.duration"), seconds)]
