"""The image of the very first deployment: it starts, and says that nothing of ours is deployed yet."""

from __future__ import annotations

from typing import Any


class NotDeployed(Exception):  # noqa: N818 - what the caller reads as errorType
    """The stack exists, its code does not: push an image and put it in force (docs/deploy.md)."""


def handle(_event: Any, _context: Any) -> None:
    """Refuse every event, by name, so that no workflow takes the answer for a result."""
    raise NotDeployed(
        "this function still runs the initial image; run `kuroshio image push` and `kuroshio image deploy`"
    )
