"""``kuroshio completion``: print the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for SHELL; add it with: eval "$(kuroshio completion bash)"."""
    from kuroshio.cli import kuroshio_command

    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - click.Choice admits only shells that click knows
    click.echo(kind(kuroshio_command, {}, "kuroshio", "_KUROSHIO_COMPLETE").source())
