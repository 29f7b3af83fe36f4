"""Where the outbox of an environment is: its queues, and the ledger's table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from kuroshio.cli.places import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger


@dataclass(frozen=True)
class Outbox:
    """What was found. Raises ConfigurationMissing and NotFound where something is neither named nor deployed."""

    env: str
    ledger_table: str | None
    queue_url: str | None
    dead_letters_url: str | None

    def ledger(self) -> DynamoOutboxLedger:
        """The ledger."""
        from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger

        stack = Stack(f"kuroshio-foundation-{self.env}", {"LedgerTableName": self.ledger_table})
        return DynamoOutboxLedger(stack["LedgerTableName"])

    def queues(self) -> tuple[str, str]:
        """The queue's URL, and that of its dead letters."""
        given = {"OutboxQueueUrl": self.queue_url, "OutboxDeadLetterQueueUrl": self.dead_letters_url}
        stack = Stack(f"kuroshio-{self.env}", given)
        return stack["OutboxQueueUrl"], stack["OutboxDeadLetterQueueUrl"]


def for_the_outbox(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which outbox."""
    for option in reversed([
        click.option("--env", default="dev", show_default=True, help="Looks names up in the stacks kuroshio-…-ENV."),
        click.option("--ledger-table", envvar="KUROSHIO_LEDGER_TABLE", help="Instead of looking it up."),
        click.option("--queue-url", envvar="KUROSHIO_OUTBOX_QUEUE_URL", help="Instead of looking it up."),
        click.option("--dead-letters-url", envvar="KUROSHIO_OUTBOX_DEAD_LETTERS_URL", help="Instead of looking it up."),
    ]):  # fmt: skip
        command = option(command)
    return command
