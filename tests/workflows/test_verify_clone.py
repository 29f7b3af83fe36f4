"""verify_clone and repair_clone off their happy paths."""

from __future__ import annotations

from typing import Any

import pytest

from lab import moto_engine
from tests.workflows.machine import definition, scenario
from tests.workflows.scenarios.verify_clone import ITEM

SCENE = scenario("verify_clone")
PLAN = SCENE.answers["PlanVerification"]["Payload"]


def run(items: list[Any], compare: Any, **plan: Any) -> tuple[moto_engine.Execution, dict[str, list[Any]]]:
    given: dict[str, list[Any]] = {}

    def fake(state: str, answer: Any) -> Any:
        def answered(arguments: Any) -> Any:
            given.setdefault(state, []).append(arguments)
            return answer(arguments) if callable(answer) else answer

        return answered

    answers = {
        **SCENE.answers,
        "PlanVerification": {"Payload": {**PLAN, "items": len(items), **plan}},
        "CompareItemsItemReader": items,
        "CompareItem": compare,
    }
    fakes = {state: fake(state, answer) for state, answer in answers.items()}
    return moto_engine.run(definition("verify_clone"), SCENE.given, fakes), given


def answer(item: Any, turn: int, *, done: bool) -> dict[str, Any]:
    return {"Payload": {"item": item, "turn": turn + 1, "rows": 1, "findings": 0, "done": done}}


def test_every_item_is_compared_with_the_request_and_the_run_of_the_whole() -> None:
    items = [{"item": number, "parts": ITEM["parts"]} for number in range(7)]
    done, given = run(items, lambda arguments: answer(arguments["Payload"]["item"], 0, done=True))
    assert done.output == SCENE.output
    assert given["CompareItemsItemReader"] == [{"Bucket": PLAN["bucket"], "Key": PLAN["key"]}]
    payloads = [each["Payload"] for each in given["CompareItem"]]
    assert sorted(each["item"]["item"] for each in payloads) == list(range(7))
    assert {each["run"] for each in payloads} == {given["ConcludeVerification"][0]["Payload"]["run"]}
    assert all(each["request"] == SCENE.given["request"] and each["turn"] == 0 for each in payloads)


def test_an_item_has_as_many_turns_as_it_takes() -> None:
    def compare(arguments: Any) -> Any:
        payload = arguments["Payload"]
        return answer({"item": 0, "parts": [{"left": payload["turn"]}]}, payload["turn"], done=payload["turn"] == 3)

    done, given = run([ITEM], compare)
    assert done.status == "SUCCEEDED"
    payloads = [each["Payload"] for each in given["CompareItem"]]
    assert [(each["turn"], each["item"]["parts"]) for each in payloads] == [
        (0, ITEM["parts"]),
        (1, [{"left": 0}]),
        (2, [{"left": 1}]),
        (3, [{"left": 2}]),
    ]


def test_an_item_that_fails_stops_nobody_and_is_left_to_the_conclusion() -> None:
    def compare(arguments: Any) -> Any:
        item = arguments["Payload"]["item"]
        if item["item"] == 1:
            raise moto_engine.TaskFailed("AccessRefused", "no longer")
        return answer(item, 0, done=True)

    done, given = run([{**ITEM, "item": number} for number in range(3)], compare)
    assert (done.status, len(given["CompareItem"]), len(given["ConcludeVerification"])) == ("SUCCEEDED", 3, 1)


def test_without_work_nobody_is_asked_to_compare() -> None:
    done, given = run([], {})
    assert (done.status, "CompareItem" in given) == ("SUCCEEDED", False)
    assert done.path == ["PlanVerification", "IsThereWork", "ConcludeVerification", "Verified"]


@pytest.mark.parametrize(
    ("tolerated", "status"),
    [
        ({}, "FAILED"),
        ({"ToleratedFailureCount": 1}, "FAILED"),
        ({"ToleratedFailureCount": 2}, "SUCCEEDED"),
        ({"ToleratedFailurePercentage": "{% 30 %}"}, "FAILED"),
        ({"ToleratedFailurePercentage": "{% 50 %}"}, "SUCCEEDED"),
        ({"ToleratedFailureCount": 1, "ToleratedFailurePercentage": "{% 50 %}"}, "FAILED"),
    ],
)
def test_the_engine_lets_a_map_fail_by_more_failures_than_it_tolerates(tolerated: dict[str, int], status: str) -> None:
    machine = definition("verify_clone")
    state = machine["States"]["CompareItems"]
    machine["States"] = {"CompareItems": {**state, "End": True, "MaxConcurrency": 2}}
    machine["StartAt"] = "CompareItems"
    for name in ("ToleratedFailurePercentage", "Catch", "Next"):
        del machine["States"]["CompareItems"][name]
    machine["States"]["CompareItems"] |= tolerated
    machine["States"]["CompareItems"]["ItemReader"]["Arguments"] = {"Bucket": "b", "Key": "k"}
    machine["States"]["CompareItems"]["ItemSelector"]["request"] = "r"

    def compare(arguments: Any) -> Any:
        if arguments["Payload"]["item"] < 2:
            raise moto_engine.TaskFailed("AccessRefused")
        return answer(0, 0, done=True)

    done = moto_engine.run(machine, {}, {"CompareItemsItemReader": lambda _: [0, 1, 2, 3], "CompareItem": compare})
    assert (done.status, done.error) == (
        status,
        "States.ExceedToleratedFailureThreshold" if status == "FAILED" else None,
    )


def test_nothing_that_differs_needs_no_approval() -> None:
    scene = scenario("repair_clone")
    asked = {"Payload": {**scene.answers["DescribeRepair"]["Payload"], "rows": 0}}
    done = moto_engine.run(definition("repair_clone"), scene.given, {"DescribeRepair": lambda _: asked})
    assert (done.status, done.output) == ("SUCCEEDED", {"repaired": 0})


@pytest.mark.parametrize("error", ["States.Timeout", "ApprovalRejected"])
def test_who_does_not_agree_has_nothing_written(error: str) -> None:
    scene = scenario("repair_clone")

    def refuse(_: Any) -> Any:
        raise moto_engine.TaskFailed(error, "no")

    fakes = {"DescribeRepair": lambda _: scene.answers["DescribeRepair"], "ApproveRepair": refuse}
    done = moto_engine.run(definition("repair_clone"), scene.given, fakes)
    assert (done.status, done.error) == ("FAILED", "ApprovalRejected")


def test_a_repair_goes_on_from_turn_to_turn() -> None:
    scene, turns = scenario("repair_clone"), []

    def repair(arguments: Any) -> Any:
        turns.append(arguments["Payload"]["repaired"])
        return {"Payload": {"repaired": turns[-1] + 50, "refused": [], "done": len(turns) == 3}}

    fakes: dict[str, Any] = {state: lambda _, answer=answer: answer for state, answer in scene.answers.items()}
    done = moto_engine.run(definition("repair_clone"), scene.given, {**fakes, "RepairRows": repair})
    assert (done.output["repaired"], turns) == (150, [0, 50, 100])
