"""Who begins the runs of a task, and why."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kuroshio.tasks.declaration.model import Carrier, Declaration, Shell
from kuroshio.tasks.declaration.reading import parse

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHELL = "run: {shell: ls}, on: {tags: {Role: db}}"
WINDOW = "window: {hours: 1}"


def read(entry: str, more: str = "", zone: str = "Asia/Tokyo") -> Declaration:
    text = f"zone: {zone}\ntasks:\n  task: {{{entry}}}\n{more}"
    found = parse(text.encode(), now=NOW)
    assert [str(error) for error in found.errors] == []
    return found


@pytest.mark.parametrize(
    ("entry", "because"),
    [
        (f"{SHELL}, at: {{cron: 0 3 * * ? *}}", "it names no window"),
        (f"{SHELL}, at: {{cron: 0 3 * * ? *}}, window: {{minutes: 30}}", "a window lasts whole hours"),
        (f"{SHELL}, at: {{cron: 0/4 * * * ? *}}, {WINDOW}", "a window cannot run more often than every 5 minutes"),
        (f"{SHELL}, at: {{rate: 4 minutes}}, {WINDOW}", "a window cannot run more often than every 5 minutes"),
        (f"{SHELL}, at: {{cron: '59 23,0 * * ? *'}}, {WINDOW}, overlap: queue", "it does not queue"),
        (f"{SHELL}, at: {{rate: 1 hour}}, {WINDOW}, freezes: [{{days: [sat]}}]", "a window knows no freezes"),
        (f"{SHELL}, at: {{rate: 1 hour}}, {WINDOW}, catch_up: once", "a window does not catch up"),
        (f"{SHELL}, at: {{rate: 1 hour}}, {WINDOW}, retry: {{idempotent: true}}", "does not repeat what failed"),
        (f"{SHELL}, at: {{rate: 1 hour}}, {WINDOW}, downtime: [abcdef]", "knows nothing of Mackerel's monitors"),
        (
            f"run: {{shell: ls}}, on: {{tags: {{A: b}}, once: true}}, at: {{rate: 1 hour}}, {WINDOW}",
            "cannot choose one",
        ),
        (f"run: {{function: f}}, at: {{rate: 1 hour}}, {WINDOW}, timeout: {{execution: 60}}", "what it starts says"),
        (
            f"run: {{document: abc}}, on: {{tags: {{A: b}}}}, at: {{rate: 1 hour}}, {WINDOW}, timeout: {{execution: 60}}",
            "a document's own parameters say",
        ),
    ],
)
def test_what_a_window_cannot_say_is_for_the_workflow(entry: str, because: str) -> None:
    [task] = read(entry).tasks
    assert task.carrier is Carrier.SCHEDULER
    assert because in task.because


@pytest.mark.parametrize(
    "entry",
    [
        f"{SHELL}, at: {{cron: 0/5 * * * ? *}}, {WINDOW}, timeout: {{delivery: 60, execution: 60}}",
        f"{SHELL}, at: {{once: 2026-11-22 23:00}}, window: {{hours: 4, cutoff: 1}}",
        f"run: {{automation: abc}}, at: {{rate: 5 minutes}}, {WINDOW}",
    ],
)
def test_what_a_window_can_say_is_a_window(entry: str) -> None:
    [task] = read(entry).tasks
    assert (task.carrier, task.because) == (Carrier.WINDOW, "a window can say all of it")


def test_a_window_at_a_time_that_the_clocks_leap_over_is_not_trusted() -> None:
    entry = f"{SHELL}, at: {{cron: 30 2 * * ? *}}, {WINDOW}"
    assert read(entry).tasks[0].carrier is Carrier.WINDOW
    declared = read(entry, zone="Europe/Berlin")
    assert declared.tasks[0].carrier is Carrier.SCHEDULER
    assert [each.text for each in declared.warnings] == [
        "at 2027-03-28 02:30 in Europe/Berlin the clocks leap over it: it does not run",
        "at 2027-10-31 02:30 in Europe/Berlin the clocks show it twice: it runs the first time only",
    ]


def test_who_waits_and_who_is_waited_for_are_both_of_the_workflow() -> None:
    declared = read(f"{SHELL}, at: {{cron: 0 3 * * ? *}}, {WINDOW}", f"  next: {{{SHELL}, after: [task], {WINDOW}}}\n")
    assert [(task.carrier.value, task.because) for task in declared.tasks] == [
        ("scheduler", "others wait for its verdict, which our own workflow gives"),
        ("scheduler", "it has no time of its own"),
    ]


def test_the_file_may_say_who() -> None:
    [task] = read(f"{SHELL}, at: {{cron: 0 3 * * ? *}}, {WINDOW}, by: scheduler").tasks
    assert (task.carrier, task.because) == (Carrier.SCHEDULER, "the file says so")


def test_whoever_waits_for_a_circle_is_right_in_itself() -> None:
    text = "zone: UTC\ntasks:\n" + "".join(
        f"  {name}: {{{SHELL}, after: [{after}]}}\n"
        for name, after in [("one", "two"), ("two", "one"), ("later", "one"), ("self", "self")]
    )
    declared = parse(text.encode(), now=NOW)
    assert [task.name for task in declared.tasks] == ["later"]
    assert set(declared.refused) == {"one", "two", "self"}


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("a\nb", ("set -eu", "a", "b")),
        ("#!/bin/bash -l\na", ("#!/bin/bash -l", "set -eu", "a")),
        ("#!/usr/bin/env python3\nimport a", ("#!/usr/bin/env python3", "import a")),
        ("#! /usr/bin/env bash\na", ("#! /usr/bin/env bash", "set -eu", "a")),
        ("#!\na", ("#!", "a")),
    ],
)
def test_the_first_command_that_fails_ends_a_script(text: str, commands: tuple[str, ...]) -> None:
    """Else the exit code is that of the last line, whatever failed before it."""
    assert Shell(text).commands == commands


def test_a_script_is_read_beside_the_file() -> None:
    files = {"run.sh": b"echo 1\n", "binary": b"\xff", "empty": b"\n"}
    text = "zone: UTC\ntasks:\n" + "".join(
        f"  task{n}: {{run: {{script: {path}}}, on: {{tags: {{A: b}}}}, at: {{rate: 1 day}}}}\n"
        for n, path in enumerate(["run.sh", "binary", "empty", "none"])
    )
    declared = parse(text.encode(), now=NOW, scripts=files.get)
    assert [task.run for task in declared.tasks] == [Shell("echo 1", "run.sh")]
    says = ["a script in UTF-8", "a script with commands", "a script that is there"]
    assert [str(error).rpartition("expected ")[2] for error in declared.errors] == says
