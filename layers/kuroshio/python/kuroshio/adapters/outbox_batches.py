"""The collector's side of the outbox on SQS: a standard queue, read by Lambda with partial batch responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.mackerel.collect import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kuroshio.mackerel.collect import Collector

_TO_FINISH = 20.0  # seconds: a portion of a thousand points, written with some patience


@dataclass(frozen=True)
class Batches:
    """What the function ``collect_metrics`` does with the batches that Lambda's event source hands over."""

    collector: Collector
    journal: Journal
    clock: Callable[[], float]

    def take(self, event: Mapping[str, Any], seconds_left: float) -> dict[str, Any]:
        """Collect the messages and answer which are to be delivered again: those that failed, or came too late."""
        batch, before = deliveries(event), self.collector.set_aside
        failed = self.collector.take(batch, until=self.clock() + seconds_left - _TO_FINISH)
        self.journal.collected(len(batch), len(failed), self.collector.set_aside - before)
        return batch_response(failed)


class Journal(Protocol):
    """What a person and an alarm can see of collecting."""

    def collected(self, messages: int, returned: int, set_aside: int) -> None:
        """Tell what came of a batch of messages."""


def deliveries(event: Mapping[str, Any]) -> list[Delivery]:
    """The messages of the event with which Lambda's event source hands over a batch."""
    return [Delivery(record["messageId"], record["body"]) for record in event["Records"]]


def batch_response(failed: Sequence[str]) -> dict[str, Any]:
    """Lambda's answer that has the messages of these ids delivered again, and all others deleted.

    The event source mapping must have ``ReportBatchItemFailures``, or Lambda reads the answer as full success.
    """
    return {"batchItemFailures": [{"itemIdentifier": key} for key in failed]}
