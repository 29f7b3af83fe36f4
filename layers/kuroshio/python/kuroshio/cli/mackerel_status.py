"""``kuroshio mackerel status``: what waits for Mackerel, and why."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from kuroshio.cli.places import Stack


@click.command()
@click.option("--env", default="dev", show_default=True, help="Looks names up in the stacks kuroshio-…-ENV.")
@click.option("--ledger-table", envvar="KUROSHIO_LEDGER_TABLE", help="Instead of looking it up.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(*, env: str, ledger_table: str | None, as_json: bool) -> None:
    """Show every lane with what waits in it, and what was set aside."""
    from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
    from kuroshio.mackerel import state

    table = Stack(f"kuroshio-foundation-{env}", {"LedgerTableName": ledger_table})["LedgerTableName"]
    ledger = DynamoOutboxLedger(table)
    lanes, parked = state.lanes(ledger), state.parked(ledger)
    if as_json:
        document = {"lanes": [asdict(lane) for lane in lanes], "parked": [asdict(each) for each in parked]}
        click.echo(json.dumps(document, indent=2))
        return
    for lane in lanes:
        click.echo(f"{lane.name}: {lane.waiting} waiting; {lane.refusal or 'open'}")
    for each in parked:
        click.echo(f"set aside: {each.lane} {each.what}: {each.reason}")
