"""``kuroshio preflight``: whether a deployment can succeed."""

from __future__ import annotations

import json
from dataclasses import asdict

import click


@click.command()
@click.option(
    "--env", default="dev", show_default=True, help="The environment: stacks kuroshio-foundation-ENV, kuroshio-ENV."
)
@click.option("--account", help="Refuse any other account than this one.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def preflight(env: str, account: str | None, *, as_json: bool) -> None:
    """Name all that a deployment of the application still lacks: foundation, image, secrets that a person enters.

    Secrets are described, never read. Exit codes: 0 ready, 1 something is missing.
    """
    from kuroshio.adapters.account import observe
    from kuroshio.preflight.readiness import findings

    found = findings(observe(env), env, account)
    if as_json:
        click.echo(json.dumps([asdict(finding) for finding in found], indent=2))
    else:
        for finding in found:
            click.echo(f"{'ready  ' if finding.is_ready else 'MISSING'}  {finding.subject}: {finding.said}")
    if not all(finding.is_ready for finding in found):
        raise click.exceptions.Exit(1)
