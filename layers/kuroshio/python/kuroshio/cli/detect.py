"""``kuroshio detect``: what merging one revision into another would change, read from a repository at hand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.changes.observation import Observation
    from kuroshio.changes.plan import Plan

INCOMPLETE = 3


@click.command()
@click.option("--repo", type=click.Path(path_type=Path), default=Path(), help="Repository, bare repository or bundle.")
@click.option("--base", required=True, metavar="REV", help="The branch to merge into, or any revision of it.")
@click.option("--head", required=True, metavar="REV", help="What is to be merged.")
@click.option("--format", "form", type=click.Choice(["table", "json", "markdown"]), default="table", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--why", metavar="UNIT|PATH", help="Explain one unit, or what one file belongs to, changed or not.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to a file, not to the screen.")
def detect(*, repo: Path, base: str, head: str, form: str, as_json: bool, why: str | None, output: Path | None) -> None:
    """Show which deployable units a pull request changes, and why.

    Compares the merge base of BASE and HEAD with HEAD. Needs no configuration, no network and no AWS; runs nothing of
    what is in the repository.

    Exit codes: 0 the plan is complete, 3 it is incomplete (its warnings say what cannot be known), 1 failed,
    2 wrong usage.
    """
    from kuroshio.adapters.bundles import opened
    from kuroshio.changes.detection import decide
    from kuroshio.changes.observation import observe

    with opened(repo) as repository:
        seen = observe(repository, base, head)
    if why is not None:
        _explain(seen, why, as_json=as_json or form == "json", output=output)
        return
    plan = decide(seen)
    render(plan, "json" if as_json else form, output)
    sys.exit(0 if plan.complete else INCOMPLETE)


def _explain(seen: Observation, subject: str, *, as_json: bool, output: Path | None) -> None:
    from kuroshio.changes.explanation import explain
    from kuroshio.cli import why

    explained = explain(seen, subject)
    said = why.document(explained) if as_json else why.text(explained)
    _written(output, lambda file: click.echo(said, nl=False, file=file))


def render(plan: Plan, form: str, output: Path | None = None) -> None:
    """Write the plan in one of the formats, to a file or to stdout."""
    _written(output, lambda file: _write(plan, form, file))


def _written(output: Path | None, write: Callable[[IO[str]], None]) -> None:
    if output is None:
        write(sys.stdout)
        return
    try:
        with output.open("w", encoding="utf-8") as file:
            write(file)
    except OSError as error:
        raise click.FileError(str(output), error.strerror) from None


def _write(plan: Plan, form: str, file: IO[str]) -> None:
    from kuroshio.changes.rendering import document, markdown
    from kuroshio.cli import plan_table

    if form == "table":
        plan_table.show(plan, file)
    else:
        click.echo(document.write(plan) if form == "json" else markdown.write(plan), nl=False, file=file)
