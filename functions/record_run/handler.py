"""Record what became of an execution of one of our workflows."""

from __future__ import annotations

from typing import Any

from kuroshio import wiring


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return which run it was and whether the ledger learned of something. The event is EventBridge's."""
    return wiring.record_run().record(event)
