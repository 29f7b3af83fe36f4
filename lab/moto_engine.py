"""moto's Step Functions engine, made to behave as the service does. The one file that touches moto's private names.

moto 5.2.5 ships no JSONata evaluator, leaves AWS's spelling of parameters and responses alone, sleeps in real time,
calls other services without the machine's role and tells nobody when an execution changes its status. ``install`` closes
these gaps for the whole process; ``run`` executes one definition in-process with a fake behind every Task state::

    done = run(definition, {"target": "a"}, {"DetectChanges": lambda arguments: {"Payload": {"complete": True}}})
    assert (done.status, done.path) == ("SUCCEEDED", ["DetectChanges", "DiscardBundle"])

The pin of moto in pyproject.toml moves only together with this file.
"""
# ruff: noqa: SLF001 - private names of moto are what this file is for

from __future__ import annotations

import copy
import json
import math
import os
import random
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from moto.awslambda.models import ImageConfig, LambdaFunction
from moto.core.config import default_user_config
from moto.events.models import Rule as EventsRule
from moto.events.models import events_backends
from moto.iam.access_control import PermissionResult
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket
from moto.stepfunctions import models
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.api import (
    EvaluationFailedEventDetails,
    HistoryEventType,
    TaskFailedEventDetails,
)
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata, StringVariableSample
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
    resource_eval_s3 as item_reader_s3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as result_writer_s3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_aws_sdk as aws_sdk,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_dynamodb as dynamodb,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_events as events,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_sfn as sfn,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_sns as sns,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import (
    state_task_service_sqs as sqs,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService
from moto.stepfunctions.parser.asl.component.state.exec.state_task.state_task_lambda import StateTaskLambda
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor
from moto.stepfunctions.parser.backend import execution as execution_module

from lab.query import QueryFailed, evaluate, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fake = Callable[[Any], Any]

_MODULES_WITH_CLIENTS = (
    lambda_eval_utils,
    aws_sdk,
    dynamodb,
    events,
    sfn,
    sns,
    sqs,
    item_reader_s3,
    result_writer_s3,
)


@dataclass(frozen=True)
class Hooks:
    """What the engine asks of its surroundings.

    ``client(service, region, role_arn)`` gives the boto3 client of a task; ``speed`` divides every Wait and every retry's
    pause (infinite: none takes time) and ``paused`` is told their length in seconds; ``task(name, arguments, resource)``,
    where given, answers every Task state instead of the services; ``changed`` is told each status that an execution takes,
    ``deliver`` each rule that an event met, and ``invoke`` each function that SNS, S3 or Logs call asynchronously;
    ``resolve_image`` gives a tag's image by digest.
    """

    client: Callable[[str, str, str], Any] | None = None
    speed: float = 1.0
    paused: Callable[[float], None] = lambda _seconds: None
    task: Callable[[str, Any, str], Any] | None = None
    changed: Callable[[ExecutionStatus], None] = lambda _status: None
    deliver: Callable[[Rule, dict[str, Any]], None] | None = None
    invoke: Callable[[str, bytes], None] | None = None
    resolve_image: Callable[[str], str] = lambda uri: uri


@dataclass(frozen=True)
class Rule:
    """A rule of EventBridge whose pattern met an event."""

    arn: str
    role_arn: str
    targets: list[dict[str, Any]]


@dataclass(frozen=True)
class ExecutionStatus:
    """One status of one execution, as DescribeExecution would tell it; dates are aware datetimes."""

    execution_arn: str
    state_machine_arn: str
    name: str
    status: str
    started: datetime
    stopped: datetime | None
    input: str
    output: str | None
    error: str | None
    cause: str | None


class TaskFailed(Exception):  # noqa: N818 - the name that Step Functions gives to it
    """Raised by a fake to fail its task with an error name that is not a Python class, such as ``S3.NoSuchKeyException``."""

    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(cause)
        self.name = name


@dataclass(frozen=True)
class Execution:
    """How an execution in-process ended. ``path`` lists the states entered, ``waits`` the seconds of every pause."""

    status: str
    output: Any
    error: str | None
    cause: str | None
    path: list[str]
    waits: list[float] = field(default_factory=list)


_hooks = Hooks()


def install(hooks: Hooks) -> None:
    """Close moto's gaps for this process and serve its executions with ``hooks``. Calling it again replaces the hooks."""
    global _hooks  # noqa: PLW0603 - moto knows one engine per process
    _hooks = hooks
    _patch_moto()


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

    with _installed(Hooks(speed=math.inf, paused=waits.append, task=answer)):
        done = _execute(text, given, name)
    if unknown:
        raise LookupError(f"the execution reached Task states without a fake: {', '.join(sorted(set(unknown)))}")
    return Execution(**done, waits=waits)


@contextmanager
def _installed(hooks: Hooks) -> Iterator[None]:
    before = _hooks
    install(hooks)
    try:
        yield
    finally:
        install(before)


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


# Expressions -----------------------------------------------------------------------------------------------------------


def _eval_expression(self: Any, env: Any) -> None:
    """Bind values instead of pasting them into the source, where a quote in a string would end it."""
    variables = {**env.variable_store._outer_scope, **env.variable_store._inner_scope}
    try:
        env.stack.append(evaluate(self.expression, {**variables, "states": env.states._states_data}))
    except QueryFailed as failed:
        details = EvaluationFailedEventDetails(error="States.QueryEvaluationError", cause=str(failed))
        raise FailureEventException(
            FailureEvent(
                env=env,
                error_name=ErrorName("States.QueryEvaluationError"),
                event_type=HistoryEventType.EvaluationFailed,
                event_details=EventDetails(evaluationFailedEventDetails=details),
            )
        ) from failed


def _preprocessor_init(self: Any) -> None:
    # moto keeps the query language on the class: after one rejected definition the next valid one is rejected too.
    self._query_language_per_scope = []


# Tasks -----------------------------------------------------------------------------------------------------------------

_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
# The names that the service puts before an exception's: those of the AWS SDK for Java.
_JAVA_NAMES = {
    "cloudwatch": "CloudWatch",
    "cloudwatchlogs": "CloudWatchLogs",
    "dynamodb": "DynamoDb",
    "eventbridge": "EventBridge",
    "secretsmanager": "SecretsManager",
}


@cache
def _service_model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _operation(task: Any, service: str | None, action: str | None) -> Any:
    model = _service_model(task._get_boto_service_name(service))
    wanted = task._get_boto_service_action(action)
    return next((model.operation_model(name) for name in model.operation_names if xform_name(name) == wanted), None)


def _normalise_parameters(
    self: Any, parameters: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    operation = _operation(self, boto_service_name, service_action_name)
    if operation is not None and operation.input_shape is not None:
        self._to_boto_request(parameters, operation.input_shape)


def _normalise_response(
    self: Any, response: Any, boto_service_name: str | None = None, service_action_name: str | None = None
) -> None:
    operation = _operation(self, boto_service_name, service_action_name)
    if operation is None or operation.output_shape is None or not isinstance(response, dict):
        return
    self._from_boto_response(response, operation.output_shape)
    plain = _plain(response)
    response.clear()
    response.update(plain)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return iso(value) if isinstance(value, datetime) else value


def _service_error_name(service_name: str) -> str:
    return _JAVA_NAMES.get(service_name.lower(), service_name[:1].upper() + service_name[1:])


def _client_for(region: str, service: str, state_credentials: Any = None) -> Any:
    if _hooks.client is None:
        raise RuntimeError("the engine was installed without a way to call AWS services")
    return _hooks.client(service, region, state_credentials.role_arn if state_credentials else "")


def _task_execution(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def execute(self: Any, env: Any) -> None:
        if _hooks.task is None:
            original(self, env)
            return
        arguments: Any = {}
        if self.parargs is not None:
            self.parargs.eval(env=env)
            arguments = env.stack.pop()
        state = env.states.context_object.context_object_data["State"]["Name"]
        resource = self.resource.resource_arn
        try:
            answer = _hooks.task(state, copy.deepcopy(arguments), resource)
        except Exception as error:
            raise FailureEventException(_task_failure(env, resource, error)) from error
        env.stack.append(json.loads(json.dumps(answer)))

    return execute


def _task_failure(env: Any, resource: str, error: Exception) -> FailureEvent:
    name = error.name if isinstance(error, TaskFailed) else type(error).__name__
    cause = str(error)
    if ":lambda:" in resource:  # a function's error document is what Step Functions hands on as the cause
        cause = json.dumps({"errorMessage": cause, "errorType": name})
    return FailureEvent(
        env=env,
        error_name=ErrorName(name),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=TaskFailedEventDetails(error=name, cause=cause)),
    )


# Time ------------------------------------------------------------------------------------------------------------------


def _wait(_self: Any, env: Any, wait_seconds: float) -> None:
    _hooks.paused(wait_seconds)
    if _hooks.speed != math.inf:
        env.program_state_event.wait(max(0.0, wait_seconds) / _hooks.speed)


def _pause_before_retry(seconds: float) -> None:
    _hooks.paused(seconds)
    if _hooks.speed != math.inf:
        time.sleep(seconds / _hooks.speed)


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
            _hooks.changed(_status_of(self, "RUNNING"))
        original(self)

    return start


def _terminated(original: Callable[[Any], None]) -> Callable[[Any], None]:
    def terminated(self: Any) -> None:
        original(self)
        state = self.execution.exec_worker.env.program_state()
        if isinstance(state, ProgramStopped):  # moto forgets what StopExecution was told
            self.execution.error, self.execution.cause = state.error or None, state.cause or None
        _hooks.changed(_status_of(self.execution, self.execution.status))

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


# The server ------------------------------------------------------------------------------------------------------------


def moto_server(port: int) -> Any:
    """Moto's WSGI application, with executable state machines and no containers of moto's own."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    default_user_config["lambda"]["use_docker"] = False
    os.environ["MOTO_PORT"] = str(port)
    return DomainDispatcherApplication(create_backend_app)


def put_event(region: str, account: str, event: Mapping[str, Any]) -> None:
    """Let AWS itself send an event, which PutEvents refuses to others (sources that begin with ``aws.``)."""
    events_backends[account][region].put_events([dict(event)])


@cache
def _aws_policies() -> dict[str, Any]:
    policies: dict[str, Any] = json.loads(aws_managed_policies_data)
    return policies


def know_aws_policy(arn: str, account: str) -> None:
    """Let IAM know one of AWS's own managed policies. All 1,400 of them would cost each start more than two seconds."""
    backend, name = iam_backends[account]["aws"], arn.rsplit("/", 1)[-1]
    if arn not in backend.managed_policies and name in _aws_policies():
        policy = AWSManagedPolicy.from_data(name, account, "aws", _aws_policies()[name])
        backend.managed_policies[policy.arn] = policy


def _send_to_targets(self: Any, original_event: dict[str, Any], transform_input: bool = True) -> None:  # noqa: ARG001, FBT001, FBT002
    if _hooks.deliver is None or self.state != "ENABLED" or not self.event_pattern.get_pattern():
        return
    event = {key: value for key, value in original_event.items() if key != "ingestion-time"}
    event["time"] = datetime.fromtimestamp(float(event["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if self.event_pattern.matches_event(event):
        _hooks.deliver(Rule(self.arn, self.role_arn or "", copy.deepcopy(self.targets)), copy.deepcopy(event))


# What moto forgets of a function's configuration, or does not let an update change.
_FORGOTTEN = ("DeadLetterConfig", "LoggingConfig", "TracingConfig", "EphemeralStorage", "KMSKeyArn")


def _function_init(original: Callable[..., None]) -> Callable[..., None]:
    def init(self: Any, account_id: str, spec: dict[str, Any], *rest: Any, **named: Any) -> None:
        self.lab_kept = {name: spec[name] for name in _FORGOTTEN if name in spec}
        original(self, account_id, spec, *rest, **named)
        _resolve_image(self)

    return init


def _update_configuration(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, changes: dict[str, Any]) -> Any:
        self.lab_kept = {**self.lab_kept, **{name: changes[name] for name in _FORGOTTEN if name in changes}}
        if "ImageConfig" in changes:
            self.image_config = ImageConfig(changes["ImageConfig"])
        return original(self, changes)

    return update


def _update_function_code(original: Callable[..., Any]) -> Callable[..., Any]:
    def update(self: Any, changes: dict[str, Any]) -> Any:
        self.code = dict(self.code)  # the published versions share it
        original(self, changes)
        _resolve_image(self)
        return self.get_configuration()

    return update


def _resolve_image(function: Any) -> None:
    """Pin the image that the tag means now, as Lambda does when code is set."""
    uri = function.code.get("ImageUri")
    if uri:
        function.lab_image = _hooks.resolve_image(uri)
        function.code_sha_256 = function.lab_image.partition("@sha256:")[2] or function.code_sha_256


def _get_configuration(original: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def get(self: Any, *arguments: Any, **named: Any) -> dict[str, Any]:
        return {**original(self, *arguments, **named), **self.lab_kept}

    return get


def _get_code(original: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def get(self: Any) -> dict[str, Any]:
        answer = original(self)
        if "ImageUri" in self.code:
            answer["Code"]["ResolvedImageUri"] = self.lab_image
        return answer

    return get


def _invoke_function(self: Any, body: str, _request_headers: Any, _response_headers: Any) -> str:
    if _hooks.invoke is not None:
        _hooks.invoke(self.function_arn, body.encode())
    return ""


@cache  # once per process: the wrappers would otherwise wrap themselves
def _patch_moto() -> None:
    for expression in (StringJSONata, StringVariableSample):
        _replace(expression, "_eval_body", _eval_expression)
    _replace(Preprocessor, "__init__", _preprocessor_init)
    _replace(StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", _SERVICES)
    _replace(StateTaskService, "_normalise_parameters", _normalise_parameters)
    _replace(StateTaskService, "_normalise_response", _normalise_response)
    _replace(aws_sdk.StateTaskServiceAwsSdk, "_normalise_service_error_name", staticmethod(_service_error_name))
    for module in _MODULES_WITH_CLIENTS:
        _replace(module, "boto_client_for", _client_for)
    _wrap(StateTaskService, "_eval_execution", _task_execution)
    _wrap(StateTaskLambda, "_eval_execution", _task_execution)
    _replace(WaitFunction, "_wait_interval", _wait)
    _replace(retrier_decl, "time", SimpleNamespace(sleep=_pause_before_retry))
    _wrap(parser_models.StepFunctionsParserBackend, "start_execution", _start_execution)
    _wrap(parser_models.StepFunctionsParserBackend, "describe_state_machine", _describe_state_machine)
    _wrap(execution_module.Execution, "start", _execution_start)
    _wrap(execution_module.BaseExecutionWorkerCommunication, "terminated", _terminated)
    _replace(EventsRule, "send_to_targets", _send_to_targets)
    _replace(LambdaFunction, "invoke", _invoke_function)
    _wrap(LambdaFunction, "__init__", _function_init)
    _wrap(LambdaFunction, "update_configuration", _update_configuration)
    _wrap(LambdaFunction, "update_function_code", _update_function_code)
    _wrap(LambdaFunction, "get_configuration", _get_configuration)
    _wrap(LambdaFunction, "get_code", _get_code)
    # moto denies by bucket policies without reading their conditions; lab/bucketpolicy.py reads them.
    _replace(FakeBucket, "get_permission", lambda _self, _action, _resource: PermissionResult.NEUTRAL)


def _replace(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(
            f"moto has no {owner.__name__}.{name} any more: lab/moto_engine.py must follow its version"
        )
    setattr(owner, name, value)


def _wrap(owner: Any, name: str, wrapper: Callable[[Any], Any]) -> None:
    _replace(owner, name, wrapper(getattr(owner, name)))
