"""A plan as a table for people: coloured on a terminal, plain in a pipe."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kuroshio.changes.plan import Change
from kuroshio.changes.rendering import words

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan, UnitChange

_STYLES = {Change.ADDED: "green", Change.MODIFIED: "yellow", Change.REMOVED: "red"}
_MAX_REASONS = 5
_MAX_PATHS = 10
_PIPE_WIDTH = 160


def show(plan: Plan, file: IO[str]) -> None:
    """Print the plan to ``file``."""
    console = Console(
        file=file, soft_wrap=False, highlight=False, emoji=False, width=None if file.isatty() else _PIPE_WIDTH
    )
    if plan.units:
        console.print(_table(plan))
    for title, paths in (
        ("Infrastructure", plan.infrastructure),
        ("Unclassified (belongs to no unit that is known)", plan.unclassified),
        ("Ignored", plan.ignored),
    ):
        _list(console, title, paths)
    for warning in plan.warnings:
        where = f"{words.printable(warning.path)}: " if warning.path else ""
        console.print(Text(f"warning: {where}{words.printable(warning.message)}", style="bold yellow"), soft_wrap=True)
    console.print(Text(words.verdict(plan), style="bold"))
    console.print(Text(words.span(plan), style="dim"))


def _table(plan: Plan) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("UNIT", "KIND", "CHANGE", "WHY"):
        table.add_column(column, overflow="fold", no_wrap=column in ("KIND", "CHANGE"))
    for unit in plan.units:
        change = Text(unit.change, style=_STYLES[unit.change])
        table.add_row(Text(words.printable(unit.id)), f"{unit.kind}, {unit.packaging}", change, Text(_why(unit)))
    return table


def _why(unit: UnitChange) -> str:
    said = [words.reason(reason) for reason in unit.reasons[:_MAX_REASONS]]
    left = len(unit.reasons) - len(said) + unit.omitted_reasons
    return "\n".join([*said, f"and {left:,} more"] if left else said)


def _list(console: Console, title: str, paths: tuple[str, ...]) -> None:
    if not paths:
        return
    console.print(Text(f"{title}: {len(paths):,}", style="bold"))
    for path in paths[:_MAX_PATHS]:
        console.print(Text(f"  {words.printable(path)}"), soft_wrap=True)
    if len(paths) > _MAX_PATHS:
        console.print(f"  and {len(paths) - _MAX_PATHS:,} more")
