"""``kuroshio tasks check``: whether a file of tasks is right."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.tasks_file import WRONG, declared, error_documents, tell_errors, the_file

if TYPE_CHECKING:
    from pathlib import Path

    from kuroshio.tasks.declaration.model import Declaration


@click.command()
@the_file
@click.option("--json", "as_json", is_flag=True, help="As JSON: tasks, errors, warnings.")
def check(*, file: Path, as_json: bool) -> None:
    """Say whether FILE is right, who begins the runs of each task and why, and what may surprise. It needs no AWS.

    Every error is told at once, with file, line, column and what was expected. Exit codes: 0 everything is right, 2 some or
    all of it is refused.
    """
    found = declared(file, datetime.now(UTC))
    if as_json:
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
    else:
        _show(found)
    sys.exit(WRONG if found.errors else 0)


def _document(found: Declaration) -> dict[str, Any]:
    return {
        "file": found.file,
        "tasks": [
            {"name": task.name, "line": task.line, "by": task.carrier, "because": task.because} for task in found.tasks
        ],
        "errors": error_documents(found),
        "warnings": [{"task": each.task, "line": each.line, "message": each.text} for each in found.warnings],
    }


def _show(found: Declaration) -> None:
    tell_errors(found)
    for each in found.warnings:
        click.echo(f"{found.file}, line {each.line}: warning: {each.task}: {each.text}", err=True)
    width = max((len(task.name) for task in found.tasks), default=0)
    for task in found.tasks:
        click.echo(f"{task.name:{width}}  {task.carrier:9}  {task.because}")
    click.echo(_verdict(found))


def _verdict(found: Declaration) -> str:
    right = f"{len(found.tasks)} task{'' if len(found.tasks) == 1 else 's'}"
    if not found.errors:
        return f"{found.file}: {right}, everything is right"
    if found.problems:
        return f"{found.file}: no task goes on, because something is wrong outside of them"
    refused = f"{len(found.refused)} {'is' if len(found.refused) == 1 else 'are'} refused"
    return f"{found.file}: {right} right, {refused}"
