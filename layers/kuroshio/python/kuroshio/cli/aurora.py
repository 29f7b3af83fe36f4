"""``kuroshio aurora``: clones that follow a live cluster. One module per verb, imported only when the verb is used."""

from __future__ import annotations

import click

from kuroshio.cli.verbs import Verbs

_VERBS = {
    "preflight": "kuroshio.cli.aurora_preflight:preflight",
    "replicate": "kuroshio.cli.aurora_replicate:replicate",
    "status": "kuroshio.cli.aurora_status:status",
    "verify": "kuroshio.cli.aurora_verify:verify",
    "repair": "kuroshio.cli.aurora_verify:repair",
    "approve": "kuroshio.cli.aurora_approve:approve",
    "cutover": "kuroshio.cli.aurora_cutover:cutover",
    "cutback": "kuroshio.cli.aurora_cutover:cutback",
    "abort": "kuroshio.cli.aurora_abort:abort",
    "report": "kuroshio.cli.aurora_report:report",
}


@click.group(cls=Verbs, verbs=_VERBS)
def aurora() -> None:
    """A clone of a live Aurora MySQL cluster that follows it, proven equal, ready to take over."""
