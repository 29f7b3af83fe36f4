"""``kuroshio aurora report``: what happened to a clone, as one page."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from kuroshio.cli.aurora_place import Place, for_clones

_SUFFIXES = {"html": "html", "markdown": "md"}


@click.command()
@click.argument("clone")
@for_clones
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write; - for the screen."
)
@click.option(
    "--format", "form", type=click.Choice(list(_SUFFIXES)), help="By default as the file's name says, else html."
)
@click.option("--open", "is_opened", is_flag=True, help="Show the file in a browser.")
def report(
    *, clone: str, env: str, ledger_table: str | None, output: Path | None, form: str | None, is_opened: bool
) -> None:
    """Write what happened to CLONE as one page: timeline, lag, proof, skips, cut-over, and what is not known.

    By default to CLONE.html here. The page loads nothing, so it can be mailed and kept.
    """
    from kuroshio.aurora.report import markdown, page
    from kuroshio.aurora.report.records import gather
    from kuroshio.aurora.report.sections import composed

    wanted = form or ("markdown" if output is not None and output.suffix == ".md" else "html")
    found = composed(gather(Place(env, ledger_table).ledger, clone), datetime.now(UTC))
    written = markdown.written(found) if wanted == "markdown" else page.written(found)
    if output == Path("-"):
        click.echo(written, nl=False)
        return
    file = output or Path(f"{clone}.{_SUFFIXES[wanted]}")
    try:
        file.write_text(written, encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(file), error.strerror) from None
    click.echo(f"{found.verdict.text}\n{file}")
    if is_opened and click.launch(str(file)):
        click.echo("no browser could be started here", err=True)
