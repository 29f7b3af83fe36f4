"""One definition executed at once, with a fake behind every Task state."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.stepfunctions import models
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.backend import execution as execution_module

from lab.moto_engine.hooks import Hooks, TaskFailed, use
from lab.moto_engine.patches import patch_moto

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fake = Callable[[Any], Any]


@dataclass(frozen=True)
class Execution:
    """How an execution in-process ended. ``path`` lists the states entered, ``waits`` the seconds of every pause."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    path: list[str]
    waits: list[float] = field(default_factory=list)


def run(definition: Mapping[str, Any] | str, given: Any, fakes: Mapping[str, Fake], *, name: str = "test") -> Execution:
    """Execute ``definition`` at once and in-process, with one fake per Task state.

    A fake takes the exact Arguments (or Parameters) of its state and returns the task's raw result, before Output or
    ResultSelector (for ``lambda:invoke`` that is ``{"Payload": …}``), or raises: the exception's class name is the error
    name, ``TaskFailed`` names any other. Waits and the pauses between retries take no time.

    Raises LookupError if a Task without a fake was reached, and ValueError if moto refuses the definition.
    """
    text = definition if isinstance(definition, str) else json.dumps(definition)
    waits: list[float] = []
    unknown: list[str] = []

    def answer(state: str, arguments: Any, _resource: str) -> Any:
        if state not in fakes:
            unknown.append(state)
            raise TaskFailed("States.Runtime", f"no fake for the state {state}")
        return fakes[state](arguments)

    with _installed(Hooks(pause=lambda seconds, *_: waits.append(seconds), task=answer)):
        done = _execute(text, given, name)
    if unknown:
        raise LookupError(f"the execution reached Task states without a fake: {', '.join(sorted(set(unknown)))}")
    return Execution(**done, waits=waits)


@contextmanager
def _installed(hooks: Hooks) -> Iterator[None]:
    patch_moto()
    before = use(hooks)
    try:
        yield
    finally:
        use(before)


def _execute(definition: str, given: Any, name: str) -> dict[str, Any]:
    try:
        parser_models.AmazonStateLanguageParser.parse(definition)
    except Exception as error:
        raise ValueError(f"the definition is not valid: {error}") from error
    arn = f"arn:aws:states:ap-northeast-1:123456789012:stateMachine:{name}"
    role = "arn:aws:iam::123456789012:role/test"
    execution = execution_module.SyncExecution(
        name="test",
        sm_type="STANDARD",
        role_arn=role,
        exec_arn=arn.replace("stateMachine", "execution") + ":test",
        account_id="123456789012",
        region_name="ap-northeast-1",
        state_machine=models.StateMachineInstance(arn, name, definition, role),
        start_date=datetime.now(UTC),
        cloud_watch_logging_session=None,
        activity_store={},
        input_data=json.dumps(given),
    )
    execution.start()
    history = execution.to_history_output()["events"]
    return {
        "status": execution.status,
        "output": execution.output,
        "error": execution.error,
        "cause": execution.cause,
        "path": [e["stateEnteredEventDetails"]["name"] for e in history if "stateEnteredEventDetails" in e],
    }
