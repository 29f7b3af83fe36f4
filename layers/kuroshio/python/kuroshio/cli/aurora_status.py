"""``kuroshio aurora status``: how clones stand, and what waits for a person."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from kuroshio.cli.aurora_place import Place, for_clones, width

if TYPE_CHECKING:
    from kuroshio.aurora.standing import Standing

_NEEDS_SOMEBODY = 3
_POLL_S = 3.0
_OVER = ("done", "aborted", "failed")


@click.command()
@click.argument("clone", required=False)
@for_clones
@click.option("--watch", is_flag=True, help="Go on until it ends.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: a list, or one with CLONE.")
def status(*, clone: str | None, env: str, ledger_table: str | None, watch: bool, as_json: bool) -> None:
    """Show how CLONE stands, or all clones: phase, lag, proof, and what waits for somebody.

    Exit codes: 0 all is well, 3 something needs a person (an approval, a difference, an error), 1 failed.
    """
    from kuroshio.aurora.standing import standing
    from kuroshio.cli.aurora_watch import look

    place = Place(env, ledger_table)
    if clone is None:
        names = [str(each["clone"]) for each in place.ledger.clones()]
        found = [standing(place.ledger, name, datetime.now(UTC)) for name in names]
        if as_json:
            click.echo(json.dumps([each.document() for each in found], indent=2, ensure_ascii=False))
        else:
            _table(found)
    else:
        now = look(place, clone)
        if watch:
            now = _watched(place, clone)
        if as_json:
            click.echo(json.dumps(now.document(), indent=2, ensure_ascii=False))
        elif not watch:
            _one(now)
        found = [now]
    sys.exit(0 if all(each.is_well for each in found) else _NEEDS_SOMEBODY)


def _watched(place: Place, clone: str) -> Standing:
    from kuroshio.cli.aurora_screen import screen
    from kuroshio.cli.aurora_watch import look

    with screen() as show:
        while True:
            now = look(place, clone)
            show(now)
            if now.phase in _OVER:
                return now
            time.sleep(_POLL_S)


def _one(now: Standing) -> None:
    from rich.console import Console

    from kuroshio.cli.aurora_screen import drawn

    Console(highlight=False, emoji=False, width=width()).print(drawn(now), soft_wrap=True)


def _table(found: list[Standing]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kuroshio.aurora.report import words
    from kuroshio.aurora.report.records import number
    from kuroshio.aurora.report.story import outcome
    from kuroshio.changes.rendering.words import printable

    console = Console(highlight=False, emoji=False, width=width())
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in ("CLONE", "SOURCE", "PHASE", "SINCE (UTC)", "BEHIND", "PROOF", "NEEDS"):
        table.add_column(column, overflow="fold")
    for each in found:
        needs = [f"approval: {asked.name}" for asked in each.asked] + ([each.error] if each.error else [])
        behind = words.size(number(each.lag, "behind_bytes")) if "behind_bytes" in each.lag else ""
        proof = outcome(each.verification) if each.verification else ""
        row = (each.clone, each.source, each.phase, words.clock(each.since), behind, proof, "\n".join(needs))
        table.add_row(*(Text(printable(cell) if "\n" not in cell else cell) for cell in row))
    console.print(table if found else "No clone was ever made here.")
