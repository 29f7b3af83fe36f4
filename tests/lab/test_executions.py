"""Executions behave as the service's: nested, stopped, started by version and alias, failing with its error names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from harness import eventually

from lab.lifecycle import ask
from lab.place import Running

if TYPE_CHECKING:
    from harness import LabInProcess

ROLE = "arn:aws:iam::123456789012:role/machine"


@pytest.fixture(scope="module", autouse=True)
def _role(lab: LabInProcess) -> None:
    lab.aws("iam").create_role(RoleName="machine", AssumeRolePolicyDocument="{}")


def machine(lab: LabInProcess, name: str, states: dict[str, Any], **options: Any) -> dict[str, Any]:
    definition = {"QueryLanguage": "JSONata", "StartAt": next(iter(states)), "States": states}
    sfn = lab.aws("stepfunctions")
    return dict(sfn.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE, **options))


def started(lab: LabInProcess, arn: str, given: Any = None) -> str:
    answer = lab.aws("stepfunctions").start_execution(stateMachineArn=arn, input=json.dumps(given or {}))
    return str(answer["executionArn"])


def ended(lab: LabInProcess, execution: str) -> dict[str, Any]:
    def look() -> Any:
        seen = lab.aws("stepfunctions").describe_execution(executionArn=execution)
        return seen if seen["status"] != "RUNNING" else None

    return dict(eventually(look))


def test_a_machine_waits_for_another_and_gets_its_output(lab: LabInProcess) -> None:
    child = machine(lab, "child", {"Double": {"Type": "Pass", "Output": "{% $states.input.n * 2 %}", "End": True}})
    call = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Arguments": {"StateMachineArn": child["stateMachineArn"], "Input": {"n": 21}},
        "Output": "{% $states.result.Output %}",
        "End": True,
    }
    parent = machine(lab, "parent", {"Ask": call})

    done = ended(lab, started(lab, parent["stateMachineArn"]))

    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", 42)


def test_executions_without_a_name_get_one_each(lab: LabInProcess) -> None:
    arn = machine(lab, "nameless", {"Done": {"Type": "Succeed"}})["stateMachineArn"]

    first, second = started(lab, arn), started(lab, arn)

    assert first != second
    assert ended(lab, first)["status"] == ended(lab, second)["status"] == "SUCCEEDED"


def test_a_stopped_execution_is_aborted(lab: LabInProcess) -> None:
    states = {"Pause": {"Type": "Wait", "Seconds": 86400, "Next": "Done"}, "Done": {"Type": "Succeed"}}
    execution = started(lab, machine(lab, "sleeping", states)["stateMachineArn"])
    eventually(lambda: len(lab.aws("stepfunctions").get_execution_history(executionArn=execution)["events"]) > 1)

    lab.aws("stepfunctions").stop_execution(executionArn=execution)

    assert ended(lab, execution)["status"] == "ABORTED"


def test_an_alias_starts_the_version_that_it_points_to(lab: LabInProcess) -> None:
    sfn = lab.aws("stepfunctions")
    one = machine(lab, "versioned", {"Say": {"Type": "Pass", "Output": "{% 'one' %}", "End": True}}, publish=True)
    arn, version = one["stateMachineArn"], one["stateMachineVersionArn"]
    route = [{"stateMachineVersionArn": version, "weight": 100}]
    alias = sfn.create_state_machine_alias(name="live", routingConfiguration=route)["stateMachineAliasArn"]
    changed = {
        "QueryLanguage": "JSONata",
        "StartAt": "Say",
        "States": {"Say": {"Type": "Pass", "Output": "two", "End": True}},
    }
    sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(changed))

    outputs = [ended(lab, started(lab, one))["output"] for one in (arn, version, alias)]

    assert [output.strip('"') for output in outputs] == ["two", "one", "one"]


def test_a_refusal_that_was_asked_for_has_the_services_error_name(lab: LabInProcess) -> None:
    put = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Arguments": {"Bucket": "refused", "Key": "k", "Body": {}},
        "End": True,
    }
    arn = machine(lab, "refused", {"Put": put})["stateMachineArn"]
    port = int(lab.endpoint.rsplit(":", 1)[1])
    fault = {"kind": "access-denied", "service": "s3", "operation": "PutObject", "caller": "role/machine", "times": 1}
    ask(Running(0, "", port, ""), "POST", "faults", fault)

    done = ended(lab, started(lab, arn))

    assert (done["status"], done["error"]) == ("FAILED", "S3.AccessDeniedException")
    assert "Status Code: 403" in done["cause"]
    [record] = [one for one in lab.records() if one.fault and one.caller == ROLE]
    assert (record.caller, record.operation, record.error) == (ROLE, "PutObject", "AccessDenied")


def test_a_topic_calls_its_function(lab: LabInProcess) -> None:
    lab.runner.behaviours["hear"] = lambda event: event["Records"][0]["Sns"]["Message"]
    arn = lab.aws("lambda").create_function(
        FunctionName="hear",
        Role=ROLE,
        PackageType="Image",
        Code={"ImageUri": "images/test:1"},
        ImageConfig={"Command": ["hear"]},
    )["FunctionArn"]
    topic = lab.aws("sns").create_topic(Name="news")["TopicArn"]
    lab.aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=arn)

    lab.aws("sns").publish(TopicArn=topic, Message="hello")

    eventually(lambda: [event["Records"][0]["Sns"]["Message"] for event in lab.runner.events_of("hear")] == ["hello"])
