"""``kuroshio mackerel apply``: what Mackerel shall have, from a file in the repository, with a plan first."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.places import Stack
from kuroshio.errors import ConfigurationMissing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.mackerel.definitions.comparison import Step
    from kuroshio.mackerel.definitions.settings import Settings
    from kuroshio.mackerel.ports import Api

_DIFFERS = 3
_SIGNS = {"create": "+", "update": "~", "delete": "-", "refresh": "="}


@click.command()
@click.option(
    "--file", type=click.Path(path_type=Path), default=Path("mackerel.yaml"), show_default=True, help="What to apply."
)
@click.option("--env", default="dev", show_default=True, help="Looks names up in the stacks kuroshio-…-ENV.")
@click.option("--service", help="Instead of the file's, or of kuroshio-ENV.")
@click.option("--secret", metavar="ARN", help="Secret with the API key, where MACKEREL_APIKEY is not set.")
@click.option("--api-url", envvar="MACKEREL_APIBASE", help="Another address of Mackerel than its own.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Carry the plan out without asking.")
@click.option("--json", "as_json", is_flag=True, help="The plan as JSON.")
@click.option("--print-default", is_flag=True, help="Print the file that says what holds without one.")
def apply(
    *,
    file: Path,
    env: str,
    service: str | None,
    secret: str | None,
    api_url: str | None,
    dry_run: bool,
    yes: bool,
    as_json: bool,
    print_default: bool,
) -> None:
    """Create or update the service, its roles, graph definitions, a dashboard and the monitors.

    Only what carries Kuroshio's mark is changed or removed; running it again changes nothing. Without a file, what
    --print-default shows is applied. Exit codes: 0 all is as it shall be, 3 it is not and nothing was changed
    (--dry-run, or not confirmed), 1 failed, 2 the file or the configuration is wrong.
    """
    from kuroshio.mackerel.catalogue import service_of
    from kuroshio.mackerel.definitions import applying, default
    from kuroshio.mackerel.definitions.comparison import Action, compare
    from kuroshio.mackerel.definitions.wanted import wanted

    if print_default:
        click.echo(default.text(), nl=False)
        return
    settings = _settings(file)
    name = service or settings.service or service_of(env)
    api = _api(api_url, secret, env)
    steps = compare(wanted(settings, name), applying.observe(api, name))
    differs = any(step.action is not Action.REFRESH for step in steps)
    if not as_json:
        _show(name, steps)
    applied = bool(steps) and not dry_run and (yes or not differs or _confirmed(as_json=as_json))
    if applied:
        applying.carry_out(api, steps, lambda step: _tell(step, as_json=as_json))
    if as_json:
        click.echo(json.dumps(_document(name, steps, applied=applied), indent=2))
    raise SystemExit(_DIFFERS if differs and not applied else 0)


def _settings(file: Path) -> Settings:
    from kuroshio.mackerel.definitions.settings import FILE, Settings, parse

    if file.exists():
        return parse(file.read_bytes(), str(file))
    if file != Path(FILE):
        raise ConfigurationMissing(f"there is no file {file}")
    click.echo(f"there is no {FILE}; applying what --print-default shows", err=True)
    return Settings()


def _api(url: str | None, secret: str | None, env: str) -> Api:
    from kuroshio.adapters.mackerel import ORIGIN, GivenKey, HttpMackerel, SecretKey

    given = os.environ.get("MACKEREL_APIKEY", "").strip()
    if given:
        return HttpMackerel(GivenKey(given), origin=url or ORIGIN)
    found = Stack(f"kuroshio-foundation-{env}", {"MackerelKeyArn": secret})["MackerelKeyArn"]
    return HttpMackerel(SecretKey(found), origin=url or ORIGIN)


def _confirmed(*, as_json: bool) -> bool:
    if as_json or not click.get_text_stream("stdin").isatty():
        click.echo("nothing was changed: nobody is there to ask; give --yes", err=True)
        return False
    return click.confirm("Carry this out?", default=False)


def _show(service: str, steps: Sequence[Step]) -> None:
    if not steps:
        click.echo(f"{service}: everything is as it shall be")
    for step in steps:
        click.echo(f"{_SIGNS[step.action]} {step.action} {step.kind} {step.name}")
        for change in step.differences:
            click.echo(f"    {change.field}: {json.dumps(change.is_now)} -> {json.dumps(change.shall_be)}")


def _tell(step: Step, *, as_json: bool) -> None:
    if not as_json:
        click.echo(f"done: {step.action} {step.kind} {step.name}")


def _document(service: str, steps: Sequence[Step], *, applied: bool) -> dict[str, Any]:
    return {
        "service": service,
        "applied": applied,
        "steps": [
            {
                "action": str(step.action),
                "kind": step.kind,
                "name": step.name,
                "differences": [
                    {"field": change.field, "is": change.is_now, "shall": change.shall_be}
                    for change in step.differences
                ],
            }
            for step in steps
        ],
    }
