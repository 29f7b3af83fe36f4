"""``kuroshio aurora preflight``: all that stands in the way of a clone, before anything is changed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.aurora_place import Place, for_clones, width
from kuroshio.cli.aurora_request import asked_for, for_a_request

if TYPE_CHECKING:
    from collections.abc import Iterable

REFUSED = 3
_STYLES = {"blocking": "bold red", "unknown": "bold red", "warning": "yellow", "note": "cyan", "fine": "green"}
_STOPS = ("blocking", "unknown")
_MOST_ABOUT = 10


@click.command()
@for_a_request
@for_clones
@click.option("--all", "with_fine", is_flag=True, help="Show what is fine too.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: begins, findings.")
def preflight(*, env: str, ledger_table: str | None, with_fine: bool, as_json: bool, **given: Any) -> None:
    """Look at SOURCE and say all that stands in the way of a clone called CLONE. Reads only.

    What cannot be known stands in the way too. Exit codes: 0 it could begin, 3 it would be refused, 1 failed, 2 the request
    is wrong.
    """
    request = asked_for(given)
    findings = look(Place(env, ledger_table), request)
    refused = [each for each in findings if each["severity"] in _STOPS]
    if as_json:
        click.echo(json.dumps({"begins": not refused, "findings": findings}, indent=2, ensure_ascii=False))
    else:
        show(findings, with_fine=with_fine)
    sys.exit(REFUSED if refused else 0)


def look(place: Place, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Ask the function that can reach the databases."""
    from kuroshio.adapters.approvals import caller
    from kuroshio.adapters.invocation import invoke

    answer = invoke(place.function("inspect_cluster"), {"step": "look", "request": request, "by": caller()})
    return list(answer["findings"])


def show(findings: Iterable[dict[str, Any]], *, with_fine: bool = False) -> None:
    """Print the findings as a table, the gravest first."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kuroshio.changes.rendering.words import printable

    found = list(findings)
    shown = [each for each in found if with_fine or each["severity"] != "fine"]
    console = Console(highlight=False, emoji=False, width=width())
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in ("SEVERITY", "FINDING", "WHAT WAS FOUND", "WHAT TO DO"):
        table.add_column(column, overflow="fold", no_wrap=column in ("SEVERITY", "FINDING"))
    for each in shown:
        about = [str(name) for name in each.get("about", [])]
        more = [f"and {len(about) - _MOST_ABOUT:,} more (--json shows all)"] if len(about) > _MOST_ABOUT else []
        said = "\n".join(printable(line) for line in [each["message"], *about[:_MOST_ABOUT], *more])
        severity = Text(each["severity"], style=_STYLES.get(each["severity"], ""))
        table.add_row(severity, Text(printable(each["code"])), Text(said), Text(printable(each.get("remedy", ""))))
    if shown:
        console.print(table)
    stops = sum(each["severity"] in _STOPS for each in found)
    fine = sum(each["severity"] == "fine" for each in found)
    stands = "stands" if stops == 1 else "stand"
    verdict = f"It would be refused: {stops:,} {stands} in the way." if stops else "Nothing stands in the way."
    console.print(
        Text(
            f"{verdict} {len(found):,} things were looked at, {fine:,} {'is' if fine == 1 else 'are'} fine.",
            style="bold",
        )
    )
