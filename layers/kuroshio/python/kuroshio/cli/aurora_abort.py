"""``kuroshio aurora abort``: take a clone away, and undo what was done for it on its source."""

from __future__ import annotations

import json
import sys

import click

from kuroshio.cli.aurora_place import Place, confirmed, for_clones
from kuroshio.cli.aurora_runs import left_alone, named, of_a_run, request_of, run

_NOT_DONE = 3


@click.command()
@click.argument("clone")
@for_clones
@click.option("--yes", is_flag=True, help="Do it without being asked.")
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
@of_a_run
def abort(
    *, clone: str, env: str, ledger_table: str | None, yes: bool, dry_run: bool, watch: bool, as_json: bool
) -> None:
    """Stop what works at CLONE, delete the cluster and what was made for it, and restore the source's settings.

    The source and its data are not touched. Exit codes: 0 nothing is left, 3 something is left (it is listed) or nothing was
    done, 1 failed.
    """
    from kuroshio.adapters.approvals import caller
    from kuroshio.changes.rendering.words import printable

    place = Place(env, ledger_table)
    request = request_of(place, clone)
    state = place.ledger.read(clone, "state") or {}
    click.echo(
        f"{clone} is {state.get('phase')}; removed are the cluster {clone} with its instances, parameter group and secrets,",
        err=True,
    )
    click.echo(f"and on {request.get('source')} the replication account and the raised binlog retention", err=True)
    if dry_run or not confirmed(f"Remove {clone}?", yes=yes):
        sys.exit(0 if dry_run else _NOT_DONE)
    name = named(clone, "abort", state.get("run"), state.get("since"))
    arn, follow = run(place, "remove_clone", clone, name, {**request, "by": caller()})
    if not watch:
        left_alone(arn, clone, as_json=as_json)
        return
    left = (follow().output or {}).get("left", [])
    if as_json:
        click.echo(json.dumps({"clone": clone, "left": left}, indent=2))
    else:
        click.echo(f"{clone} is removed")
        for each in left:
            click.echo(f"  left: {printable(str(each))}")
    sys.exit(_NOT_DONE if left else 0)
