"""``kuroshio tasks``: scheduled work that a file declares. One module per verb, imported only when the verb is used."""

from __future__ import annotations

import click

from kuroshio.cli.verbs import Verbs

_VERBS = {
    "check": "kuroshio.cli.tasks_check:check",
    "next": "kuroshio.cli.tasks_next:coming_runs",
}


@click.group(cls=Verbs, verbs=_VERBS)
def tasks() -> None:
    """Scheduled work on servers, from a file in the repository: whether it is right, and when it runs next."""
