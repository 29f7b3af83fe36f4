"""Make the clone of an Aurora cluster, learn where it begins, upgrade it, remove it."""

from __future__ import annotations

from typing import Any

from kuroshio.wiring import aurora


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return how far the step is. The event is a step of the workflows ``replicate_cluster`` and ``remove_clone``."""
    return aurora.clone_cluster().run(event)
