"""JSONata in moto's interpreter, which ships none."""
# ruff: noqa: SLF001 - private names of moto are what this package is for

from __future__ import annotations

from typing import Any

from moto.stepfunctions.parser.api import EvaluationFailedEventDetails, HistoryEventType
from moto.stepfunctions.parser.asl.component.common.error_name.error_name import ErrorName
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import FailureEvent, FailureEventException
from moto.stepfunctions.parser.asl.component.common.string.string_expression import StringJSONata, StringVariableSample
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.parse.preprocessor import Preprocessor

from lab.moto_engine.patching import replace
from lab.query import QueryFailed, evaluate


def patch() -> None:
    for expression in (StringJSONata, StringVariableSample):
        replace(expression, "_eval_body", _eval_expression)
    replace(Preprocessor, "__init__", _preprocessor_init)


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
