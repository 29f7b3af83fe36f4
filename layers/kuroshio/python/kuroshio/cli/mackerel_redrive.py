"""``kuroshio mackerel redrive``: what was set aside and dead letters back on their way, after the cause was mended."""

from __future__ import annotations

import json

import click

from kuroshio.cli.outbox import Outbox, for_the_outbox

_MOST_SHOWN = 20


@click.command()
@for_the_outbox
@click.option("--lane", default="", help='Only of this lane, such as "metrics/shop".')
@click.option("--reason", default="", metavar="TEXT", help="Only what was refused for a reason with this text in it.")
@click.option("--dead-letters/--no-dead-letters", default=None, help="By default unless --lane or --reason is given.")
@click.option("--yes", is_flag=True, help="Do it; without, it is only said what would be done.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: done, set_aside, dead_letters, unreadable.")
def redrive(  # noqa: PLR0917 - click passes all by keyword
    env: str,
    ledger_table: str | None,
    queue_url: str | None,
    dead_letters_url: str | None,
    lane: str,
    reason: str,
    dead_letters: bool | None,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
) -> None:
    """Let what was set aside be tried again, move dead letters back, and let the lanes concerned try at once.

    Without --yes, only says what it would do. Nothing counts twice by it. What could not be read at all stays.
    """
    from kuroshio.adapters.outbox_queues import depth, moved
    from kuroshio.changes.rendering.words import printable
    from kuroshio.mackerel import state

    outbox = Outbox(env, ledger_table, queue_url, dead_letters_url)
    ledger = outbox.ledger()
    with_letters = not (lane or reason) if dead_letters is None else dead_letters
    found = state.redrivable(ledger, lane, reason)
    unreadable = len(state.parked(ledger)) - len(state.redrivable(ledger))
    if yes:
        count = state.redrive(ledger, lane, reason)
        queue, dead = outbox.queues() if with_letters else ("", "")
        letters = moved(dead, queue) if with_letters else 0
    else:
        count, letters = len(found), depth(outbox.queues()[1]).waiting if with_letters else 0
    if as_json:
        told = {"done": yes, "set_aside": count, "dead_letters": letters, "unreadable": unreadable}
        click.echo(json.dumps(told, indent=2))
        return
    for each in found[:_MOST_SHOWN]:
        click.echo(f"  {printable(each.lane)} {printable(each.what)}: {printable(each.reason)}")
    if len(found) > _MOST_SHOWN:
        click.echo(f"  and {len(found) - _MOST_SHOWN:,} more")
    doing = "are tried again" if yes else "would be tried again"
    click.echo(f"{count:,} that were set aside and {letters:,} dead letters {doing}")
    if unreadable:
        click.echo(f"{unreadable:,} cannot: they could not be read as figures (kuroshio mackerel status --json)")
    if not yes:
        click.echo("nothing was done; --yes does it")
