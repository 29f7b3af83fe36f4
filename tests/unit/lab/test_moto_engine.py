"""The engine runs our kind of state machine as the service does, in-process, with one fake per Task state."""

from __future__ import annotations

from typing import Any

import pytest

from lab.moto_engine import TaskFailed, run

LAMBDA = "arn:aws:states:::lambda:invoke"


def machine(states: dict[str, Any], **top: Any) -> dict[str, Any]:
    return {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states, **top}


def task(resource: str = LAMBDA, **fields: Any) -> dict[str, Any]:
    return {"Type": "Task", "Resource": resource, **({} if "Next" in fields else {"End": True}), **fields}


def test_a_fake_gets_the_exact_arguments_and_its_result_is_what_the_state_outputs() -> None:
    seen = []

    def detect(arguments: Any) -> Any:
        seen.append(arguments)
        return {"Payload": {"plan": "plans/1"}}

    definition = machine(
        {
            "Detect": task(
                Arguments={"FunctionName": "detect", "Payload": "{% $states.input %}"},
                Output="{% $states.result.Payload.plan %}",
            )
        }
    )

    done = run(definition, {"pull_request": 1}, {"Detect": detect})

    assert seen == [{"FunctionName": "detect", "Payload": {"pull_request": 1}}]
    assert (done.status, done.output, done.path) == ("SUCCEEDED", "plans/1", ["Detect"])


class Flaky(Exception):  # noqa: N818 - the class name is the error name
    """Fails as a function of ours would: the class name is the error name."""


def test_a_retry_matches_the_class_name_of_what_the_fake_raised_and_its_pauses_take_no_time() -> None:
    answers = iter([Flaky("once"), Flaky("twice"), {"Payload": 3}])

    def flaky(_: Any) -> Any:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    retry = [{"ErrorEquals": ["Flaky"], "IntervalSeconds": 600, "BackoffRate": 2, "MaxAttempts": 3}]
    done = run(machine({"Try": task(Retry=retry)}), {}, {"Try": flaky})

    assert (done.status, done.output, done.waits) == ("SUCCEEDED", {"Payload": 3}, [600, 1200])


def test_a_catch_sees_error_and_cause_and_keeps_them_in_a_variable() -> None:
    def gone(_: Any) -> Any:
        raise TaskFailed("S3.NoSuchKeyException", 'it said "no"')

    states = {
        "Fetch": task(
            "arn:aws:states:::aws-sdk:s3:getObject",
            Next="Done",
            Catch=[
                {
                    "ErrorEquals": ["S3.NoSuchKeyException"],
                    "Assign": {"failure": "{% $states.errorOutput %}"},
                    "Next": "Failed",
                }
            ],
        ),
        "Done": {"Type": "Succeed"},
        "Failed": {"Type": "Fail", "Error": "{% $failure.Error %}", "Cause": "{% $failure.Cause %}"},
    }

    done = run(machine(states), {}, {"Fetch": gone})

    assert (done.status, done.error, done.cause) == ("FAILED", "S3.NoSuchKeyException", 'it said "no"')
    assert done.path == ["Fetch", "Failed"]


def test_the_cause_of_a_failed_function_is_its_error_document() -> None:
    def broken(_: Any) -> Any:
        raise Flaky("broken")

    done = run(machine({"Try": task()}), {}, {"Try": broken})

    assert (done.error, done.cause) == ("Flaky", '{"errorMessage": "broken", "errorType": "Flaky"}')


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$states.input.quoted & '!'", 'say "hi" \\ é😀!'),
        ("$type($states.input.nothing)", "null"),
        ("$states.input", {"quoted": 'say "hi" \\ é😀', "nothing": None, "list": [1, 2, 3]}),
        ("$states.input.list[$ > 1]", [2, 3]),
        ("[$states.input.list[0]]", [1]),
        ("$states.context.Execution.Name", "test"),
        ("$range(0, 10, 5)", [0, 5, 10]),
        ("$partition([1,2,3], 2)", [[1, 2], [3]]),
        ("$hash('a', 'SHA-256')", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
        ("$random(1) = $random(1) and $random() < 1", True),
        ("$length($uuid())", 36),
        ("$parse('{\"a\": null}')", {"a": None}),
        ("$count($states.input.list)", 3),
    ],
)
def test_expressions_have_the_values_that_the_service_gives_them(expression: str, value: Any) -> None:
    given = {"quoted": 'say "hi" \\ é😀', "nothing": None, "list": [1, 2, 3]}

    done = run(machine({"Compute": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}), given, {})

    assert (done.status, done.output) == ("SUCCEEDED", value)


@pytest.mark.parametrize(
    "expression", ["$states.input.absent", "$eval('1')", "$number('x')", "function($x){$x}", "1 +"]
)
def test_an_expression_that_the_service_would_refuse_fails_the_execution(expression: str) -> None:
    done = run(machine({"Compute": {"Type": "Pass", "Output": f"{{% {expression} %}}", "End": True}}), {}, {})

    assert (done.status, done.error) == ("FAILED", "States.QueryEvaluationError")


def test_waits_take_no_time_and_are_told() -> None:
    states = {"Pause": {"Type": "Wait", "Seconds": "{% 60 * 60 %}", "Next": "Done"}, "Done": {"Type": "Succeed"}}

    done = run(machine(states), {"kept": 1}, {})

    assert (done.status, done.output, done.waits) == ("SUCCEEDED", {"kept": 1}, [3600])


def test_a_map_calls_its_fake_once_per_item() -> None:
    each = machine({"Double": task(Arguments="{% $states.input %}")})
    states = {"ForEach": {"Type": "Map", "Items": "{% $states.input %}", "ItemProcessor": each, "End": True}}
    del each["QueryLanguage"]

    done = run(machine(states), [1, 2, 3], {"Double": lambda n: 2 * n})

    assert (done.status, done.output) == ("SUCCEEDED", [2, 4, 6])


def test_variables_live_across_states_in_jsonpath_machines_too() -> None:
    definition = {
        "StartAt": "Keep",
        "States": {
            "Keep": {"Type": "Pass", "Assign": {"kept.$": "$.name"}, "Next": "Use"},
            "Use": {"Type": "Pass", "Parameters": {"name.$": "$kept"}, "End": True},
        },
    }

    done = run(definition, {"name": 'a "quoted" one'}, {})

    assert done.output == {"name": 'a "quoted" one'}


def test_a_task_without_a_fake_is_an_error_of_the_test_even_where_a_catch_would_hide_it() -> None:
    catch = [{"ErrorEquals": ["States.ALL"], "Next": "Done"}]
    states = {"Forgotten": task(Catch=catch, Next="Done"), "Done": {"Type": "Succeed"}}

    with pytest.raises(LookupError, match="Forgotten"):
        run(machine(states), {}, {})


def test_a_rejected_definition_leaves_nothing_behind() -> None:
    with pytest.raises(ValueError, match="not valid"):
        run(machine({"Bad": {"Type": "Map", "ItemsPath": "$", "End": True}}), {}, {})

    done = run({"StartAt": "Ok", "States": {"Ok": {"Type": "Pass", "InputPath": "$.a", "End": True}}}, {"a": 1}, {})

    assert (done.status, done.output) == ("SUCCEEDED", 1)
