"""Events travel in the lab as they do on AWS: through rules, queues, topics, retries and dead-letter queues."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness import LabInProcess, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STACK = Path(__file__).parent / "stacks" / "events.yaml"


@pytest.fixture(scope="module")
def stack(lab: LabInProcess) -> Iterator[dict[str, str]]:
    lab.runner.behaviours |= {"greet": lambda event: {"hello": event["name"]}, "witness": lambda _: None}
    yield lab.deploy("events", STACK.read_text())
    lab.delete("events")


TAKEN: dict[str, list[dict[str, Any]]] = {}  # by queue: what one test takes off it another may wait for


def receive(lab: LabInProcess, url: str, is_meant: Callable[[Any], bool]) -> dict[str, Any]:
    """Take messages off the queue until the one that is meant, by its body."""
    taken = TAKEN.setdefault(url, [])

    def look() -> Any:
        for message in lab.aws("sqs").receive_message(QueueUrl=url, MessageAttributeNames=["All"]).get("Messages", []):
            lab.aws("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            taken.append(message)
        return next((message for message in taken if is_meant(parsed(message["Body"]))), None)

    return dict(eventually(look))


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def execution(lab: LabInProcess, stack: dict[str, str], given: Any) -> dict[str, Any]:
    sfn = lab.aws("stepfunctions")
    arn = sfn.start_execution(stateMachineArn=stack["Machine"], input=json.dumps(given))["executionArn"]

    def ended() -> Any:
        seen = sfn.describe_execution(executionArn=arn)
        return seen if seen["status"] != "RUNNING" else None

    return dict(eventually(ended))


def test_an_execution_invokes_the_function_behind_the_alias_waits_and_writes_with_its_own_role(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    done = execution(lab, stack, {"name": 'a "quoted" one'})

    assert (done["status"], json.loads(done["output"])) == ("SUCCEEDED", {"hello": 'a "quoted" one'})
    function = next(version for version, _, _ in lab.runner.seen if version.command == ("greet",))
    assert (function.version, function.environment["BUCKET"]) == ("1", stack["Bucket"])
    body = lab.aws("s3").get_object(Bucket=stack["Bucket"], Key="greeting.json")["Body"].read()
    assert json.loads(body) == {"hello": 'a "quoted" one'}
    mine = {(r.service, r.operation) for r in lab.records() if r.caller == stack["MachineRole"]}
    assert {("lambda", "Invoke"), ("s3", "PutObject")} <= mine


def test_a_functions_error_fails_the_execution_under_its_class_name_and_the_status_event_says_so(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    done = execution(lab, stack, {"nameless": True})

    assert (done["status"], done["error"]) == ("FAILED", "KeyError")

    def told() -> Any:
        return next((e for e in lab.runner.events_of("witness") if e["executionArn"] == done["executionArn"]), None)

    event = eventually(told)
    assert (event["status"], event["error"], event["redriveStatus"]) == ("FAILED", "KeyError", "REDRIVABLE")
    assert json.loads(event["input"]) == {"nameless": True}
    assert event["stopDate"] >= event["startDate"]


def test_an_upload_reaches_rules_with_transformed_and_constant_inputs(lab: LabInProcess, stack: dict[str, str]) -> None:
    lab.aws("s3").put_object(Bucket=stack["Bucket"], Key='odd "name".txt', Body=b"")

    wanted = {"uploaded": 'odd "name".txt', "said": 'it is odd "name".txt'}
    assert receive(lab, stack["Seen"], lambda body: body == wanted)
    assert receive(lab, stack["Seen"], lambda body: body.get("Message") == '"a constant"')


def test_an_event_starts_a_machine_and_a_target_that_is_gone_goes_to_its_dead_letter_queue(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    entry = {"Source": "test", "DetailType": "asked", "Detail": json.dumps({"name": "rule"})}
    lab.aws("events").put_events(Entries=[entry])

    eventually(lambda: {"name": "rule"} in lab.runner.events_of("greet"))
    message = receive(lab, stack["DeadLetters"], lambda body: isinstance(body, dict) and body.get("source") == "test")
    attributes = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
    assert attributes["ERROR_CODE"] == "ResourceNotFoundException"
    assert attributes["TARGET_ARN"].endswith(":function:nobody")
    assert json.loads(message["Body"])["detail"] == {"name": "rule"}


def test_only_the_failed_messages_of_a_batch_come_back_and_then_go_to_the_dead_letter_queue(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    def consume(event: Any) -> Any:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in bad]}

    lab.runner.behaviours["consume"] = consume
    for body in ("good", "bad"):
        lab.aws("sqs").send_message(QueueUrl=stack["Work"], MessageBody=body)

    receive(lab, stack["DeadLetters"], lambda body: body == "bad")

    bodies = [record["body"] for event in lab.runner.events_of("consume") for record in event["Records"]]
    assert (bodies.count("good"), bodies.count("bad")) == (1, 2)


def test_an_asynchronous_invocation_is_tried_three_times_and_then_leaves_a_dead_letter(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    def fail(_event: Any) -> Any:
        raise ValueError("never")

    lab.runner.behaviours["flaky"] = fail
    answer = lab.aws("lambda").invoke(FunctionName=stack["Flaky"], InvocationType="Event", Payload=b'{"try": 1}')

    message = receive(lab, stack["DeadLetters"], lambda body: body == {"try": 1})
    assert answer["StatusCode"] == 202
    assert lab.runner.events_of("flaky") == [{"try": 1}] * 3
    assert message["MessageAttributes"]["ErrorMessage"]["StringValue"] == "never"


def test_what_a_function_writes_is_in_its_log_group_between_start_and_end(
    lab: LabInProcess, stack: dict[str, str]
) -> None:
    lab.aws("lambda").invoke(FunctionName=stack["Greet"], Payload=b'{"name": "log"}')

    events = lab.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{stack['Greet']}")["events"]
    lines = [event["message"].split(" ")[0] for event in events]
    assert lines[:4] == ["START", "it", "END", "REPORT"]
