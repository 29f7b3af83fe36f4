"""The ``kuroshio`` command: one module per verb, imported only when the verb is used."""

from __future__ import annotations

import sys

import click

import kuroshio
from kuroshio.cli.verbs import Verbs
from kuroshio.errors import KuroshioError

# verb -> module:command, in the order of `kuroshio --help`. `lab` exists in a checkout, not in an installed wheel.
_VERBS = {
    "detect": "kuroshio.cli.detect:detect",
    "units": "kuroshio.cli.units:units",
    "plan": "kuroshio.cli.plan:plan",
    "deployed": "kuroshio.cli.deployed:deployed",
    "mackerel": "kuroshio.cli.mackerel:mackerel",
    "aurora": "kuroshio.cli.aurora:aurora",
    "tasks": "kuroshio.cli.tasks:tasks",
    "wrap": "kuroshio.cli.wrap:wrap",
    "image": "kuroshio.cli.image:image",
    "layer": "kuroshio.cli.layer:layer",
    "preflight": "kuroshio.cli.preflight:preflight",
    "lab": "lab.cli:lab",
    "completion": "kuroshio.cli.completion:completion",
}


@click.group(
    cls=Verbs, verbs=_VERBS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(kuroshio.__version__, prog_name="kuroshio")
def kuroshio_command() -> None:
    """Releases, Aurora migrations and scheduled work on AWS, as workflows in your own account.

    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done but incomplete (the output says what is
    unknown), 130 interrupted.
    """


def main(argv: list[str] | None = None) -> None:
    """Run the command and turn our own errors into one line and an exit code, never a traceback."""
    try:
        kuroshio_command.main(args=argv, prog_name="kuroshio", standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("interrupted", err=True)
        sys.exit(130)
    except KuroshioError as error:
        click.echo(f"kuroshio: {type(error).__name__}: {error}", err=True)
        sys.exit(error.exit_code)
