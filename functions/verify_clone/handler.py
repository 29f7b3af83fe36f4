"""Find out whether a clone is what its source is, and write rows that differ anew."""

from __future__ import annotations

from typing import Any

from kuroshio.wiring import aurora


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return what a step came to, in short. The event is a step of ``verify_clone`` or ``repair_clone``."""
    return aurora.verify_clone().run(event)
