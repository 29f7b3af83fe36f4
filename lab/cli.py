"""``kuroshio lab``: AWS on one machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from kuroshio.errors import InvalidRequest
from lab import lifecycle
from lab.disturb_command import disturb
from lab.faults import KINDS
from lab.place import OPERATOR, REGION, Place, Running, place_of, shell_variables

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.group()
def lab() -> None:
    """AWS on one machine, for trying and testing.

    KUROSHIO_LAB names the lab (default: kuroshio); labs of different names do not touch each other.
    """


def _tell(text: str) -> None:
    click.echo(f"lab: {text}", err=True)


@lab.command()
@click.option(
    "--port", default=lifecycle.Options.port, show_default=True, help="The door's port; another one if it is taken."
)
@click.option(
    "--speed", default=1.0, show_default=True, help="How much faster than AWS waits and retries' pauses pass."
)
@click.option("--json", "as_json", is_flag=True, help="Print the lab's address as JSON.")
def up(port: int, speed: float, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Start the lab, or say that it is up."""
    began = time.monotonic()
    running, started = lifecycle.up(place_of(), lifecycle.Options(port, speed), _tell)
    _tell(f"up after {time.monotonic() - began:.1f} s" if started else "is already up")
    click.echo(json.dumps({**asdict(running), "endpoint": running.endpoint}) if as_json else running.endpoint)


@lab.command()
def down() -> None:
    """End the lab and all that it started."""
    _tell("down" if lifecycle.down(place_of()) else "was not up")


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def status(as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Say whether the lab is up, where, and which stacks are in it. Exits with 1 if it is down."""
    place = place_of()
    running = place.read_running()
    healthy = running is not None and lifecycle.is_healthy(running)
    stacks = _stacks(running) if running and healthy else []
    if as_json:
        click.echo(
            json.dumps({"name": place.name, "up": healthy, "stacks": stacks, **(asdict(running) if running else {})})
        )
    elif running and healthy:
        click.echo(f"{place.name}: up at {running.endpoint}, process {running.pid}")
        for stack in stacks:
            click.echo(f"  {stack['name']}: {stack['status']}")
    else:
        click.echo(f"{place.name}: down")
    sys.exit(0 if healthy else 1)


def _stacks(running: Running) -> list[dict[str, str]]:
    found = _client("cloudformation", running).describe_stacks()["Stacks"]
    return [{"name": stack["StackName"], "status": stack["StackStatus"]} for stack in found]


def _client(service: str, running: Running) -> Any:
    from lab.clients import client

    return client(service, running.endpoint, REGION, OPERATOR)


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON instead of shell commands.")
def env(as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Print what a shell needs to point the AWS CLI at the lab: eval "$(kuroshio lab env)"."""
    variables = shell_variables(lifecycle.need(place_of()))
    if as_json:
        click.echo(json.dumps(variables))
        return
    click.echo("unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_PROFILE")
    for name, value in variables.items():
        click.echo(f"export {name}={value!r}")


@lab.command(context_settings={"ignore_unknown_options": True})
@click.argument("sam_options", nargs=-1, type=click.UNPROCESSED)
def deploy(sam_options: tuple[str, ...]) -> None:
    """Run `sam deploy` against the lab; everything after `deploy` goes to SAM."""
    running = lifecycle.need(place_of())
    sys.exit(run_sam(running, "deploy", *sam_options))


def run_sam(running: Running, *arguments: str) -> int:
    """Run the SAM CLI of our environment with the lab's variables; its exit code."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"AWS_PROFILE", "AWS_SESSION_TOKEN"}
    }
    sam = os.path.join(os.path.dirname(sys.executable), "sam")  # noqa: PTH118, PTH120 - a venv's python is a symlink
    return subprocess.run([sam, *arguments], env={**environment, **shell_variables(running)}, check=False).returncode


@lab.command()
@click.argument("function", required=False)
@click.option("--follow", is_flag=True, help="Go on until interrupted.")
def logs(function: str | None, follow: bool) -> None:  # noqa: FBT001 - click's flag
    """Print the lab's own log, or what FUNCTION wrote."""
    place = place_of()
    lines = (
        _function_lines(lifecycle.need(place), function, follow=follow)
        if function
        else _server_lines(place, follow=follow)
    )
    for line in lines:
        click.echo(line)


def _server_lines(place: Place, *, follow: bool) -> Iterator[str]:
    if not place.log_file.exists():
        return
    with place.log_file.open(errors="replace") as log:
        while True:
            yield from (line.rstrip("\n") for line in log)
            if not follow:
                return
            time.sleep(0.5)


def _function_lines(running: Running, function: str, *, follow: bool) -> Iterator[str]:
    client = _client("logs", running)
    groups = [one["logGroupName"] for one in client.describe_log_groups(logGroupNamePrefix="/aws/lambda/")["logGroups"]]
    if f"/aws/lambda/{function}" not in groups:
        known = ", ".join(name.removeprefix("/aws/lambda/") for name in groups) or "none yet"
        raise InvalidRequest(f"no function {function} has a log in the lab; those that have: {known}")
    since, seen = 0, set[str]()
    while True:
        found = client.filter_log_events(logGroupName=f"/aws/lambda/{function}", startTime=since)["events"]
        for event in found:
            if event["eventId"] not in seen:
                seen.add(event["eventId"])
                yield event["message"].rstrip("\n")
        if not follow:
            return
        time.sleep(0.5)


@lab.command()
@click.argument("kind", type=click.Choice([*KINDS, "list", "clear"]))
@click.option("--service", default="*", help="botocore's name of the service, such as s3 or stepfunctions.")
@click.option("--operation", default="*", help="The API's name of the operation, such as PutObject.")
@click.option("--contains", default="", help="Only calls on a resource whose ARN contains this.")
@click.option("--caller", default="", help="Only calls of a role whose ARN contains this.")
@click.option("--code", default="", help="Another error code than the kind's own.")
@click.option("--seconds", default=0.0, help="Delay the call by this much.")
@click.option("--times", type=int, help="So many calls, then no more.")
@click.option("--for", "duration", type=float, help="So many seconds, then no more.")
def fault(kind: str, **options: Any) -> None:
    """Make calls fail or wait on demand: throttled, not-found, conflict, access-denied, error, delay.

    Without --times and --for a fault stays until `kuroshio lab fault clear`.
    """
    running = lifecycle.need(place_of())
    if kind == "clear":
        lifecycle.ask(running, "DELETE", "faults")
    elif kind == "list":
        for one in lifecycle.ask(running, "GET", "faults"):
            click.echo(json.dumps(one))
    else:
        added = lifecycle.ask(running, "POST", "faults", {"kind": kind, **options})
        click.echo(f"fault {added['id']}: {kind} for {added['service']} {added['operation']}")


@lab.command()
@click.option("--set", "date", help="Another date, such as 2026-03-01T09:00 (UTC), without time having passed.")
@click.option("--rate", type=float, help="How fast the date runs; 0 lets it stand.")
@click.option("--speed", type=float, help="How much faster than the date waits and retries' pauses pass.")
@click.option("--advance", help="Let so much time pass: seconds, or such as 90m, 36h, 30d.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def clock(date: str | None, as_json: bool, **moves: Any) -> None:  # noqa: FBT001 - click's flag
    """Show the lab's date, or move it; print what ran meanwhile.

    Exits with 3 if something was still at work when the clock was moved on.
    """
    wanted = {name: value for name, value in {"set": date, **moves}.items() if value is not None}
    running = lifecycle.need(place_of())
    told = lifecycle.ask(running, "POST" if wanted else "GET", "clock", wanted or None)
    if as_json:
        click.echo(json.dumps(told))
    else:
        for one in told.get("happened", []):
            click.echo(_line(one))
        click.echo(
            f"{told['now']}, runs {told['rate']:g} times as fast as the machine's, pauses {told['speed']:g} times as fast"
        )
    sys.exit(3 if told.get("restless") else 0)


def _line(one: dict[str, Any]) -> str:
    if "alarm" in one:
        return f"{one['at']}  {_name(one['alarm'])}: {one['before']} -> {one['after']}"
    return f"{one['at']}  {_name(one['schedule'])} -> {_name(one['target'])}  {one['error']}".rstrip()


@lab.command()
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def alarms(as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show the alarms with their states. Exits with 1 if one is in ALARM."""
    found = _client("cloudwatch", lifecycle.need(place_of())).describe_alarms()["MetricAlarms"]
    told = [{"name": one["AlarmName"], "state": one["StateValue"], "reason": one["StateReason"]} for one in found]
    if as_json:
        click.echo(json.dumps(told))
    else:
        for one in sorted(told, key=lambda alarm: alarm["name"]):
            click.echo(f"{one['state']:<18}{one['name']}: {one['reason']}")
    sys.exit(1 if any(one["state"] == "ALARM" for one in told) else 0)


def _name(arn: str) -> str:
    """The last words of an ARN: what people call the thing."""
    return arn.split(":", 5)[-1]


@lab.command()
@click.option("--runs", default=3, show_default=True, help="How many of the next runs to show.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def schedules(runs: int, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Show rules and schedules with their next runs, those that are due first in front."""
    planned = lifecycle.ask(lifecycle.need(place_of()), "GET", f"schedules?runs={runs}")
    if as_json:
        click.echo(json.dumps(planned))
        return
    for one in planned:
        click.echo(f"{_name(one['arn'])}  {one['expression']} {one['zone']}{'' if one['enabled'] else '  DISABLED'}")
        for target in one["targets"]:
            click.echo(f"  -> {_name(target)}")
        click.echo(f"  next: {', '.join(one['next']) or 'never'}")


@lab.command()
@click.option("--role", "only", default="", help="Only roles whose name contains this.")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def permissions(only: str, as_json: bool) -> None:  # noqa: FBT001 - click's flag
    """Hold the calls of this lab's life against the roles that made them.

    Exits with 1 if a call was not allowed, with 3 if something is granted that nothing used.
    """
    from lab.permissions import judge, needs_of, read_roles, unused_grants
    from lab.recorder import read_records

    place = place_of()
    roles = [role for role in read_roles(_client("iam", lifecycle.need(place))) if only in role.name]
    arns = {role.arn for role in roles}
    needs = [need for need in needs_of(read_records(place.calls_file)) if need.role in arns]
    denied = [verdict for verdict in judge(needs, roles) if not verdict.is_allowed]
    grants = unused_grants(roles, needs)
    unused = [grant for grant in grants if not grant.reason]
    if as_json:
        found = {
            "judged": len(needs),
            "denied": denied,
            "unused": unused,
            "used_by_aws": [g for g in grants if g.reason],
        }
        click.echo(json.dumps(found, default=asdict))
    else:
        click.echo(f"{len(needs)} different calls of {len(roles)} roles, {len(denied)} not allowed")
        for verdict in denied:
            click.echo(
                f"  {verdict.decision}: {verdict.need.role.rsplit('/', 1)[-1]} {verdict.need.action} {verdict.need.resource}"
            )
        for grant in grants:
            click.echo(
                f"  unused: {grant.role} {grant.action} ({grant.sid})" + (f": {grant.reason}" if grant.reason else "")
            )
    sys.exit(1 if denied else 3 if unused else 0)


lab.add_command(disturb)
