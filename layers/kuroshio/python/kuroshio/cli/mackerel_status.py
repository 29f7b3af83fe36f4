"""``kuroshio mackerel status``: what waits for Mackerel, since when, and why."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.outbox import Outbox, for_the_outbox

if TYPE_CHECKING:
    from kuroshio.adapters.outbox_queues import Depth
    from kuroshio.mackerel.state import Lane, Parked

_NEEDS_SOMEBODY = 3
_PIPE_WIDTH = 160
_MOST_SHOWN = 20


@click.command()
@for_the_outbox
@click.option("--json", "as_json", is_flag=True, help="As JSON: queue, dead_letters, lanes, set_aside.")
def status(
    *, env: str, ledger_table: str | None, queue_url: str | None, dead_letters_url: str | None, as_json: bool
) -> None:
    """Show what waits for Mackerel, since when, and why.

    Exit codes: 0 all of it moves, 3 something needs a person (a lane is parked, something was set aside, there are dead
    letters), 1 failed.
    """
    from kuroshio.adapters.outbox_queues import depth
    from kuroshio.mackerel import state

    outbox = Outbox(env, ledger_table, queue_url, dead_letters_url)
    ledger, (queue, dead) = outbox.ledger(), outbox.queues()
    lanes, parked = state.lanes(ledger), state.parked(ledger)
    waiting, letters = depth(queue), depth(dead)
    if as_json:
        click.echo(json.dumps(_document(lanes, parked, waiting, letters), indent=2))
    else:
        _show(lanes, parked, waiting, letters)
    needed = bool(parked) or letters.waiting > 0 or any(lane.is_parked for lane in lanes)
    raise SystemExit(_NEEDS_SOMEBODY if needed else 0)


def _document(lanes: list[Lane], parked: list[Parked], waiting: Depth, letters: Depth) -> dict[str, Any]:
    return {
        "queue": asdict(waiting),
        "dead_letters": asdict(letters),
        "lanes": [
            asdict(lane) | {"state": _state(lane), "refusal": str(lane.refusal) if lane.refusal else None}
            for lane in lanes
        ],
        "set_aside": [asdict(each) for each in parked],
    }


def _state(lane: Lane) -> str:
    if lane.is_parked:
        return "parked"
    return "retrying" if lane.refusal else "open"


def _show(lanes: list[Lane], parked: list[Parked], waiting: Depth, letters: Depth) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kuroshio.changes.rendering.words import printable

    now = time.time()
    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    console.print(f"queue: {waiting.waiting:,} waiting, {waiting.in_flight:,} being collected")
    console.print(f"dead letters: {letters.waiting:,}")
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in ("LANE", "STATE", "WAITING", "OLDEST", "LAST SUCCESS", "NEXT TURN", "LOST", "WHY"):
        table.add_column(column, overflow="fold")
    for lane in lanes:
        why = Text(printable(str(lane.refusal)) if lane.refusal else "")
        ages = (_age(lane.oldest, now), _age(lane.succeeded_at, now), _in(lane.next_turn, now))
        table.add_row(Text(printable(lane.name)), _state(lane), f"{lane.waiting:,}", *ages, f"{lane.lost:,}", why)
    console.print(table if lanes else "Nothing was ever collected.")
    if parked:
        console.print(f"set aside: {len(parked):,}")
    for each in parked[:_MOST_SHOWN]:
        line = f"  {printable(each.lane)} {printable(each.what)}: {printable(each.reason)}"
        console.print(Text(line), soft_wrap=True)
    if len(parked) > _MOST_SHOWN:
        console.print(f"  and {len(parked) - _MOST_SHOWN:,} more (--json shows all)")


def _age(at: int | None, now: float) -> str:
    return "-" if at is None else f"{_words(now - at)} ago"


def _in(at: int, now: float) -> str:
    return f"in {_words(at - now)}" if at > now else "due"


def _words(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
