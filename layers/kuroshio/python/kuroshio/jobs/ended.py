"""What a job that has ended is told as: a check report, and metrics of which the last of a minute counts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from kuroshio.mackerel.metrics import Writer
from kuroshio.mackerel.names import joined
from kuroshio.mackerel.points import LONGEST_MESSAGE, Combine, digest, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.mackerel.messages import Parcel

_LONGEST_NAME = 80


class Show(StrEnum):
    """When the job's output is part of its report."""

    FAILURE = "failure"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True)
class Job:
    """A job as its caller wants it told."""

    name: str
    service: str
    machine: str
    note: str = ""
    failure: str = "CRITICAL"
    show: Show = Show.FAILURE
    is_checked: bool = True
    notification_interval: int | None = None


@dataclass(frozen=True)
class Ended:
    """How one run of it ended. ``code`` is what its caller gets; times are epoch seconds."""

    code: int
    how: str
    begun: float
    ended: float
    output: str = ""


def named(machine: str, argv: Sequence[str]) -> str:
    """A name for a job without one: the same for the same command on the same machine, and for no other."""
    program = argv[0].rpartition("/")[2]
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{machine.partition('.')[0]}-{program}").strip("-")
    return f"{readable[:_LONGEST_NAME]}-{digest(machine, *argv)[:7]}"


def told(job: Job, run: Ended, given_up: int) -> Parcel:
    """What is to be said. ``given_up``: how many reports of this job were ever given up on this machine.

    Nothing here needs to be added up, so that it may go to Mackerel directly. Raises InvalidRequest.
    """
    duration = run.ended - run.begun
    writer = Writer(
        service=job.service,
        origin=f"wrap/{job.machine}/{job.name}/{run.begun!r}",
        clock=lambda: run.ended,
    )
    figures = {"duration": duration, "succeeded": float(run.code == 0)}
    if given_up:
        figures["given_up"] = float(given_up)
    for figure, value in figures.items():
        writer.put(joined("cron", job.name, figure), value, combine=Combine.LAST, at=run.ended)
    if job.is_checked:
        status = "OK" if run.code == 0 else job.failure
        message = _message(job, run, duration)
        writer.check(job.name, status, message, occurred_at=run.ended, notification_interval=job.notification_interval)
    return writer.taken()


def _message(job: Job, run: Ended, duration: float) -> str:
    said = [f"{run.how} after {duration:.1f} s on {job.machine}", job.note]
    head = "\n".join(line for line in said if line)
    shown = job.show is Show.ALWAYS or (job.show is Show.FAILURE and run.code != 0)
    room = LONGEST_MESSAGE - len(head) - 1
    output = run.output.strip() if shown and room > 3 else ""  # noqa: PLR2004 - an ellipsis
    return f"{head}\n{shortened(output, room)}" if output else head
