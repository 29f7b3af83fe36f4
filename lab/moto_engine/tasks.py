"""Task states: AWS's spelling of parameters and responses, each machine's own role, and fakes where tests ask for them."""
# ruff: noqa: SLF001 - private names of moto are what this package is for

from __future__ import annotations

import copy
import json
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore import xform_name
from moto.stepfunctions.parser.api import HistoryEventType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
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
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from lab.moto_engine.hooks import TaskFailed, hooks
from lab.moto_engine.patching import replace, wrap
from lab.query import iso

if TYPE_CHECKING:
    from collections.abc import Callable


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


def patch() -> None:
    replace(StateTaskService, "_SERVICE_NAME_SFN_TO_BOTO_OVERRIDES", _SERVICES)
    replace(StateTaskService, "_normalise_parameters", _normalise_parameters)
    replace(StateTaskService, "_normalise_response", _normalise_response)
    replace(aws_sdk.StateTaskServiceAwsSdk, "_normalise_service_error_name", staticmethod(_service_error_name))
    for module in _MODULES_WITH_CLIENTS:
        replace(module, "boto_client_for", _client_for)
    wrap(StateTaskService, "_eval_execution", _task_execution)
    wrap(StateTaskLambda, "_eval_execution", _task_execution)


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
    client = hooks().client
    if client is None:
        raise RuntimeError("the engine was installed without a way to call AWS services")
    return client(service, region, state_credentials.role_arn if state_credentials else "")


def _task_execution(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    def execute(self: Any, env: Any) -> None:
        fake = hooks().task
        if fake is None:
            original(self, env)
            return
        arguments: Any = {}
        if self.parargs is not None:
            self.parargs.eval(env=env)
            arguments = env.stack.pop()
        state = env.states.context_object.context_object_data["State"]["Name"]
        resource = self.resource.resource_arn
        try:
            answer = fake(state, copy.deepcopy(arguments), resource)
        except Exception as error:
            raise FailureEventException(task_failure(env, resource, error)) from error
        env.stack.append(json.loads(json.dumps(answer)))

    return execute


def task_failure(env: Any, resource: str, error: Exception) -> FailureEvent:
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
