"""Maintenance windows and schedules on paper, with what AWS adds to what it was sent, and what it refuses."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from kuroshio.tasks.reconcile.account import Account, Window
from kuroshio.tasks.reconcile.changes import Action, Change


class RefusedError(Exception):
    """What AWS answers to a request that it does not take."""


@dataclass
class PaperWindow:
    fields: dict[str, Any]
    tags: dict[str, str]
    targets: dict[str, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass
class PaperAccount:
    """``carry_out`` does one change; ``seen`` is what its answers tell."""

    windows: dict[str, PaperWindow] = field(default_factory=dict)
    schedules: dict[str, dict[str, Any]] = field(default_factory=dict)
    new_window: dict[str, str] = field(default_factory=dict)
    new_target: dict[str, str] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: count(1))

    def carry_out(self, change: Change) -> None:
        fields = copy.deepcopy(dict(change.fields))
        if "schedule" in change.action:
            self._schedule(change, fields)
            return
        if change.action is Action.CREATE_WINDOW:
            tags = fields.pop("Tags")
            if "Enabled" in fields:
                raise RefusedError("CreateMaintenanceWindow has no Enabled")
            self.new_window[change.task] = self.add(PaperWindow({"Enabled": True, **fields}, tags))
            return
        name = change.window or self.new_window[change.task]
        window = self.windows[name]
        match change.action:
            case Action.UPDATE_WINDOW:
                window.fields = {"WindowId": name, **fields}
            case Action.DELETE_WINDOW:
                del self.windows[name]
            case Action.TAG_WINDOW:
                window.tags |= fields
            case Action.DEREGISTER_TASK:
                del window.tasks[change.id]
            case Action.REGISTER_TASK | Action.UPDATE_TASK:
                self._task(change, window, name, fields)
            case _:
                self._target(change, window, name, fields)

    def _target(self, change: Change, window: PaperWindow, name: str, fields: dict[str, Any]) -> None:
        match change.action:
            case Action.REGISTER_TARGET:
                self.new_target[name] = f"target-{next(self.numbers):04}"
                window.targets[self.new_target[name]] = fields
            case Action.UPDATE_TARGET:
                if window.targets[change.id]["ResourceType"] != fields["ResourceType"]:
                    raise RefusedError("UpdateMaintenanceWindowTarget has no ResourceType")
                window.targets[change.id] = fields
            case _:
                if any(change.id in str(task.get("Targets")) for task in window.tasks.values()):
                    raise RefusedError("TargetInUse")
                del window.targets[change.id]

    def _task(self, change: Change, window: PaperWindow, name: str, fields: dict[str, Any]) -> None:
        target = change.target if change.target != "" else self.new_target[name]
        if target is None and ("MaxConcurrency" in fields or "MaxErrors" in fields):
            raise RefusedError("Maintenance window tasks without targets don't support MaxConcurrency values")
        if target is None and fields["TaskType"] == "RUN_COMMAND":
            raise RefusedError("RUN_COMMAND needs a target")
        if target is not None:
            if target not in window.targets:
                raise RefusedError(f"no target {target}")
            fields["Targets"] = [{"Key": "WindowTargetIds", "Values": [target]}]
        if change.action is Action.UPDATE_TASK:
            before = window.tasks[change.id]
            if before["TaskType"] != fields["TaskType"] or bool(before.get("Targets")) != bool(fields.get("Targets")):
                raise RefusedError("UpdateMaintenanceWindowTask can change neither")
        window.tasks[change.id or f"task-{next(self.numbers):04}"] = fields

    def _schedule(self, change: Change, fields: dict[str, Any]) -> None:
        if change.action is Action.DELETE_SCHEDULE:
            del self.schedules[change.task]
        elif (change.action is Action.CREATE_SCHEDULE) == (change.task in self.schedules):
            raise RefusedError("it is there already, or not there")
        else:
            self.schedules[change.task] = fields

    def add(self, window: PaperWindow) -> str:
        name = f"mw-{next(self.numbers):04}"
        self.windows[name] = window
        return name

    def seen(self) -> Account:
        windows = tuple(
            Window(
                name,
                _with_echo({**each.fields, "WindowId": name, "CreatedDate": "2026", "NextExecutionTime": "2027"}),
                dict(each.tags),
                {key: _target_echo(target, key) for key, target in each.targets.items()},
                {key: _task_echo(task, key) for key, task in each.tasks.items()},
            )
            for name, each in self.windows.items()
        )
        return Account(windows, {name: _schedule_echo(each) for name, each in self.schedules.items()})

    def runs(self, task: str) -> int:
        """How many things would begin a run of a task: schedules, and windows that have a task with its target."""
        those = [window for window in self.windows.values() if window.tags.get("kuroshio:task") == task]
        return sum(bool(window.tasks) for window in those) + (task in self.schedules)


def _with_echo(found: dict[str, Any]) -> dict[str, Any]:
    """Turned around, and with what nobody sent."""
    return {**dict(reversed(copy.deepcopy(found).items())), "Description": "", "ScheduleOffset": None}


def _target_echo(found: dict[str, Any], name: str) -> dict[str, Any]:
    echo = _with_echo({**found, "WindowTargetId": name, "OwnerInformation": ""})
    echo["Targets"] = [{"Values": pair["Values"][::-1], "Key": pair["Key"]} for pair in echo["Targets"][::-1]]
    return echo


def _task_echo(found: dict[str, Any], name: str) -> dict[str, Any]:
    echo = _with_echo({"MaxConcurrency": "1", "MaxErrors": "1", "Targets": [], **found, "WindowTaskId": name})
    parameters = echo["TaskInvocationParameters"]
    for kind in parameters.values():
        if "Parameters" in kind:
            kind["Parameters"] = dict(reversed(kind["Parameters"].items()))
    if "RunCommand" in parameters:
        parameters["RunCommand"] = {"DocumentVersion": "$DEFAULT", "Comment": "", **parameters["RunCommand"]}
    if "StepFunctions" in parameters:
        parameters["StepFunctions"]["Input"] = json.dumps(json.loads(parameters["StepFunctions"]["Input"]), indent=1)
    return {**echo, "TaskParameters": {}, "LoggingInfo": None}


def _schedule_echo(found: dict[str, Any]) -> dict[str, Any]:
    echo = copy.deepcopy(found)
    target = {name: each for name, each in echo["Target"].items() if each}
    target["Input"] = json.dumps(json.loads(target["Input"]), indent=1)
    return {**dict(reversed(echo.items())), "Target": target, "Arn": "arn", "CreationDate": "2026"}
