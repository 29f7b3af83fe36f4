"""``kuroshio deployed``: where a branch's deployment stands, as the ledger has it."""

from __future__ import annotations

import json

import click


@click.command()
@click.option("--repository", required=True, metavar="OWNER/NAME", help="Its name on GitHub.")
@click.option("--target", required=True, metavar="NAME", help="The branch, or the target that the action was given.")
@click.option(
    "--env", default="dev", show_default=True, help="Looks the table up in the stack kuroshio-foundation-ENV."
)
@click.option("--ledger-table", envvar="KUROSHIO_LEDGER_TABLE", help="Instead of looking it up.")
@click.option("--json", "as_json", is_flag=True, help="As JSON: settled, and what is owed since which commit.")
def deployed(*, repository: str, target: str, env: str, ledger_table: str | None, as_json: bool) -> None:
    """Show which commit is deployed after merges, and which units are still owed.

    Exit codes: 0 nothing is owed, 3 units are owed, 1 failed.
    """
    from kuroshio.adapters.deployments import DynamoDeployments
    from kuroshio.changes.rendering.words import encodable, printable

    standing = DynamoDeployments(ledger_table or _table(env), repository, target).standing()
    owed = [{"unit": encodable(debt.unit), "deployed": debt.since, "wanted": debt.until} for debt in standing.debts]
    if as_json:
        click.echo(json.dumps({"settled": standing.settled, "owed": owed}, indent=2))
    else:
        click.echo(f"{standing.settled or 'nothing was ever deployed'}: {len(owed):,} units are owed")
        for each in owed:
            click.echo(f"  {printable(each['unit'])}  at {each['deployed'][:12]}, wanted {each['wanted'][:12]}")
    raise SystemExit(3 if owed else 0)


def _table(env: str) -> str:
    from kuroshio.adapters.stack_outputs import outputs
    from kuroshio.errors import ConfigurationMissing

    stack = f"kuroshio-foundation-{env}"
    found = outputs(stack).get("LedgerTableName")
    if not found:
        raise ConfigurationMissing(
            f"the stack {stack} has no output LedgerTableName; deploy it, or give --ledger-table"
        )
    return found
