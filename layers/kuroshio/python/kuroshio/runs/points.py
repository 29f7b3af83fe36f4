"""Every execution becomes points, without a line of metrics in any state machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.mackerel import points
from kuroshio.mackerel.catalogue import STATUSES, of_run, workflow_of
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.silence import Ended

if TYPE_CHECKING:
    from kuroshio.mackerel.points import Point
    from kuroshio.runs.run import Run

_RUNNING = "RUNNING"


def parcel_of(run: Run, *, service: str, environment: str, now: float) -> Parcel:
    """What an event of a run contributes. The same event again has the same keys; a redrive has keys of its own.

    An event that is older than a day is not refused here: the outbox counts it as lost, which is what it is. A state
    that is neither beginning nor end contributes nothing.
    """
    if run.status not in (_RUNNING, *STATUSES):
        return Parcel()
    workflow = workflow_of(run.workflow, environment)
    at = (run.stopped or run.begun).timestamp()

    def point(name: str, combine: str, value: float) -> Point:
        key = points.digest("run", run.arn, run.started.isoformat(), run.redrives, run.status, name)
        return points.point(service, name, value, at=at, now=min(now, at + points.DAY), combine=combine, key=key)

    figures = of_run(workflow, run.status, run.seconds_of_attempt)
    told = tuple(point(figure.of(workflow), figure.combine, value) for figure, value in figures)
    # An execution that was killed or timed out had no state left in which to end its downtime.
    over = (Ended(run.arn, int(at)),) if run.status in STATUSES else ()
    return Parcel(told, downtimes=over)
