"""``kuroshio wrap``: run a job of cron's, and tell Mackerel how it ended."""

from __future__ import annotations

import os
import re
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kuroshio.errors import ConfigurationMissing, KuroshioError

if TYPE_CHECKING:
    from kuroshio.adapters.child import Exit
    from kuroshio.jobs.ended import Ended, Job
    from kuroshio.jobs.reporting import Outcome
    from kuroshio.mackerel.ports import Outbox

_AGENT_ID = Path("/var/lib/mackerel-agent/id")
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class _Duration(click.ParamType):
    name = "duration"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds of such a text."""
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value) if isinstance(value, str) else None
        if not found:
            self.fail(f"{value!r} is not a duration such as 90, 30s, 15m, 2h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


@dataclass(frozen=True)
class _Way:
    """Where reports go: to the queue, or with an API key straight to Mackerel."""

    queue_url: str | None
    api_key: str | None
    api_url: str | None
    host: str

    @property
    def is_direct(self) -> bool:
        return not self.queue_url and bool(self.api_key)

    def outbox(self) -> Outbox:
        """Raises ConfigurationMissing where there is no way."""
        from kuroshio.adapters.direct_outbox import DirectOutbox
        from kuroshio.adapters.mackerel import ORIGIN, GivenKey, HttpMackerel
        from kuroshio.adapters.outbox import SqsOutbox

        if self.queue_url:
            return SqsOutbox(self.queue_url)
        if not self.api_key:
            raise ConfigurationMissing("neither KUROSHIO_OUTBOX_QUEUE_URL nor MACKEREL_APIKEY is set")
        return DirectOutbox(HttpMackerel(GivenKey(self.api_key), origin=self.api_url or ORIGIN), self.host)


def _name(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,120}", value):
        raise click.BadParameter("a job's name has only A-Z a-z 0-9 _ -, and 120 of them at most")
    return value


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@click.option("--name", callback=_name, help="Of the check and the metrics; machine and command where it is left out.")
@click.option("--service", envvar="KUROSHIO_MACKEREL_SERVICE", help="The service in Mackerel that has the metrics.")
@click.option("--note", default="", help="Stands in each report.")
@click.option("--warning", is_flag=True, help="A failure is a WARNING, not CRITICAL.")
@click.option("--output", type=click.Choice(["failure", "always", "never"]), default="failure", show_default=True)
@click.option("--check/--no-check", default=True, help="Report a check, or metrics alone.")
@click.option("--notification-interval", type=click.IntRange(10), metavar="MINUTES", help="Notify again of a failure.")
@click.option("--timeout", type=_Duration(), help="End the command after this time (90, 30s, 15m, 2h): code 124.")
@click.option("--kill-after", type=_Duration(), default="10s", show_default=True, help="From SIGTERM to SIGKILL.")
@click.option("--queue-url", envvar="KUROSHIO_OUTBOX_QUEUE_URL", help="Kuroshio's outbox.")
@click.option("--api-url", envvar="KUROSHIO_MACKEREL_API_URL", help="With MACKEREL_APIKEY: another Mackerel.")
@click.option("--host", envvar="MACKEREL_HOST_ID", help="With MACKEREL_APIKEY: the host's id, if it has no agent.")
@click.option("--spool", type=click.Path(path_type=Path), envvar="KUROSHIO_SPOOL", help="Where reports wait.")
def wrap(  # noqa: PLR0917 - click passes all by keyword
    command: tuple[str, ...],
    name: str | None,
    service: str | None,
    note: str,
    warning: bool,  # noqa: FBT001
    output: str,
    check: bool,  # noqa: FBT001
    notification_interval: int | None,
    timeout: float | None,
    kill_after: float,
    queue_url: str | None,
    api_url: str | None,
    host: str | None,
    spool: Path | None,
) -> None:
    """Run COMMAND and tell Mackerel how it ended, success too.

    Its output passes through untouched, signals reach it, and the exit code is its own (128 + N where signal N killed
    it, 127 and 126 where it could not be started, 124 where it took too long). No shell is involved unless COMMAND is
    one. A report that cannot be sent waits on disk for the next run, and a line on standard error says so.

    Reports go to the queue (KUROSHIO_OUTBOX_QUEUE_URL and AWS credentials), or without one straight to Mackerel
    (MACKEREL_APIKEY, on a host that Mackerel knows).
    """
    from kuroshio.adapters import child

    begun = time.time()
    exited = child.run(command, timeout=timeout, grace=kill_after)
    try:
        from kuroshio.jobs.ended import Job, Show, named

        machine = socket.gethostname() or "unknown"
        way = _Way(queue_url, os.environ.get("MACKEREL_APIKEY"), api_url, host or _agent_host())
        job = Job(
            name=name or named(machine, command),
            service=service or "",
            machine=machine,
            note=note,
            failure="WARNING" if warning else "CRITICAL",
            show=Show(output),
            is_checked=check and _can_check(way, check=check),
            notification_interval=notification_interval,
        )
        _report(job, _ended(exited, begun), way, spool)
    except Exception as error:  # noqa: BLE001 - whatever it is, the job's own exit code matters more
        _say(f"not reported: {type(error).__name__}: {error}")
    sys.exit(exited.code)


def _ended(exited: Exit, begun: float) -> Ended:
    from kuroshio.jobs.ended import Ended

    return Ended(exited.code, exited.how, begun, max(begun, time.time()), exited.output)


def _report(job: Job, run: Ended, way: _Way, folder: Path | None) -> None:
    from kuroshio.adapters.spool import FileSpool, default_folder
    from kuroshio.jobs.ended import told
    from kuroshio.jobs.reporting import deliver
    from kuroshio.mackerel.messages import packed

    if not job.service:
        raise ConfigurationMissing("which service? Set KUROSHIO_MACKEREL_SERVICE, or give --service")
    try:
        spool = FileSpool(folder or default_folder(os.environ))
        spool.keep(job.name, packed(told(job, run, spool.given_up(job.name))))
    except OSError as error:
        _say(f"{error}: a report that cannot be sent now is lost")
        way.outbox().send(packed(told(job, run, given_up=0)))
        return
    try:
        outcome = deliver(spool, way.outbox())
    except KuroshioError as error:
        _say(f"not reported yet: {type(error).__name__}: {error}; {_waiting(len(spool.waiting()))}")
        return
    _tell(outcome)


def _tell(outcome: Outcome) -> None:
    if outcome.expired:
        _say(f"{outcome.expired} earlier figures or reports were too old for Mackerel and are given up")
    if outcome.wrong:
        _say(f"not reported yet: {type(outcome.wrong).__name__}: {outcome.wrong}; {_waiting(outcome.waiting)}")


def _waiting(count: int) -> str:
    return f"{count} reports wait for the next run"


def _can_check(way: _Way, *, check: bool) -> bool:
    if check and way.is_direct and not way.host:
        _say("no check is reported: this machine has no mackerel-agent, and --host says no id")
        return False
    return check


def _agent_host() -> str:
    try:
        return _AGENT_ID.read_text().strip()
    except OSError:
        return ""


def _say(message: str) -> None:
    click.echo(f"kuroshio wrap: {message}", err=True)
