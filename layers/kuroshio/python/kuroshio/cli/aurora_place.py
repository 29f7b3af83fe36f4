"""Where the workflows of clones, their functions and their ledger are."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import click

from kuroshio.cli.places import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.executions import Executions


_PIPE_WIDTH = 160


@dataclass(frozen=True)
class Place:
    """What is deployed under an environment. Raises ConfigurationMissing and NotFound where something is not."""

    env: str
    ledger_table: str | None = None

    @cached_property
    def ledger(self) -> AuroraLedger:
        """The records of clones."""
        from kuroshio.adapters.aurora_ledger import AuroraLedger

        stack = Stack(f"kuroshio-foundation-{self.env}", {"LedgerTableName": self.ledger_table})
        return AuroraLedger(stack["LedgerTableName"])

    def machine(self, name: str) -> Executions:
        """The executions of a state machine, such as ``replicate_cluster``."""
        from kuroshio.adapters.executions import Executions

        return Executions(self._stack[output_of(name, "Workflow")])

    def function(self, name: str) -> str:
        """The ARN of a function, such as ``inspect_cluster``."""
        return self._stack[output_of(name, "Function")]

    @cached_property
    def _stack(self) -> Stack:
        return Stack(f"kuroshio-aurora-{self.env}")


def output_of(name: str, kind: str) -> str:
    """The output of the stack with the ARN of a machine or function, such as ``CutOverWorkflowArn`` for ``cut_over``."""
    return f"{''.join(word.capitalize() for word in name.split('_'))}{kind}Arn"


def for_clones(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which environment."""
    for option in reversed([
        click.option("--env", default="dev", show_default=True, help="Looks names up in the stacks kuroshio-…-ENV."),
        click.option("--ledger-table", envvar="KUROSHIO_LEDGER_TABLE", help="Instead of looking it up."),
    ]):  # fmt: skip
        command = option(command)
    return command


def width() -> int | None:
    """Columns of a table: the terminal's, or what COLUMNS says, else enough for names in a pipe."""
    return None if sys.stdout.isatty() else int(os.environ.get("COLUMNS") or _PIPE_WIDTH)


def confirmed(question: str, *, yes: bool) -> bool:
    """Ask a person; nobody at a terminal is no answer. Says so where nobody is there."""
    if yes:
        return True
    if not click.get_text_stream("stdin").isatty():
        click.echo("nothing was done: nobody is there to ask; give --yes", err=True)
        return False
    return click.confirm(question, default=False)
