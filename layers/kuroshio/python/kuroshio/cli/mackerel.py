"""``kuroshio mackerel``: figures on their way to Mackerel. One module per verb, imported only when the verb is used."""

from __future__ import annotations

import click

from kuroshio.cli.verbs import Verbs

_VERBS = {
    "send": "kuroshio.cli.mackerel_send:send",
    "status": "kuroshio.cli.mackerel_status:status",
    "redrive": "kuroshio.cli.mackerel_redrive:redrive",
    "apply": "kuroshio.cli.mackerel_apply:apply",
}


@click.group(cls=Verbs, verbs=_VERBS)
def mackerel() -> None:
    """Figures on their way to Mackerel: send some, see what waits and why, bring back what was set aside."""
