"""``kuroshio mackerel send``: figures into the outbox, from the command line or from standard input."""

from __future__ import annotations

import json
import sys
import time
import uuid

import click

from kuroshio.cli.places import Stack


@click.command()
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--combine", type=click.Choice(["sum", "last", "max"]), default="sum", show_default=True)
@click.option("--at", metavar="TIME", help="Epoch seconds, or ISO 8601 with a zone; now where it is left out.")
@click.option("--origin", help="Names the piece of work: what one origin says twice is counted once.")
@click.option(
    "--service", envvar="KUROSHIO_MACKEREL_SERVICE", help="The service in Mackerel, instead of looking it up."
)
@click.option("--queue-url", envvar="KUROSHIO_OUTBOX_QUEUE_URL", help="Instead of looking it up.")
@click.option("--env", default="dev", show_default=True, help="Looks names up in the stack kuroshio-ENV.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: points, messages, origin.")
def send(  # noqa: PLR0917 - click passes all by keyword
    values: tuple[str, ...],
    combine: str,
    at: str | None,
    origin: str | None,
    service: str | None,
    queue_url: str | None,
    env: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Send figures on their way to Mackerel.

    Without NAME=VALUE, reads lines "name value time" from standard input, as mkr throw does; the time may be left out.
    Figures of one name and minute are combined, whoever sends them: use --combine last for gauges. All are judged
    first: if one is wrong, nothing is sent.

    Exit codes: 0 the queue has them, 2 one is wrong, 1 they could not be sent.
    """
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.mackerel import thrown
    from kuroshio.mackerel.metrics import Writer

    if not values and sys.stdin.isatty():
        raise click.UsageError("give NAME=VALUE, or lines on standard input")
    origin = origin or f"send/{uuid.uuid4()}"
    stack = Stack(f"kuroshio-{env}", {"MackerelService": service, "OutboxQueueUrl": queue_url})
    figures = thrown.from_words(values, at) if values else thrown.from_lines(sys.stdin, at)
    writer = Writer(service=stack["MackerelService"], origin=origin, clock=time.time)
    count, messages = thrown.written(figures, writer, combine)
    if messages:
        outbox = SqsOutbox(stack["OutboxQueueUrl"])
        for message in messages:
            outbox.send(message)
    if as_json:
        click.echo(json.dumps({"points": count, "messages": len(messages), "origin": origin}))
    else:
        click.echo(f"{count:,} points are on their way, in {len(messages):,} messages")
