"""``kuroshio tasks next``: when tasks run next, by the team's clocks and in UTC."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from kuroshio.cli.tasks_file import WRONG, declared, error_documents, tell_errors, the_file
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from pathlib import Path

    from kuroshio.tasks.calendar.coming import Coming
    from kuroshio.tasks.declaration.model import Declaration, Task

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@click.command("next")
@the_file
@click.option("--task", "names", multiple=True, metavar="NAME", help="Only this one; may be given several times.")
@click.option("--count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many runs of each.")
@click.option(
    "--since", metavar="TIME", help="The first ones after that time, such as 2027-03-27T00:00Z.  [default: now]"
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def coming_runs(*, file: Path, names: tuple[str, ...], count: int, since: str | None, as_json: bool) -> None:
    """Show the next runs of the tasks of FILE, in their zones and in UTC, with what the clocks and freezes do to them.

    It needs no AWS. Exit codes: 0 shown, 2 some or all of the file is refused (the rest is shown).
    """
    moment = _moment(since)
    found = declared(file, moment)
    chosen = [task for task in found.tasks if not names or task.name in names]
    unknown = set(names) - {task.name for task in chosen} - set(found.refused)
    if unknown and not found.problems:
        raise InvalidRequest(f"{file} has no task {', '.join(sorted(unknown))}")
    if as_json:
        click.echo(json.dumps(_document(found, chosen, moment, count), indent=2, ensure_ascii=False))
    else:
        tell_errors(found)
        for task in chosen:
            _show(task, _runs(task, moment, count))
    sys.exit(WRONG if found.errors else 0)


def _moment(since: str | None) -> datetime:
    if since is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(since)
    except ValueError:
        raise InvalidRequest(f"--since {since} is no time; one looks like 2027-03-27T00:00Z") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _runs(task: Task, moment: datetime, count: int) -> list[Coming]:
    from kuroshio.tasks.calendar.coming import coming
    from kuroshio.tasks.calendar.schedule import zone_of

    if task.at is None or not task.is_enabled:
        return []
    return coming(task.at.schedule(moment), zone_of(task.zone), moment, count, task.freezes)


def _notes(task: Task) -> list[str]:
    """What holds for all runs of a task."""
    notes = []
    if task.after:
        notes.append(f"only where {', '.join(task.after)} succeeded")
    if not task.is_enabled:
        notes.append("disabled: it does not run")
    if task.at and task.at.kind == "rate":
        notes.append("counted from now; once it is applied, from its first run")
    notes += [f"not while {each.calendar} is closed" for each in task.freezes if each.calendar]
    return notes


def _show(task: Task, runs: list[Coming]) -> None:
    from kuroshio.changes.rendering.words import printable

    told = [str(task.at) if task.at else "", f"by {task.carrier}: {task.because}", *_notes(task)]
    click.echo(printable(f"{task.name}: {'; '.join(filter(None, told))}"))
    for run in runs:
        wall = f"{run.wall:%Y-%m-%d} {_DAYS[run.wall.weekday()]} {run.wall:%H:%M}"
        utc = f"{run.at:%Y-%m-%d %H:%M} UTC" if run.at else "never"
        remark = "; ".join(filter(None, [f"skipped, {run.frozen}" if run.frozen else "", run.note]))
        click.echo(printable(f"  {wall}  {utc:20}  {remark}".rstrip()))


def _document(found: Declaration, chosen: list[Task], moment: datetime, count: int) -> dict[str, Any]:
    return {
        "file": found.file,
        "since": _stamp(moment),
        "tasks": [
            {
                "name": task.name,
                "at": {task.at.kind: task.at.text} if task.at else None,
                "zone": task.zone,
                "by": task.carrier,
                "because": task.because,
                "notes": _notes(task),
                "runs": [_run(run) for run in _runs(task, moment, count)],
            }
            for task in chosen
        ],
        "errors": error_documents(found),
    }


def _run(run: Coming) -> dict[str, Any]:
    wall = run.wall.isoformat(timespec="minutes")
    return {"wall": wall, "utc": _stamp(run.at) if run.at else None, "note": run.note, "frozen": run.frozen}


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
