"""The documents that AWS is sent for a task, whole: an update replaces everything, and resets what it does not name."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.changes.canonical import digest
from kuroshio.tasks.calendar.schedule import OnceSchedule, once
from kuroshio.tasks.declaration.model import Automation, Carrier, Document, Function, Shell, StateMachine
from kuroshio.tasks.reconcile import normal

if TYPE_CHECKING:
    from kuroshio.tasks.declaration.model import Run, Targets, Task

Fields = dict[str, Any]
_HOUR = timedelta(hours=1)
_EXECUTION = 3_600  # seconds: what AWS-RunShellScript has where nobody says more


@dataclass(frozen=True)
class Place:
    """Where all this is: the environment's name, and what schedules need of it."""

    environment: str
    run_task: str = ""  # ARN of the state machine
    scheduler_role: str = ""
    dead_letters: str = ""  # ARN of the queue
    window_role: str = ""

    @property
    def group(self) -> str:
        """The group of schedules, whose name is ownership: schedules have no tags."""
        return f"kuroshio-{self.environment}-tasks"


@dataclass(frozen=True)
class WantedWindow:
    """A window, what it targets (None: nothing), and its only task, without its targets."""

    name: str
    window: Fields
    target: Fields | None
    task: Fields

    @property
    def digest(self) -> str:
        """Of all of it, as it is kept in a tag: what then differs was changed by hand."""
        target = normal.target(self.target) if self.target else None
        return digest([normal.window(self.window), target, normal.task({**self.task, "Targets": target})])


@dataclass(frozen=True)
class WantedSchedule:
    """A schedule of EventBridge Scheduler."""

    name: str
    schedule: Fields


Wanted = WantedWindow | WantedSchedule


def wanted(task: Task, place: Place) -> Wanted | None:
    """What AWS shall have; None for a task that only follows others, which ``run_task`` begins."""
    if task.at is None:
        return None
    return _window(task, place) if task.carrier is Carrier.WINDOW else _schedule(task, place)


def _window(task: Task, place: Place) -> WantedWindow:
    if task.at is None or task.window is None:
        raise ValueError(f"{task.name} is no window")
    expression, zone = f"{task.at.kind}({task.at.text})", task.at.zone
    if task.at.kind == "once":
        # SSM's own pages disagree on what a zone means for at(): UTC is the same either way.
        expression, zone = f"at({_single(task.at.text, zone):%Y-%m-%dT%H:%M:%S})", "UTC"
    window = {
        "Name": f"kuroshio-{place.environment}-{task.name}",
        "Schedule": expression,
        "ScheduleTimezone": zone,
        "Duration": task.window.length // _HOUR,
        "Cutoff": task.window.cutoff // _HOUR,
        "AllowUnassociatedTargets": False,
        "Enabled": task.is_enabled,
    }
    return WantedWindow(task.name, window, _target(task.on, task.name) if task.on else None, _task(task, place))


def _single(text: str, zone: str) -> Any:
    schedule: OnceSchedule = once(text, zone)
    return schedule.at.astimezone(UTC)


def _target(on: Targets, name: str) -> Fields:
    if on.resource_group:
        targets = [{"Key": "resource-groups:Name", "Values": [on.resource_group.rpartition("/")[2]]}]
    elif on.instances:
        targets = [{"Key": "InstanceIds", "Values": list(on.instances)}]
    else:
        targets = [{"Key": f"tag:{key}", "Values": list(values)} for key, values in on.tags]
    return {"Name": name, "ResourceType": "RESOURCE_GROUP" if on.resource_group else "INSTANCE", "Targets": targets}


def _task(task: Task, place: Place) -> Fields:
    kind, arn, parameters = _invocation(task.run, task)
    found = {
        "Name": task.name,
        "TaskType": kind,
        "TaskArn": arn,
        "Priority": 1,
        "CutoffBehavior": "CONTINUE_TASK",
        "TaskInvocationParameters": parameters,
    }
    if place.window_role:
        found["ServiceRoleArn"] = place.window_role
    if task.on:
        # AWS refuses them where there is no target, and echoes "1" of what it was never sent.
        found |= {"MaxConcurrency": task.concurrency, "MaxErrors": task.errors}
    return found


def _invocation(run: Run, task: Task) -> tuple[str, str, Fields]:
    match run:
        case Shell():
            execution = str(task.timeout.execution or _EXECUTION)
            parameters = {"commands": list(run.commands), "executionTimeout": [execution]}
            return "RUN_COMMAND", "AWS-RunShellScript", {"RunCommand": _command(parameters, "", task)}
        case Document():
            return "RUN_COMMAND", run.name, {"RunCommand": _command(_listed(run), run.version, task)}
        case Automation():
            return "AUTOMATION", run.name, {"Automation": _versioned({"Parameters": _listed(run)}, run.version)}
        case Function():
            name, _, qualifier = _function(run.name)
            more = {"Qualifier": qualifier} if qualifier else {}
            return "LAMBDA", name, {"Lambda": {"Payload": run.payload.encode(), **more}}
        case StateMachine():
            # A constant name would make the second run fail: ExecutionAlreadyExists.
            return "STEP_FUNCTIONS", run.arn, {"StepFunctions": {"Input": run.input, "Name": "{{INVOCATION_ID}}"}}


def _function(name: str) -> tuple[str, str, str]:
    """The function and its alias or version: a window takes the latter apart."""
    if not name.startswith("arn:"):
        return name.partition(":")
    parts = name.split(":")
    return ":".join(parts[:7]), ":", ":".join(parts[7:])


def _command(parameters: Fields, version: str, task: Task) -> Fields:
    return _versioned({"Parameters": parameters, "TimeoutSeconds": task.timeout.delivery}, version)


def _listed(run: Document | Automation) -> Fields:
    return {name: list(values) for name, values in run.parameters}


def _versioned(fields: Fields, version: str) -> Fields:
    return {**fields, "DocumentVersion": version} if version else fields


def _schedule(task: Task, place: Place) -> WantedSchedule:
    if task.at is None:
        raise ValueError(f"{task.name} has no time of its own")
    is_single = task.at.kind == "once"
    expression = f"at({task.at.text.replace(' ', 'T')}:00)" if is_single else f"{task.at.kind}({task.at.text})"
    schedule = {
        "Name": task.name,
        "GroupName": place.group,
        "ScheduleExpression": expression,
        "ScheduleExpressionTimezone": task.at.zone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED" if task.is_enabled else "DISABLED",
        "ActionAfterCompletion": "DELETE" if is_single else "NONE",
        "Target": {
            "Arn": place.run_task,
            "RoleArn": place.scheduler_role,
            "Input": json.dumps({"task": task.name, "scheduled": "<aws.scheduler.scheduled-time>"}),
            # By default a release that was planned for 22:00 may begin up to 24 hours late.
            "RetryPolicy": {"MaximumEventAgeInSeconds": int(task.grace.total_seconds()), "MaximumRetryAttempts": 185},
            "DeadLetterConfig": {"Arn": place.dead_letters} if place.dead_letters else {},
        },
    }
    return WantedSchedule(task.name, {**schedule, "Description": f"kuroshio {digest(schedule)}"})
