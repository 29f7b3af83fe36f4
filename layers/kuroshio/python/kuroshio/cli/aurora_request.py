"""The request to replicate a cluster, from options or from a file, held against its rules before anything is started."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE = click.File("r", encoding="utf-8")


def for_a_request(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments and options that make a request; all of them arrive under their own names, for ``asked_for``."""
    for option in reversed([
        click.argument("source", required=False),
        click.argument("clone", required=False),
        click.option("--request", "file", type=_FILE, help="The request as JSON, instead of all else; - for stdin."),
        click.option("--instance-class", metavar="CLASS", help="Of the clone's writer. By default the source's."),
        click.option("--subnet-group", metavar="NAME", help="By default the source's."),
        click.option("--security-group", multiple=True, metavar="ID", help="By default the source's."),
        click.option("--parameter-group", metavar="NAME", help="Cluster parameter group. By default one made for it."),
        click.option("--tag", multiple=True, metavar="KEY=VALUE", help="On everything that is made."),
        click.option("--skip", "numbers", type=int, multiple=True, metavar="ERROR", help="Error number to skip."),
        click.option("--most-skips", type=int, metavar="N", help="At most so many transactions; then stop."),
        click.option("--verify", type=click.Choice(["auto", "full", "delta"]), help="Which proof. By default auto."),
        click.option("--upgrade-to", metavar="VERSION", help="Engine version for the clone, once it follows."),
        click.option("--retention-hours", type=int, metavar="H", help="How long the source keeps its binlog."),
        click.option("--override", multiple=True, metavar="FINDING", help="Take a finding of preflight upon yourself."),
        click.option("--source-secret", metavar="ARN", help="Admin's login, where RDS manages none."),
        click.option("--clone-secret", metavar="ARN", help="The same of the clone. By default the source's."),
    ]):  # fmt: skip
        command = option(command)
    return command


def asked_for(given: dict[str, Any]) -> dict[str, Any]:
    """The whole request, with what was left out filled in. Raises InvalidRequest that names all that is wrong."""
    from kuroshio.aurora.request import parse

    return parse(_read(given["file"]) if given["file"] else _made(given)).document()


def _read(file: IO[str]) -> Any:
    try:
        return json.loads(file.read())
    except ValueError as error:
        raise InvalidRequest(f"{Path(file.name).name} is not JSON: {error}") from None


def _made(given: dict[str, Any]) -> dict[str, Any]:
    from kuroshio.aurora.request import SCHEMA

    if not given["source"] or not given["clone"]:
        raise click.UsageError("name SOURCE and CLONE, or give --request FILE")
    numbers = list(given["numbers"])
    return _without_none({
        "schema": SCHEMA,
        "source": given["source"],
        "clone": given["clone"],
        "options": {
            "instance_class": given["instance_class"],
            "subnet_group": given["subnet_group"],
            "security_groups": list(given["security_group"]),
            "parameter_group": given["parameter_group"],
            "tags": dict(map(_tag, given["tag"])),
        },
        "errors": {"policy": "skip" if numbers else "stop", "numbers": numbers, "most": _most(given["most_skips"], numbers)},
        "verify": given["verify"],
        "upgrade_to": given["upgrade_to"],
        "retention_hours": given["retention_hours"],
        "overrides": list(given["override"]),
        "secrets": {"source": given["source_secret"], "clone": given["clone_secret"]},
    })  # fmt: skip


def _most(most: int | None, numbers: list[int]) -> int | None:
    if numbers and most is None:
        raise click.UsageError("--skip needs --most-skips: how many transactions may be lost at most")
    return most


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.UsageError(f"--tag takes KEY=VALUE, not {text!r}")
    return key, value


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    """Defaults are those of ``aurora.request``: what nobody gave is not in the request."""
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in document.items()
        if value is not None
    }


def execution_name(request: dict[str, Any], generation: str = "") -> str:
    """The name under which this request for this clone runs; ``generation``: what came before it under this name."""
    written = json.dumps([request, generation], sort_keys=True, separators=(",", ":"))
    return f"{request['clone'][:55]}-{hashlib.sha256(written.encode()).hexdigest()[:16]}"
