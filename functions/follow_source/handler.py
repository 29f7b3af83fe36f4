"""Let a clone follow its source."""

from __future__ import annotations

from typing import Any

from kuroshio.wiring import aurora


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return how the clone follows, after the step that the event names."""
    return aurora.follow_source().run(event)
