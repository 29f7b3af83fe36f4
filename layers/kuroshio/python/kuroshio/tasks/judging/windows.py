"""Executions of maintenance windows that SSM made by itself.

``SUCCESS`` of an execution says that its tasks ended, not that there were any: AWS's own tutorial shows ``SUCCESS`` beside
"No tasks to execute.". A task that targets nothing ends with "No Invocations to Execute". What is structural is believed
before what is told, and texts are compared without their case and full stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.tasks.verdict import Outcome, Verdict, gravest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_RUNNING = frozenset({"PENDING", "IN_PROGRESS", "CANCELLING"})
_EMPTY = ("no tasks to execute", "no invocations to execute")


@dataclass(frozen=True)
class WindowTask:
    """A task within an execution. ``invocations``: how many it had; None where that was not asked.

    ``verdict``: of its instances, for a command, whose parent's status hides them; None for the other kinds.
    """

    name: str
    status: str
    details: str = ""
    invocations: int | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True)
class WindowExecution:
    """An execution. ``tasks`` is None where they were not asked for, which is not the same as none."""

    status: str
    details: str = ""
    tasks: Sequence[WindowTask] | None = None

    @property
    def is_running(self) -> bool:
        """Whether SSM has not yet said how it ended."""
        return self.status in _RUNNING


def judge(execution: WindowExecution) -> Verdict | None:
    """The verdict on a whole execution; None while it, or a task that goes on after the cut-off, runs."""
    if execution.is_running:
        return None
    nothing = _nothing_ran(execution)
    if nothing is not None:
        return nothing
    judged = {task.name: of_task(task) for task in execution.tasks or ()}
    ended = {name: verdict for name, verdict in judged.items() if verdict is not None}
    if len(ended) < len(judged):
        return None
    return _of_tasks(ended, execution) if ended else _by_status(execution.status, execution.details)


def _nothing_ran(execution: WindowExecution) -> Verdict | None:
    if execution.tasks is not None and not execution.tasks and execution.status == "SUCCESS":
        return Verdict(Outcome.DID_NOT_RUN, "SSM says SUCCESS, but the window had no task to run")
    if _is_empty(execution.details):
        return Verdict(Outcome.DID_NOT_RUN, f"SSM says {execution.status}, and: {execution.details}")
    return None


def _of_tasks(ended: Mapping[str, Verdict], execution: WindowExecution) -> Verdict:
    outcome = gravest([verdict.outcome for verdict in ended.values()])
    if outcome is Outcome.SUCCEEDED and execution.status != "SUCCESS":
        # Every task succeeded and the window did not: those that it never began are in no list.
        return _by_status(execution.status, execution.details)
    name, verdict = next(pair for pair in ended.items() if pair[1].outcome is outcome)
    if len(ended) == 1:
        return verdict
    if outcome is Outcome.SUCCEEDED:
        return Verdict(outcome, f"all {len(ended)} tasks succeeded")
    return Verdict(outcome, f"of {len(ended)} tasks {name} {outcome}: {verdict.reason}")


def of_task(task: WindowTask) -> Verdict | None:
    """The verdict on one task of an execution; None while it runs."""
    if task.status in _RUNNING:
        return None
    if task.invocations == 0 or _is_empty(task.details):
        told = f": {task.details}" if task.details else ""
        return Verdict(Outcome.DID_NOT_RUN, f"its targets named no instance that could run it{told}")
    if task.verdict is not None:
        return task.verdict
    return _by_status(task.status, task.details)


def _by_status(status: str, details: str) -> Verdict:
    told = f": {details}" if details else ""
    match status:
        case "SUCCESS":
            return Verdict(Outcome.SUCCEEDED, "SSM says that it succeeded")
        case "FAILED":
            return Verdict(Outcome.FAILED, f"SSM says that it failed{told}")
        case "TIMED_OUT":
            return Verdict(Outcome.TIMED_OUT, f"it did not end before the window's cut-off{told}")
        case "CANCELLED":
            return Verdict(Outcome.KILLED, f"it was cancelled{told}")
        case "SKIPPED_OVERLAPPING":
            return Verdict(Outcome.SKIPPED, "the window's previous execution was still running")
        case _:
            return Verdict(Outcome.UNDELIVERED, f"SSM says {status!r}, a word that is not known here: look at it there")


def _is_empty(details: str) -> bool:
    return details.strip().rstrip(".").strip().lower() in _EMPTY
