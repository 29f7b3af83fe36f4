"""Find out what a pull request changes and publish the plan."""

from __future__ import annotations

from typing import Any

from kuroshio import wiring


def handle(event: object, _context: object) -> dict[str, Any]:
    """Return where the plan is and what it comes to. The request is described in docs/workflows/detect-changes.md."""
    return wiring.detect_changes().publish(event)
