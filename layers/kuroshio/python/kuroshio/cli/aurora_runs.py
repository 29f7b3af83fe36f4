"""Runs that work at a clone which is there: started with its own request, and followed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import click

from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.executions import Execution
    from kuroshio.cli.aurora_place import Place


def of_a_run(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of every verb that starts something."""
    for option in reversed([
        click.option("--watch/--no-watch", default=True, show_default=True, help="Show how it goes until it has ended."),
        click.option("--json", "as_json", is_flag=True, help="As JSON."),
    ]):  # fmt: skip
        command = option(command)
    return command


def request_of(place: Place, clone: str) -> dict[str, Any]:
    """The request by which a clone was made. Raises NotFound where the ledger has none."""
    state = place.ledger.read(clone, "state") or {}
    if not isinstance(state.get("request"), dict):
        raise NotFound(f"the ledger knows no clone {clone}; kuroshio aurora status lists those that it knows")
    return dict(state["request"])


def named(clone: str, verb: str, *of: Any) -> str:
    """A name for a run: the same for the same, so that asking twice is asking once."""
    written = json.dumps(of, sort_keys=True, separators=(",", ":"), default=str)
    return f"{clone[:45]}-{verb}-{hashlib.sha256(written.encode()).hexdigest()[:12]}"


def run(
    place: Place, machine: str, clone: str, name: str, document: dict[str, Any]
) -> tuple[str, Callable[[], Execution]]:
    """Start it, or find the one that runs. Returns its ARN, and what follows it to its end."""
    from kuroshio.cli.aurora_watch import follow

    executions = place.machine(machine)
    chosen, found = executions.find(name)
    if found:
        click.echo(f"this was asked before: {chosen} ({found.status})", err=True)
        arn = found.arn
    else:
        arn = executions.start(chosen, document)
        click.echo(f"started {chosen}", err=True)
    return arn, lambda: follow(place, clone, executions, arn)


def left_alone(arn: str, clone: str, *, as_json: bool) -> None:
    """Say where a run is that nobody waits for."""
    told = {"execution": arn, "clone": clone}
    click.echo(json.dumps(told, indent=2) if as_json else "\n".join(f"{name}: {value}" for name, value in told.items()))
