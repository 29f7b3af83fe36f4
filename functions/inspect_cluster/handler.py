"""Look at an Aurora cluster before it is cloned."""

from __future__ import annotations

from typing import Any

from kuroshio.wiring import aurora


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return what was found, in short. The event is a step of the workflow ``replicate_cluster``."""
    return aurora.inspect_cluster().run(event)
