"""`kuroshio lab disturb`: what happens to databases and networks in the middle of everything."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

import click

from lab import lifecycle
from lab.place import place_of
from lab.rds.disturbances import KINDS, Options

_WORDS = "\n\n".join(f"{kind}: {(call.__doc__ or '').strip()}" for kind, call in KINDS.items())


@click.command(
    help="Disturb a cluster of the lab's RDS, on its real servers.\n\n"
    f"{_WORDS}\n\nLinks and disks stay as they are until `mend`."
)
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("cluster")
@click.option("--of", default="", help="Only the link from this clone to the cluster.")
@click.option("--table", default="", help="Such as shop.orders; the first with a key of one number if none is given.")
@click.option("--seconds", default=Options.seconds, show_default=True, help="For `hot-row`.")
@click.option("--rows", default=Options.rows, show_default=True, help="For `bulk`.")
@click.option("--bytes-per-s", default=Options.bytes_per_s, show_default=True, help="For `slow`, each way.")
@click.option("--user", default=Options.user, show_default=True, help="For `password`.")
@click.option("--password", default=Options.password, show_default=True, help="For `password`.")
def disturb(kind: str, cluster: str, **options: Any) -> None:
    """See ``help``."""
    known = {field.name for field in fields(Options)}
    asked = asdict(Options(**{name: value for name, value in options.items() if name in known}))
    lifecycle.ask(lifecycle.need(place_of()), "POST", "disturbances", {"kind": kind, "cluster": cluster, **asked})
    click.echo(f"{cluster}: {kind}")
