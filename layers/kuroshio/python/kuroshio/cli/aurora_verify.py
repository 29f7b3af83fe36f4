"""``kuroshio aurora verify`` and ``repair``: whether a clone is what its source is, and rows that differ written anew."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Any

import click

from kuroshio.cli.aurora_place import Place, confirmed, for_clones
from kuroshio.cli.aurora_runs import left_alone, named, of_a_run, request_of, run
from kuroshio.errors import NotFound

_DIFFERS = 3


@click.command()
@click.argument("clone")
@for_clones
@click.option("--proof", type=click.Choice(["auto", "full", "delta"]), help="By default what the request says.")
@of_a_run
def verify(*, clone: str, env: str, ledger_table: str | None, proof: str | None, watch: bool, as_json: bool) -> None:
    """Compare CLONE with its source, while writes go on.

    Exit codes: 0 proven equal, 3 rows differ or something is not known, 1 failed.
    """
    from kuroshio.adapters.approvals import caller

    place = Place(env, ledger_table)
    document = {"request": request_of(place, clone), "by": caller(), **({"proof": proof} if proof else {})}
    # Each is another one: what was equal an hour ago says nothing of now.
    name = f"{clone[:45]}-verify-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    arn, follow = run(place, "verify_clone", clone, name, document)
    if not watch:
        left_alone(arn, clone, as_json=as_json)
        return
    follow()
    found = _last(place, clone)
    _tell(clone, found, as_json=as_json)
    sys.exit(0 if found.get("equal") else _DIFFERS)


@click.command()
@click.argument("clone")
@for_clones
@click.option(
    "--yes", is_flag=True, help="Start without being asked; the run itself asks for an approval all the same."
)
@of_a_run
def repair(*, clone: str, env: str, ledger_table: str | None, yes: bool, watch: bool, as_json: bool) -> None:
    """Write the rows of CLONE that the last verification found to differ anew, from the source, after an approval.

    Exit codes: 0 done, and equal now, 3 nothing was done, or rows still differ, 1 failed.
    """
    from kuroshio.adapters.approvals import caller

    place = Place(env, ledger_table)
    request, last = request_of(place, clone), _last(place, clone)
    if not last.get("differences"):
        click.echo(f"the last verification of {clone} found no row to repair", err=True)
        sys.exit(0)
    if not confirmed(f"Repair {last['differences']:,} rows of {clone}?", yes=yes):
        sys.exit(_DIFFERS)
    verification = str(last["began"])
    document = {"request": request, "verification": verification, "by": caller()}
    arn, follow = run(place, "repair_clone", clone, named(clone, "repair", verification), document)
    if not watch:
        left_alone(arn, clone, as_json=as_json)
        return
    follow()
    found = _last(place, clone)
    _tell(clone, found, as_json=as_json)
    sys.exit(0 if found.get("equal") else _DIFFERS)


def _last(place: Place, clone: str) -> dict[str, Any]:
    """The latest verification. Raises NotFound where there is none."""
    from kuroshio.aurora.records import is_of, moment

    since = moment(place.ledger.read(clone, "state") or {}, "since")
    found = [each for each in place.ledger.all(clone, "verification#") if is_of(each, since)]
    if not found:
        raise NotFound(f"{clone} was never compared with its source: kuroshio aurora verify {clone}")
    return found[-1]


def _tell(clone: str, found: dict[str, Any], *, as_json: bool) -> None:
    from kuroshio.aurora.report.story import outcome

    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    click.echo(f"{clone}: {outcome(found)} ({found.get('proof')} proof, {found.get('rows', 0):,} rows)")
    if not found.get("equal"):
        click.echo(f"which rows: kuroshio aurora report {clone}")
