"""Fold messages of the outbox into the ledger, each contribution once."""

from __future__ import annotations

from typing import Any

from kuroshio import wiring


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Return which messages are to be delivered again. The event is that of Lambda's event source for SQS."""
    return wiring.collect_metrics().take(event, context.get_remaining_time_in_millis() / 1000)
