"""Executions: the lab's time in them, versions and aliases of machines, and each change of a status told."""

from __future__ import annotations

import copy
import json
import random
import uuid
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.backend import execution as execution_module

from lab.moto_engine.hooks import ExecutionStatus, hooks
from lab.moto_engine.patching import replace, wrap

if TYPE_CHECKING:
    from collections.abc import Callable


def patch() -> None:
    replace(WaitFunction, "_wait_interval", _wait)
    replace(retrier_decl, "time", SimpleNamespace(sleep=_pause_before_retry))
    wrap(parser_models.StepFunctionsParserBackend, "start_execution", _start_execution)
    wrap(parser_models.StepFunctionsParserBackend, "describe_state_machine", _describe_state_machine)
    wrap(execution_module.Execution, "start", _execution_start)
    wrap(execution_module.BaseExecutionWorkerCommunication, "terminated", _terminated)


# Time ------------------------------------------------------------------------------------------------------------------


def _wait(_self: Any, env: Any, wait_seconds: float) -> None:
    arn = env.states.context_object.context_object_data["Execution"]["Id"]
    hooks().pause(max(0.0, wait_seconds), lambda: not env.is_running(), arn)


def _pause_before_retry(seconds: float) -> None:
    hooks().pause(seconds, lambda: False, "")


# Executions ------------------------------------------------------------------------------------------------------------


def _start_execution(original: Callable[..., Any]) -> Callable[..., Any]:
    def start(
        self: Any, state_machine_arn: str, name: str | None = None, execution_input: str | None = None, *rest: Any
    ) -> Any:
        return original(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, *rest)

    return start


def _describe_state_machine(original: Callable[..., Any]) -> Callable[..., Any]:
    """A version or an alias stands for its machine with the version's definition; executions belong to the machine."""

    def describe(self: Any, arn: str) -> Any:
        unqualified, qualifier = arn.rsplit(":", 1)
        if arn.count(":") != _COLONS_OF_QUALIFIED_ARN:
            return original(self, arn)
        machine = original(self, unqualified)
        version = machine.versions.get(_version_number(machine, arn, qualifier))
        if version is None:
            return original(self, arn)
        qualified = copy.copy(machine)
        qualified.definition, qualified.roleArn = version.definition, version.roleArn
        return qualified

    return describe


_COLONS_OF_QUALIFIED_ARN = 7


def _version_number(machine: Any, arn: str, qualifier: str) -> int | None:
    if qualifier.isnumeric():
        return int(qualifier)
    alias = next((alias for alias in machine.aliases.values() if alias.arn == arn), None)
    if alias is None:
        return None
    routes = alias.routing_configuration
    chosen = random.choices(routes, weights=[int(route["weight"]) for route in routes])[0]  # noqa: S311 - traffic
    return int(str(chosen["stateMachineVersionArn"]).rsplit(":", 1)[1])


def _execution_start(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def start(self: Any) -> None:
        if not isinstance(self, execution_module.SyncExecution):
            hooks().changed(_status_of(self, "RUNNING"))
        original(self)

    return start


def _terminated(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def terminated(self: Any) -> None:
        original(self)
        state = self.execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):  # moto forgets what StopExecution was told
            self.execution.error, self.execution.cause = state.error or None, state.cause or None
        hooks().changed(_status_of(self.execution, self.execution.status))

    return terminated


def _status_of(execution: Any, status: str) -> ExecutionStatus:
    return ExecutionStatus(
        execution_arn=execution.exec_arn,
        state_machine_arn=execution.state_machine.arn,
        name=execution.name,
        status=status,
        started=execution.start_date,
        stopped=execution.stop_date,
        input=json.dumps(execution.input_data, separators=(",", ":")),
        output=json.dumps(execution.output, separators=(",", ":")) if status == "SUCCEEDED" else None,
        error=execution.error,
        cause=execution.cause,
    )
