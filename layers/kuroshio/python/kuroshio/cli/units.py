"""``kuroshio units``: what detection finds in a repository, and what each unit is made of."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from kuroshio.changes.unit import Input, Unit

_PIPE_WIDTH = 160


@click.command()
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="Repository, bare repository or bundle.")
@click.option("--rev", default="HEAD", show_default=True, help="The revision to look at.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: id, kind, packaging, inputs, uses, doubts.")
def units(*, repo: Path, rev: str, as_json: bool) -> None:
    """List the deployable units of a repository, and what each is made of.

    Found in every SAM and CloudFormation template of the revision, whatever its name.
    """
    from kuroshio.adapters.bundles import opened
    from kuroshio.changes.detection import inventory

    with opened(repo) as repository:
        found = inventory(repository, rev)
    if as_json:
        click.echo(json.dumps([_document(unit) for unit in found], indent=2, ensure_ascii=False))
    else:
        _show(found)


def _document(unit: Unit) -> dict[str, Any]:
    from kuroshio.changes.rendering.words import encodable
    from kuroshio.cli.why import input_document

    return {
        "id": encodable(unit.id),
        "kind": unit.definition.kind,
        "packaging": unit.definition.packaging,
        "inputs": [input_document(each) for each in unit.inputs],
        "uses": [encodable(used) for used in unit.uses],
        "doubts": [encodable(message) for _, message in unit.doubts],
    }


def _show(found: tuple[Unit, ...]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kuroshio.changes.rendering.words import printable

    console = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in ("UNIT", "KIND", "MADE OF"):
        table.add_column(column, overflow="fold", no_wrap=column == "KIND")
    for unit in found:
        table.add_row(
            Text(printable(unit.id)),
            f"{unit.definition.kind}, {unit.definition.packaging}",
            Text("\n".join(printable(line) for line in _made_of(unit))),
        )
    console.print(table if found else "No template of this revision defines a unit.")


def _made_of(unit: Unit) -> list[str]:
    inputs = [_input(each) for each in unit.inputs]
    uses = [f"{used} (a unit of its own)" for used in unit.uses]
    return [*inputs, *uses, *(f"unknown: {message}" for _, message in unit.doubts)] or ["its definition alone"]


def _input(each: Input) -> str:
    less = ", less what .dockerignore leaves out" if each.excluded else ""
    note = f", {each.note}" if each.note else ""
    return f"{each.path or 'the whole repository'}{less}{note} ({each.through})"
