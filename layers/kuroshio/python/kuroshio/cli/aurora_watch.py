"""An execution that works at a clone, started once and followed until it ends."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kuroshio.cli.aurora_screen import screen
from kuroshio.errors import ConfigurationMissing, NotFound, WorkflowFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.executions import Execution, Executions
    from kuroshio.aurora.standing import Compared, Standing
    from kuroshio.cli.aurora_place import Place

_RUNNING = ("RUNNING", "PENDING_REDRIVE")
_FIRST_POLL_S, _POLL_S = 0.3, 3.0


def look(place: Place, clone: str) -> Standing:
    """How a clone stands now, with what a verification has done. Raises NotFound."""
    from kuroshio.aurora.standing import standing

    now = standing(place.ledger, clone, datetime.now(UTC))
    if now.phase != "verifying":
        return now
    return standing(place.ledger, clone, datetime.now(UTC), _compared(place, clone))


def _compared(place: Place, clone: str) -> Compared | None:
    from kuroshio.adapters.map_runs import compared

    try:
        return compared(place.machine("verify_clone").arn, clone)
    except (ConfigurationMissing, NotFound):
        return None


def follow(place: Place, clone: str, executions: Executions, arn: str) -> Execution:
    """Show how it goes until the execution has ended. Raises WorkflowFailed with its error.

    Interrupted, the execution goes on: only the watching ends.
    """
    pause = _FIRST_POLL_S
    try:
        with screen() as show:
            while (found := executions.describe(arn)).status in _RUNNING:
                _show(place, clone, show)
                time.sleep(pause)
                pause = min(_POLL_S, pause * 1.5)
            _show(place, clone, show)
    except KeyboardInterrupt:
        click.echo(f"\nit goes on without being watched: kuroshio aurora status {clone} --watch", err=True)
        raise click.Abort from None
    if found.status != "SUCCEEDED":
        raise WorkflowFailed(
            f"{arn} {found.status}: {found.error or 'no error named'}: {found.cause[:500]}", found.error
        )
    return found


def _show(place: Place, clone: str, show: Callable[[Standing], None]) -> None:
    try:
        show(look(place, clone))
    except NotFound:
        return  # it was only just started
