"""Every machine executed in-process: its happy path, each of its retriers and each of its catchers.

A new file in statemachines/ is covered as soon as tests/workflows/scenarios/ has a scenario of its name, and fails here
until then.
"""

from __future__ import annotations

import json
import math
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from tests.workflows.machine import NAMES, Stage, definition, scenario, states, tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab import moto_engine


def retries() -> Iterator[tuple[str, str, int, str]]:
    """Of every machine each retrier that differs from its others, and each of its errors once among all machines.

    That all tasks have the standard ones is judged without executing them (lab.lint).
    """
    seen: set[str] = set()
    for name in NAMES:
        own: set[str] = set()
        for state, body in tasks(name).items():
            for number, retrier in enumerate(body.get("Retry", [])):
                written = json.dumps(retrier)
                errors = [] if written in own else retrier["ErrorEquals"][: 1 if written in seen else None]
                own.add(written)
                yield from ((name, state, number, error) for error in errors)
        seen |= own


RETRIES = list(retries())
CATCHES = [
    (name, state, number)
    for name in NAMES
    for state, body in tasks(name).items()
    for number in range(len(body.get("Catch", [])))
]


def failing(name: str, state: str, error: str, times: float) -> dict[str, tuple[str, float]]:
    detour = scenario(name).detours.get(state, {})
    return {**{before: (reason, math.inf) for before, reason in detour.items()}, state: (error, times)}


@pytest.mark.parametrize("name", NAMES)
def test_the_happy_path_ends_with_its_output(name: str) -> None:
    done = Stage(name).run()

    assert (done.status, done.path, done.output) == ("SUCCEEDED", scenario(name).path, scenario(name).output)


@pytest.mark.parametrize(("name", "state", "number", "error"), RETRIES)
def test_a_passing_failure_costs_one_more_attempt_and_nothing_else(
    name: str, state: str, number: int, error: str
) -> None:
    undisturbed, disturbed = Stage(name), Stage(name)
    expected = undisturbed.run(failing(name, state, error, 0), towards=state)

    done = disturbed.run(failing(name, state, error, 1), towards=state)

    assert (done.status, done.path, done.output) == (expected.status, expected.path, expected.output)
    assert (undisturbed.calls(state), disturbed.calls(state)) == (1, 2)


@pytest.mark.parametrize(("name", "state", "number", "error"), RETRIES)
def test_a_lasting_failure_is_tried_as_often_as_the_retrier_says_and_no_more(
    name: str, state: str, number: int, error: str
) -> None:
    stage, retrier = Stage(name), tasks(name)[state]["Retry"][number]

    done = stage.run(failing(name, state, error, math.inf), towards=state)

    assert stage.calls(state) == retrier["MaxAttempts"] + 1
    assert max(done.waits) <= retrier["MaxDelaySeconds"]


@cache
def caught(name: str, state: str, error: str) -> moto_engine.Execution:
    return Stage(name).run(failing(name, state, error, math.inf), towards=state)


@pytest.mark.parametrize(("name", "state", "number"), CATCHES)
def test_what_is_caught_goes_where_the_catcher_says(name: str, state: str, number: int) -> None:
    catcher = tasks(name)[state]["Catch"][number]
    error = "Unforeseen" if catcher["ErrorEquals"] == ["States.ALL"] else catcher["ErrorEquals"][0]

    done = caught(name, state, error)

    assert done.path[done.path.index(state) + 1] == catcher["Next"]


@pytest.mark.parametrize(("name", "state", "number"), CATCHES)
def test_a_machine_that_fails_does_so_with_the_first_error_and_its_cause(name: str, state: str, number: int) -> None:
    told = failing(name, state, "Unforeseen", math.inf)

    done = caught(name, state, "Unforeseen")

    last: dict[str, Any] = states(definition(name))[done.path[-1]]
    if last["Type"] == "Fail":
        first = next(iter(told))
        assert (done.status, done.error) == ("FAILED", told[first][0])
        assert f"{first} was told to fail" in str(done.cause)
    else:
        assert done.status == "SUCCEEDED"
        assert state not in definition(name)["States"] or done.output == scenario(name).output
