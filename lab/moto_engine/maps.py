"""Distributed Map: where items come from in a test, and failures that are more than a Map tolerates.

moto counts children that fail and goes on whatever is tolerated; a Map there never fails by its items.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.stepfunctions.parser.api import ExecutionFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval.resource_eval_s3 import (
    ResourceEvalS3,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.iteration.distributed_iteration_component import (
    DistributedIterationComponent,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import wrap
from lab.moto_engine.tasks import task_failure

if TYPE_CHECKING:
    from collections.abc import Callable

_EXCEEDED = StatesErrorNameType.StatesExceedToleratedFailureThreshold


def patch() -> None:
    wrap(ResourceEvalS3, "eval_resource", _items)
    wrap(DistributedIterationComponent, "_map_run", _map_run)


def _items(original: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """The list of items is asked of the test as a task of the name ``<state>ItemReader`` would be."""

    def evaluate(self: Any, env: Any) -> None:
        fake = hooks().task
        if fake is None:
            original(self, env)
            return
        arguments = env.stack.pop()
        state = env.states.context_object.context_object_data["State"]["Name"]
        resource = self.resource.resource_arn
        try:
            answer = fake(f"{state}ItemReader", arguments, resource)
        except Exception as error:
            raise FailureEventException(task_failure(env, resource, error)) from error
        env.stack.append(json.dumps(answer))

    return evaluate


def _map_run(original: Callable[[Any, Any, Any], None]) -> Callable[[Any, Any, Any], None]:
    def run(self: Any, env: Any, eval_input: Any) -> None:
        original(self, env, eval_input)
        counted = eval_input.map_run_record.item_counter
        failed, total = counted.failed.get() + counted.timed_out.get(), counted.total.get()
        count, percentage = eval_input.tolerated_failure_count, eval_input.tolerated_failure_percentage
        # Step Functions guide, "Setting failure thresholds for Distributed Map states": the first that is passed counts;
        # with neither, no failure is tolerated.
        passed = [failed > count] * bool(count) + [failed * 100 > total * percentage] * bool(percentage)
        if any(passed) if passed else failed:
            raise FailureEventException(_exceeded(env, failed, total))

    return run


def _exceeded(env: Any, failed: int, total: int) -> FailureEvent:
    cause = f"{failed} of {total} items failed, more than the Map tolerates"
    return FailureEvent(
        env=env,
        error_name=StatesErrorName(typ=_EXCEEDED),
        event_type=HistoryEventType.MapStateFailed,
        event_details=EventDetails(
            executionFailedEventDetails=ExecutionFailedEventDetails(error=_EXCEEDED.to_name(), cause=cause)
        ),
    )
