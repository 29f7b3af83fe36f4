"""``kuroshio aurora cutover`` and ``cutback``: the clone takes over, and the way back."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.aurora_place import Place, for_clones, width
from kuroshio.cli.aurora_runs import left_alone, named, of_a_run, request_of, run
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_REFUSED = 3


def _for_a_switch(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed([
        click.argument("clone"),
        click.option("--request", "file", type=click.File("r", encoding="utf-8"), help="The request as JSON; options add to it."),
        click.option("--record", metavar="NAME", help="Move this DNS record, with --zone, instead of the cluster's name."),
        click.option("--zone", metavar="ID", help="Hosted zone of --record."),
        click.option("--secret", metavar="ARN", help="Move the host in this secret instead of the cluster's name."),
        click.option("--parameter", metavar="NAME", help="Move this SSM parameter instead of the cluster's name."),
        click.option("--deadline", type=int, metavar="S", help="Seconds without writes after which all returns."),
        click.option("--verified-within", type=int, metavar="MIN", help="How old the last proof may be."),
        click.option("--no-way-back", is_flag=True, help="Set up no replication in reverse."),
        click.option("--accept", multiple=True, metavar="CONDITION", help="Take a condition that does not hold upon yourself."),
        click.option("--dry-run", is_flag=True, help="Prove each condition, and switch nothing."),
    ]):  # fmt: skip
        command = option(command)
    return command


@click.command()
@_for_a_switch
@for_clones
@of_a_run
def cutover(*, env: str, ledger_table: str | None, watch: bool, as_json: bool, **given: Any) -> None:
    """Let CLONE take over from its source: checked, approved, switched within the deadline, or returned.

    The run asks for an approval first (kuroshio aurora approve CLONE cut-over). Exit codes: 0 it took over, or every condition
    holds (--dry-run), 3 a condition does not hold, 1 it was given up and the source is as before, or failed.
    """
    _switched("cut_over", Place(env, ledger_table), given, watch=watch, as_json=as_json)


@click.command()
@_for_a_switch
@for_clones
@of_a_run
def cutback(*, env: str, ledger_table: str | None, watch: bool, as_json: bool, **given: Any) -> None:
    """Let the old source of CLONE take over again, by the replication that the cut-over set up in reverse.

    The options are those of the cut-over. Exit codes as there.
    """
    _switched("cut_back", Place(env, ledger_table), given, watch=watch, as_json=as_json)


def _switched(machine: str, place: Place, given: dict[str, Any], *, watch: bool, as_json: bool) -> None:
    from kuroshio.adapters.approvals import caller
    from kuroshio.errors import WorkflowFailed

    clone = given["clone"]
    request = asked_for(place, given)
    before = place.ledger.all(clone, "cutover#")
    # Asked again for what was just done, it is the run that did it; after a return, or the way back, it is a new one.
    direction = "over" if machine == "cut_over" else "back"
    done = bool(before) and (before[-1].get("result"), before[-1].get("direction")) == ("over", direction)
    name = named(clone, machine.replace("_", ""), request, len(before) - done)
    arn, follow = run(place, machine, clone, name, {**request, "by": caller()})
    if not watch:
        left_alone(arn, clone, as_json=as_json)
        return
    try:
        output = follow().output or {}
    except WorkflowFailed as failed:
        if failed.error == "CutOverRefused":
            _show((place.ledger.read(clone, "check") or {}).get("conditions", []), as_json=as_json)
            sys.exit(_REFUSED)
        _told(place, clone, arn, as_json=as_json)
        raise
    conditions = output.get("conditions", [])
    if request["dry_run"]:
        _show(conditions, as_json=as_json)
        sys.exit(0 if output.get("holds") else _REFUSED)
    _told(place, clone, arn, as_json=as_json)


def asked_for(place: Place, given: dict[str, Any]) -> dict[str, Any]:
    """The request, held against its rules. Raises InvalidRequest that names all that is wrong."""
    from kuroshio.aurora.cutover_request import SCHEMA, parse

    made = request_of(place, given["clone"])
    whole: dict[str, Any] = {
        "schema": SCHEMA,
        "source": made.get("source"),
        "clone": given["clone"],
        "secrets": made.get("secrets", {}),
        **_file(given),
    }
    if names := _name(given):
        whole["name"] = names
    for option, field in (("deadline", "deadline_s"), ("verified_within", "verified_within_minutes")):
        if given[option] is not None:
            whole[field] = given[option]
    if given["no_way_back"]:
        whole["way_back"] = False
    whole["accept"] = [*whole.get("accept", []), *given["accept"]]
    whole["dry_run"] = given["dry_run"] or whole.get("dry_run", False)
    return parse(whole).document()


def _file(given: dict[str, Any]) -> dict[str, Any]:
    if not given["file"]:
        return {}
    try:
        found = json.loads(given["file"].read())
    except ValueError as error:
        raise InvalidRequest(f"the request is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise InvalidRequest("the request is not a JSON object")
    return found


def _name(given: dict[str, Any]) -> dict[str, str]:
    kinds = [kind for kind in ("record", "secret", "parameter") if given[kind]]
    if len(kinds) > 1 or bool(given["zone"]) != bool(given["record"]):
        raise click.UsageError(
            "give one of --record with --zone, --secret and --parameter; none moves the cluster's name"
        )
    if not kinds:
        return {}
    zone = {"zone": given["zone"]} if kinds == ["record"] else {}
    return {"kind": kinds[0], kinds[0]: given[kinds[0]], **zone}


def _told(place: Place, clone: str, arn: str, *, as_json: bool) -> None:
    """What the ledger has of this run: that the clone took over, or why all returned."""
    from kuroshio.aurora.report import words
    from kuroshio.aurora.report.story import closed_ms, is_open

    found = [each for each in place.ledger.all(clone, "cutover#") if each.get("run") == arn]
    if not found:
        return
    last = found[-1]
    if as_json:
        click.echo(json.dumps(last, indent=2, ensure_ascii=False))
        return
    closed = words.milliseconds(closed_ms(last))
    took = f"{last.get('to') or clone} took over from {last.get('from')}; writes were refused for {closed}"
    click.echo(took if is_open(last) else f"given up after {closed}: {last.get('reason')}")
    for step in last.get("steps", []):
        click.echo(f"  {step['step']:<10} {step['at_ms']:>12,.3f} ms")


def _show(conditions: Iterable[dict[str, Any]], *, as_json: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from kuroshio.changes.rendering.words import printable

    found = list(conditions)
    if as_json:
        click.echo(json.dumps({"conditions": found, "holds": all(_passes(each) for each in found)}, indent=2))
        return
    console = Console(highlight=False, emoji=False, width=width())
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="bold")
    for column in ("CONDITION", "HOLDS", "BECAUSE"):
        table.add_column(column, overflow="fold", no_wrap=column != "BECAUSE")
    for each in found:
        style = "green" if each["holds"] else "yellow" if each.get("accepted") else "bold red"
        held = "yes" if each["holds"] else "accepted" if each.get("accepted") else "NO"
        table.add_row(Text(printable(each["name"])), Text(held, style=style), Text(printable(each["reason"])))
    console.print(table)
    failing = sum(not _passes(each) for each in found)
    stands = "Every condition holds." if not failing else f"{failing:,} of {len(found):,} conditions do not hold."
    console.print(Text(f"{stands} Nothing was switched.", style="bold"))


def _passes(condition: dict[str, Any]) -> bool:
    return bool(condition["holds"] or condition.get("accepted"))
