"""``kuroshio layer``: the package for zip functions of your own."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click


@click.group()
def layer() -> None:
    """The layer that gives zip functions of your own ``from kuroshio import metrics``."""


@layer.command()
@click.option("--name", default="kuroshio", show_default=True, help="Of the layer, in the account and region at hand.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: arn, description, is_new.")
def publish(*, name: str, as_json: bool) -> None:
    """Publish this version as a layer, unless the newest one is the same; prints its ARN.

    Versions are never changed or deleted, because functions refer to them.
    """
    from kuroshio.adapters.layers import contents, published

    found = published(name, contents())
    click.echo(json.dumps(asdict(found), indent=2) if as_json else found.arn)


@layer.command("zip")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def zip_(file: Path) -> None:
    """Write the layer's zip to FILE, for your own way of deploying it (AWS::Serverless::LayerVersion takes it)."""
    from kuroshio.adapters.layers import contents, zipped

    size = file.write_bytes(zipped(contents()))
    click.echo(f"{file}: {size:,} bytes")
