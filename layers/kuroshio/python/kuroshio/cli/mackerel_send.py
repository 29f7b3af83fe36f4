"""``kuroshio mackerel send``: figures into the outbox, from the command line or from standard input."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from typing import TYPE_CHECKING

import click

from kuroshio.cli.places import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.mackerel.ports import Outbox
    from kuroshio.mackerel.thrown import Figure

_BATCH = 1_000  # labelled figures in one request


@click.command()
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--combine", type=click.Choice(["sum", "last", "max"]), help="Of one name and minute; sum if left out.")
@click.option("--at", metavar="TIME", help="Epoch seconds, or ISO 8601 with a zone; now where it is left out.")
@click.option("--origin", help="Names the piece of work: what one origin says twice is counted once.")
@click.option("--label", "labels", multiple=True, metavar="KEY=VALUE", help="Send gauges with labels, by OTLP.")
@click.option(
    "--service", envvar="KUROSHIO_MACKEREL_SERVICE", help="The service in Mackerel, instead of looking it up."
)
@click.option("--queue-url", envvar="KUROSHIO_OUTBOX_QUEUE_URL", help="Instead of looking it up.")
@click.option("--otlp-endpoint", envvar="KUROSHIO_OTLP_ENDPOINT", help="With --label: another than Mackerel's.")
@click.option("--env", default="dev", show_default=True, help="Looks names up in the stack kuroshio-ENV.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: points, messages, origin.")
def send(  # noqa: PLR0917 - click passes all by keyword
    values: tuple[str, ...],
    combine: str | None,
    at: str | None,
    origin: str | None,
    labels: tuple[str, ...],
    service: str | None,
    queue_url: str | None,
    otlp_endpoint: str | None,
    env: str,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Send figures on their way to Mackerel.

    Without NAME=VALUE, reads lines "name value time" from standard input, as mkr throw does; the time may be left out.
    Figures of one name and minute are combined, whoever sends them: use --combine last for gauges. All are judged
    first: if one is wrong, nothing is sent.

    With --label they go straight to Mackerel (MACKEREL_APIKEY, kuroshio[otlp]): nothing is added up, and nothing waits.

    Exit codes: 0 the queue (with --label, Mackerel) has them, 2 one is wrong, 1 they could not be sent.
    """
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.mackerel import thrown
    from kuroshio.mackerel.metrics import Writer

    if not values and sys.stdin.isatty():
        raise click.UsageError("give NAME=VALUE, or lines on standard input")
    if labels and combine not in {None, "last"}:
        raise click.UsageError(f"labelled figures are gauges, of which the last counts: no --combine {combine}")
    origin = origin or f"send/{uuid.uuid4()}"
    stack = Stack(f"kuroshio-{env}", {"MackerelService": service, "OutboxQueueUrl": queue_url})
    figures = thrown.from_words(values, at) if values else thrown.from_lines(sys.stdin, at)
    if labels:
        count, messages = _labelled(figures, stack["MackerelService"], labels)
        outbox: Outbox = _otlp(otlp_endpoint)
    else:
        writer = Writer(service=stack["MackerelService"], origin=origin, clock=time.time)
        count, messages = thrown.written(figures, writer, combine or "sum")
        outbox = SqsOutbox(stack["OutboxQueueUrl"])
    for message in messages:
        outbox.send(message)
    if as_json:
        click.echo(json.dumps({"points": count, "messages": len(messages), "origin": origin}))
    else:
        click.echo(f"{count:,} points are on their way, in {len(messages):,} messages")


def _labelled(figures: Iterable[Figure], service: str, words: tuple[str, ...]) -> tuple[int, list[str]]:
    from kuroshio.mackerel import thrown
    from kuroshio.mackerel.labelled import Labelled, labelled, packed

    pairs = [word.partition("=") for word in words]
    wrong = [word for word, (_, sign, _) in zip(words, pairs, strict=True) if not sign]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not KEY=VALUE", param_hint="--label")
    labels, now = {key: value for key, _, value in pairs}, time.time()
    made: list[Labelled] = []

    def put(name: str, value: float, at: float | None) -> None:
        made.append(labelled(service, name, value, labels, at=now if at is None else at, now=now))

    count = thrown.judged(figures, put)
    return count, [packed(made[start : start + _BATCH]) for start in range(0, count, _BATCH)]


def _otlp(endpoint: str | None) -> Outbox:
    from kuroshio.adapters.mackerel import GivenKey
    from kuroshio.adapters.otlp import ENDPOINT, OtlpOutbox
    from kuroshio.errors import ConfigurationMissing

    key = os.environ.get("MACKEREL_APIKEY")
    if not key:
        raise ConfigurationMissing("--label needs the environment variable MACKEREL_APIKEY")
    return OtlpOutbox(GivenKey(key), endpoint or ENDPOINT)
