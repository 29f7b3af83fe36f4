"""The file that the verbs of ``kuroshio tasks`` read, and what of it they all say alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kuroshio.errors import ConfigurationMissing

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kuroshio.errors import SettingsInvalid
    from kuroshio.tasks.declaration.model import Declaration

WRONG = 2
_MOST_SCRIPT = 1_000_000  # bytes that are read of one; far more than SSM carries

the_file = click.argument("file", type=click.Path(path_type=Path), default=Path("tasks.yaml"))


def declared(file: Path, now: datetime) -> Declaration:
    """What the file says at a time. Raises ConfigurationMissing and SettingsInvalid."""
    from kuroshio.tasks.declaration.reading import parse

    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationMissing(f"{file} cannot be read: {error.strerror}") from None
    return parse(content, str(file), now=now, scripts=_scripts(file.parent))


def _scripts(folder: Path) -> Callable[[str], bytes | None]:
    def read(path: str) -> bytes | None:
        try:
            with (folder / path).open("rb") as script:
                return script.read(_MOST_SCRIPT)
        except OSError:
            return None

    return read


def tell_errors(declared: Declaration) -> None:
    """Every error on a line of its own, on standard error."""
    from kuroshio.changes.rendering.words import printable

    for error in declared.errors:
        click.echo(printable(str(error)), err=True)


def error_documents(declared: Declaration) -> list[dict[str, Any]]:
    """As JSON. ``task`` is null for what is wrong outside of the tasks."""
    found: list[tuple[str | None, SettingsInvalid]] = [(None, error) for error in declared.problems]
    found += [(name, error) for name, errors in declared.refused.items() for error in errors]
    found.sort(key=lambda pair: (pair[1].line, pair[1].column))
    return [{"task": name, "line": error.line, "column": error.column, "message": str(error)} for name, error in found]
