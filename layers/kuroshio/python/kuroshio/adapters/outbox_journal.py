"""Figures of the outbox for CloudWatch (EMF: inside log lines, no call), which an outage of Mackerel cannot stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.mackerel.verdicts import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kuroshio.mackerel.flush import Flushed
    from kuroshio.mackerel.state import Standing

_SERVER_ERROR = 500
_NAMED = (401, 403, 404, 429)


class OutboxJournal:
    """Log lines, and metrics by function; docs/mackerel.md says what each is for. Implements ``flushing.Journal``.

    What did not happen is not counted as zero: CloudWatch bills a metric for every hour in which it is written.
    """

    def __init__(self) -> None:
        from aws_lambda_powertools.logging import Logger

        self._logger = Logger()

    def standing(self, standing: Standing) -> None:
        """Tell what the outbox holds, before anything is asked of Mackerel."""
        _put({"OutboxDepth": standing.depth, "OutboxLanesParked": standing.lanes_parked})
        _put({"OutboxAgeSeconds": standing.age, "SecondsSinceLastSuccess": standing.since_success}, unit="Seconds")

    def flushed(self, flushed: Sequence[Flushed]) -> None:
        """Tell what came of the turns."""
        figures = {
            "PointsDelivered": sum(each.delivered for each in flushed),
            "PointsSetAside": sum(each.set_aside for each in flushed),
            "PointsLost": sum(each.lost for each in flushed),
        }
        for each in flushed:
            if each.refusal is not None:
                name = _class(each.refusal.status)
                figures[name] = figures.get(name, 0) + 1
                says = str(Refusal(each.refusal.status, each.refusal.message, 0))
                self._logger.warning("Mackerel refuses", extra={"lane": each.lane, "refusal": says})
        happened = {name: count for name, count in figures.items() if count}
        if happened:
            self._logger.info("flushed", extra={"figures": happened})
        _put(happened)

    def collected(self, messages: int, returned: int, set_aside: int) -> None:
        """Tell what came of a batch of messages."""
        if returned:
            self._logger.warning("messages go back into the queue", extra={"returned": returned, "of": messages})
        happened = {"MessagesCollected": messages - returned, "MessagesReturned": returned, "PointsSetAside": set_aside}
        _put({name: count for name, count in happened.items() if count})


def _put(figures: Mapping[str, int], unit: str = "Count") -> None:
    if not figures:
        return
    from aws_lambda_powertools.metrics import EphemeralMetrics

    metrics = EphemeralMetrics()
    for name, value in figures.items():
        metrics.add_metric(name, unit, value)
    metrics.flush_metrics()


def _class(status: int) -> str:
    """The name under which refusals of a status are counted."""
    if status == 0:
        return "NoAnswer"
    if status in _NAMED:
        return f"Refusals{status}"
    return "Refusals5xx" if status >= _SERVER_ERROR else "Refusals4xx"
