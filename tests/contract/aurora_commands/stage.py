"""What the tests of `kuroshio aurora` stand on: stacks whose machines all do the same, and a ledger in moto's DynamoDB."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3

from kuroshio.aurora.records import Phase
from kuroshio.cli import main
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.adapters.aurora_ledger import AuroraLedger

TABLE = "ledger"
MACHINES = ("ReplicateCluster", "VerifyClone", "CutOver", "CutBack", "RemoveClone", "RepairClone")


@cache
def deployed(environment: str) -> dict[str, str]:
    """The stack of an environment whose machines all do the same. Returns their ARNs."""
    role, definition = "arn:aws:iam::123456789012:role/any", json.dumps(DEFINITIONS[environment])
    made = {
        name: boto3.client("stepfunctions").create_state_machine(
            name=f"{environment}-{name}", definition=definition, roleArn=role
        )["stateMachineArn"]
        for name in MACHINES
    }
    template = {
        "Resources": {"Any": {"Type": "AWS::SQS::Queue"}},
        "Outputs": {f"{name}WorkflowArn": {"Value": arn} for name, arn in made.items()},
    }
    stack = f"kuroshio-aurora-{environment}"
    boto3.client("cloudformation").create_stack(StackName=stack, TemplateBody=json.dumps(template))
    return made


ASKED = "https://sqs.ap-northeast-1.amazonaws.com/123456789012/asked"
CONDITIONS = [
    {"name": "caught-up", "holds": True, "reason": "after 3 ms"},
    {"name": "accounts-equal", "holds": False, "accepted": True, "reason": "no batch@%"},
    {"name": "events-off", "holds": False, "reason": "its events would write"},
]
DEFINITIONS: dict[str, dict[str, Any]] = {
    "done": {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}},
    "fails": {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "SeedRefused", "Cause": "it was stale"}}},
    "waits": {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}},
    "takes": {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}},
    "leaves": {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": {"left": ["a group"]}, "End": True}}},
    "proves": {
        "StartAt": "Done",
        "States": {
            "Done": {"Type": "Pass", "Result": {"holds": False, "conditions": CONDITIONS}, "End": True},
        },
    },
    "maps": {
        "StartAt": "All",
        "States": {
            "All": {
                "Type": "Map",
                "ItemsPath": "$.items",
                "MaxConcurrency": 1,
                "ItemProcessor": {
                    "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
                    "StartAt": "Look",
                    "States": {"Look": {"Type": "Wait", "SecondsPath": "$", "End": True}},
                },
                "End": True,
            }
        },
    },
    "refuses": {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "CutOverRefused", "Cause": "events-off"}}},
    "asks": {
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "Parameters": {"QueueUrl": ASKED, "MessageBody": {"token.$": "$$.Task.Token"}},
                "End": True,
            }
        },
    },
}


def run(*arguments: str) -> int:
    if "--env" in arguments:
        deployed(arguments[arguments.index("--env") + 1])
    try:
        main(["aurora", *arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def begun(ledger: AuroraLedger, clone: str, phase: Phase = Phase.FOLLOWING, **more: Any) -> None:
    state = {
        "request": {**known.REQUEST, "clone": clone},
        "run": known.RUN,
        "started": known.at(0),
        "by": known.HARUKA,
        "source": "shop",
    }
    ledger.phase(clone, phase, datetime.now(UTC), **state, **more)


def look(ledger: AuroraLedger, clone: str, behind: int, **more: Any) -> None:
    ledger.note(clone, "lag", {"state": "following", "behind_bytes": behind, **more}, datetime.now(UTC))


def waiting_for(ledger: AuroraLedger, clone: str, name: str) -> str:
    """An execution that waits for an answer, and whose token is in the ledger. Returns its ARN."""
    machine = deployed("asks")["ReplicateCluster"]
    arn = boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name=f"{clone}-{name}", input="{}")[
        "executionArn"
    ]
    token = token_of_what_asks()
    asked = {"name": name, "asked": ["shop-1 restarts", "so does shop-2"], "run": arn, "token": token}
    ledger.put(clone, f"approval#{name}", {**asked, "asked_at": datetime.now(UTC).isoformat()})
    return arn


def token_of_what_asks() -> str:
    """The token of the execution that asked last."""
    found = eventually(lambda: boto3.client("sqs").receive_message(QueueUrl=ASKED).get("Messages"))
    boto3.client("sqs").delete_message(QueueUrl=ASKED, ReceiptHandle=found[0]["ReceiptHandle"])
    return str(json.loads(found[0]["Body"])["token"])


def ended(arn: str) -> dict[str, Any]:
    def found() -> dict[str, Any]:
        told = dict(boto3.client("stepfunctions").describe_execution(executionArn=arn))
        return told if told["status"] != "RUNNING" else {}

    return dict(eventually(found))


def eventually(look: Callable[[], Any]) -> Any:
    """The first true thing that ``look`` returns. Raises AssertionError after a minute without one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError("nothing came within a minute")


def inputs(environment: str, machine: str, clone: str) -> list[Any]:
    """What the executions about a clone were given."""
    sfn = boto3.client("stepfunctions")
    found = sfn.list_executions(stateMachineArn=deployed(environment)[machine])["executions"]
    given = [json.loads(sfn.describe_execution(executionArn=each["executionArn"])["input"]) for each in found]
    return [each for each in given if each.get("request", each)["clone"] == clone]


def asked(clone: str) -> str:
    """A file with a request."""
    Path("request.json").write_text(json.dumps({**known.REQUEST, "clone": clone}))
    return "request.json"
