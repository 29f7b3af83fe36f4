"""``kuroshio aurora replicate``: a clone that follows its source, made by the workflow and watched."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.aurora_place import Place, for_clones
from kuroshio.cli.aurora_request import asked_for, execution_name, for_a_request
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from kuroshio.adapters.executions import Executions

_REFUSED = 3
_ENDED = ("aborted", "done", "")


@click.command()
@for_a_request
@for_clones
@click.option("--watch/--no-watch", default=True, show_default=True, help="Show how it goes until it is ready.")
@click.option("--dry-run", is_flag=True, help="Look at the source, show the request, and start nothing.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def replicate(*, env: str, ledger_table: str | None, watch: bool, dry_run: bool, as_json: bool, **given: Any) -> None:
    """Make CLONE, a copy of the live cluster SOURCE that follows it by binlog replication, and compare the two.

    Asking again for the same goes on with the run that there is, and after a failure where that stopped. Interrupting ends
    the watching only. Exit codes: 0 it follows and is equal, 1 failed, 2 the request is wrong, 3 it would be refused
    (--dry-run).
    """
    request = asked_for(given)
    place = Place(env, ledger_table)
    if dry_run:
        _rehearse(place, request, as_json=as_json)
    executions = place.machine("replicate_cluster")
    arn = started(place, executions, request)
    if not watch:
        _tell({"execution": arn, "clone": request["clone"]}, as_json=as_json)
        return
    from kuroshio.cli.aurora_watch import follow, look

    follow(place, request["clone"], executions, arn)
    now = look(place, request["clone"])
    if as_json:
        click.echo(json.dumps(now.document(), indent=2, ensure_ascii=False))
    else:
        click.echo(
            f"{request['clone']} follows {request['source']}; what happened: kuroshio aurora report {request['clone']}"
        )


def started(place: Place, executions: Executions, request: dict[str, Any]) -> str:
    """The ARN of the run that does this: the one there is, or a new one.

    Raises InvalidRequest where the clone is there by another request.
    """
    from kuroshio.adapters.approvals import caller

    clone = request["clone"]
    state = place.ledger.read(clone, "state") or {}
    phase, run = str(state.get("phase", "")), str(state.get("run", ""))
    if phase not in _ENDED and _differ(state.get("request"), request):
        raise InvalidRequest(
            f"{clone} is {phase} by another request (kuroshio aurora status {clone}): ask for the same, abort it first, or "
            "take another name"
        )
    name, found = executions.find(execution_name(request, run if phase in _ENDED else ""))
    if found:
        click.echo(f"this was asked before: {name} ({found.status})", err=True)
        return found.arn
    arn = executions.start(name, {**request, "by": caller()})
    click.echo(f"started {name}", err=True)
    return arn


def _differ(kept: Any, request: dict[str, Any]) -> bool:
    from kuroshio.aurora.request import parse

    try:
        return parse(kept).document() != request
    except InvalidRequest:
        return False  # kept by another version: the workflow itself decides


def _rehearse(place: Place, request: dict[str, Any], *, as_json: bool) -> None:
    from kuroshio.cli.aurora_preflight import look, show

    findings = look(place, request)
    refused = any(each["severity"] in ("blocking", "unknown") for each in findings)
    if as_json:
        document = {"request": request, "begins": not refused, "findings": findings}
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        click.echo(json.dumps(request, indent=2))
        show(findings)
        click.echo("nothing was started (--dry-run)")
    sys.exit(_REFUSED if refused else 0)


def _tell(document: dict[str, str], *, as_json: bool) -> None:
    click.echo(json.dumps(document, indent=2) if as_json else "\n".join(f"{k}: {v}" for k, v in document.items()))
