"""``python -m lab.mackerel [--port N]``: a Mackerel to play with, until it is interrupted."""

from __future__ import annotations

import threading

import click

from lab.mackerel import FakeMackerel, serve


@click.command()
@click.option("--port", default=0, help="0 picks a free one.")
def main(port: int) -> None:
    """Serve a fake Mackerel on 127.0.0.1 and say how to reach it."""
    mackerel = FakeMackerel()
    with serve(mackerel, port=port) as served:
        keys = ", ".join(
            f"{key} ({'read and write' if writes else 'read only'})" for key, writes in mackerel.org.keys.items()
        )
        click.echo(f"{served.origin}/ shows what was posted. API keys: {keys}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
