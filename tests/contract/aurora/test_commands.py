"""`kuroshio aurora`, as a person and as a job use it: ledger and Step Functions are moto's, which executes machines."""

from __future__ import annotations

import itertools
import json
import time
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.aurora_ledger import AuroraLedger
from kuroshio.aurora.records import Phase
from kuroshio.cli import main
from tests.fakes import aurora_records as known

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "ledger"
MACHINES = ("ReplicateCluster", "VerifyClone", "CutOver", "CutBack", "RemoveClone", "RepairClone")
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """One for all tests, each with a clone of its own: clients and tables cost more than what is judged here."""
    with pytest.MonkeyPatch.context() as patch, mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        patch.setenv("KUROSHIO_LEDGER_TABLE", TABLE)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        aws.forget_clients()
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )
        deployed.cache_clear()
        yield
    aws.forget_clients()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clone() -> str:
    return f"shop-{next(_numbers)}"


@pytest.fixture(scope="module")
def ledger() -> AuroraLedger:
    return AuroraLedger(TABLE)


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
DEFINITIONS: dict[str, dict[str, Any]] = {
    "done": {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "End": True}}},
    "fails": {"StartAt": "No", "States": {"No": {"Type": "Fail", "Error": "SeedRefused", "Cause": "it was stale"}}},
    "waits": {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}},
    "takes": {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "End": True}}},
    "leaves": {"StartAt": "Done", "States": {"Done": {"Type": "Pass", "Result": {"left": ["a group"]}, "End": True}}},
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


# approve -------------------------------------------------------------------------------------------------------------------


def waiting_for(ledger: AuroraLedger, clone: str, name: str) -> str:
    """An execution that waits for an answer, and whose token is in the ledger. Returns its ARN."""
    queue = boto3.client("sqs").create_queue(QueueName="asked")["QueueUrl"]
    machine = deployed("asks")["ReplicateCluster"]
    arn = boto3.client("stepfunctions").start_execution(stateMachineArn=machine, name=f"{clone}-{name}", input="{}")[
        "executionArn"
    ]
    found: list[Any] = []
    while not found:
        found = boto3.client("sqs").receive_message(QueueUrl=queue).get("Messages", [])
    boto3.client("sqs").delete_message(QueueUrl=queue, ReceiptHandle=found[0]["ReceiptHandle"])
    token = json.loads(found[0]["Body"])["token"]
    asked = {"name": name, "asked": ["shop-1 restarts", "so does shop-2"], "run": arn, "token": token}
    ledger.put(clone, f"approval#{name}", {**asked, "asked_at": datetime.now(UTC).isoformat()})
    return arn


def ended(arn: str) -> dict[str, Any]:
    while (found := dict(boto3.client("stepfunctions").describe_execution(executionArn=arn)))["status"] == "RUNNING":
        time.sleep(0.01)
    return found


def test_an_approval_shows_what_is_asked_lets_the_run_go_on_and_notes_who_gave_it(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot", "--yes", "--reason", "agreed") == 0
    shown = capsys.readouterr()
    assert "  shop-1 restarts\n  so does shop-2\n" in shown.err
    assert shown.out.startswith("approved by arn:aws:sts::123456789012:")
    answer = json.loads(ended(arn)["output"])
    assert answer["approved"] is True
    kept = ledger.read(clone, "approval#reboot")
    assert kept is not None
    assert (kept["answer"], kept["by"], kept["reason"]) == ("approved", answer["by"], "agreed")
    assert "token" not in kept
    [event] = ledger.all(clone, "event#")
    assert (event["what"], event["by"]) == ("Approved: reboot", answer["by"])


def test_a_rejection_fails_the_run_with_an_error_of_ours_and_the_reason_is_kept(
    clone: str, ledger: AuroraLedger
) -> None:
    arn = waiting_for(ledger, clone, "cut-over")
    assert run("approve", clone, "cut-over", "--reject", "--reason", "not on a Friday", "--yes") == 0
    found = ended(arn)
    assert (found["status"], found["error"]) == ("FAILED", "ApprovalRejected")
    kept = ledger.read(clone, "approval#cut-over") or {}
    assert (kept["answer"], kept["reason"]) == ("rejected", "not on a Friday")


def test_without_a_person_at_the_terminal_nothing_is_answered(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot") == 3
    assert "nobody is there to ask; give --yes" in capsys.readouterr().err
    assert "answer" not in (ledger.read(clone, "approval#reboot") or {})


def test_what_was_answered_or_never_asked_is_told_as_such(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("approve", clone, "repair", "--yes") == 1
    assert "never asked for the approval repair" in capsys.readouterr().err
    waiting_for(ledger, clone, "reboot")
    assert run("approve", clone, "reboot", "--yes") == 0
    assert run("approve", clone, "reboot", "--yes") == 1
    assert f"reboot of {clone} was approved by arn:aws:sts" in capsys.readouterr().err


def test_a_token_of_a_run_that_has_ended_is_told_as_such(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    arn = waiting_for(ledger, clone, "reboot")
    asked = ledger.read(clone, "approval#reboot") or {}
    assert run("approve", clone, "reboot", "--yes") == 0
    ended(arn)
    ledger.put(clone, "approval#reboot", asked)
    assert run("approve", clone, "reboot", "--yes") == 1
    assert "NotFound: nobody waits for this answer any more" in capsys.readouterr().err
    assert "answer" not in (ledger.read(clone, "approval#reboot") or {})


# status --------------------------------------------------------------------------------------------------------------------


def test_status_shows_phase_lag_and_proof_and_ends_with_0_where_all_is_well(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    for behind in (8_000_000, 4_000_000, 1_000):
        look(ledger, clone, behind, behind_transactions=3, ready_in_s=12)
    ledger.put(clone, "verification#1", known.verification(9, "full"))
    assert run("status", clone) == 0
    shown = capsys.readouterr().out
    assert f"{clone}  a clone of shop" in shown
    assert "✓ following" in shown
    assert "● ready" in shown
    assert "1,000 B, 3 transactions behind; caught up in about 12.0 s" in shown
    assert "Proven equal: 0 differences, up to mysql-bin-changelog.000057:90210" in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("approval", "waits for approval: reboot"), ("failed", "SeedRefused: stale"), ("differs", "2 differences found"), ("broken", "broken: 1062")],
)  # fmt: skip
def test_what_needs_a_person_is_shown_and_is_exit_code_3(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str], trouble: str, said: str
) -> None:
    failed = {"phase": Phase.FAILED, "error": "SeedRefused", "cause": "stale"}
    begun(ledger, clone, **(failed if trouble == "failed" else {}))
    if trouble == "approval":
        ledger.put(clone, "approval#reboot", {"asked": ["x"], "asked_at": datetime.now(UTC).isoformat(), "token": "t"})
    if trouble == "differs":
        ledger.put(clone, "verification#1", known.verification(9, "full", differing=2))
    if trouble == "broken":
        ledger.note(clone, "lag", {"state": "broken", "behind_bytes": 7, "reason": "1062"}, datetime.now(UTC))
    assert run("status", clone) == 3
    assert said in capsys.readouterr().out
    assert run("status") == 3


def test_status_of_all_is_a_table_and_as_json_a_list(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    look(ledger, clone, 2_049 * 1_024)
    run("status")
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{clone} ")]
    assert "2 MiB" in line
    run("status", "--json")
    [found] = [each for each in json.loads(capsys.readouterr().out) if each["clone"] == clone]
    assert (found["clone"], found["source"], found["phase"], found["lag"]["behind_bytes"]) == (
        clone,
        "shop",
        "following",
        2_098_176,
    )
    assert run("status", "nobody") == 1
    assert "NotFound: the ledger knows no clone nobody" in capsys.readouterr().err


def test_a_watch_ends_with_the_clone(clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]) -> None:
    begun(ledger, clone, Phase.ABORTED)
    assert run("status", clone, "--watch") == 0
    assert f"{clone}: Given up and removed" in capsys.readouterr().err


# replicate -----------------------------------------------------------------------------------------------------------------


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


def test_asking_twice_for_the_same_is_one_run_with_the_whole_request_and_who_asked(
    clone: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    skipping = ("--skip", "1062", "--most-skips", "3", "--tag", "team=shop")
    again = ("replicate", "shop", clone, *skipping, "--no-watch", "--json", "--env", "waits")
    assert run(*again) == 0
    first = json.loads(capsys.readouterr().out)
    assert run(*again) == 0
    second = capsys.readouterr()
    assert json.loads(second.out) == first
    assert "this was asked before" in second.err
    [given] = inputs("waits", "ReplicateCluster", clone)
    assert given["schema"] == "kuroshio.replicate-request/1"
    assert given["errors"] == {"policy": "skip", "numbers": [1062], "most": 3}
    assert given["options"]["tags"] == {"team": "shop"}
    assert given["by"].startswith("arn:aws:sts::123456789012:")


def test_another_request_for_a_clone_that_is_there_is_refused_before_anything_is_started(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("replicate", "another", clone, "--no-watch", "--env", "waits") == 2
    assert f"InvalidRequest: {clone} is following by another request" in capsys.readouterr().err
    assert inputs("waits", "ReplicateCluster", clone) == []


def test_after_an_abort_the_same_request_is_a_new_run(clone: str, ledger: AuroraLedger) -> None:
    again = ("replicate", "--request", asked(clone), "--no-watch", "--env", "done")
    assert run(*again) == 0
    begun(ledger, clone, Phase.ABORTED)
    assert run(*again) == 0
    assert run(*again) == 0
    assert len(inputs("done", "ReplicateCluster", clone)) == 2


def test_a_run_that_fails_is_followed_to_its_error_and_the_next_try_is_another_run(
    clone: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("replicate", "shop", clone, "--env", "fails") == 1
    assert "SeedRefused: it was stale" in capsys.readouterr().err
    assert run("replicate", "shop", clone, "--env", "fails") == 1
    assert len(inputs("fails", "ReplicateCluster", clone)) == 2


def test_a_run_is_followed_to_its_end_with_its_lag_in_lines(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone, Phase.READY)
    look(ledger, clone, 77)
    assert run("replicate", "--request", asked(clone), "--json", "--env", "takes") == 0
    shown = capsys.readouterr()
    assert f"{clone}: Ready to take over | 77 B behind" in shown.err
    assert json.loads(shown.out)["phase"] == "ready"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("shop",), "name SOURCE and CLONE"),
        (("shop", "shop"), "clone is the name of the source"),
        (("shop", "Not A Name"), "clone is 'Not A Name'"),
        (("shop", "shop-next", "--skip", "1062"), "--skip needs --most-skips"),
        (("shop", "shop-next", "--tag", "team"), "--tag takes KEY=VALUE"),
        (("shop", "shop-next", "--retention-hours", "0"), "retention_hours is 0"),
        (("--request", "broken.json"), "broken.json is not JSON"),
    ],
)
def test_a_wrong_request_is_named_and_nothing_is_asked_of_aws(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("broken.json").write_text("{")
    assert run("replicate", *arguments) == 2
    assert said in capsys.readouterr().err


def test_where_nothing_is_deployed_it_says_so(clone: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("replicate", "shop", clone, "--no-watch") == 1
    assert "the stack kuroshio-aurora-dev does not exist" in capsys.readouterr().err


# verify, repair, abort -----------------------------------------------------------------------------------------------------


def test_a_comparison_is_started_with_the_request_of_the_clone_and_its_result_is_the_exit_code(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    ledger.put(clone, "verification#1", known.verification(9, "delta"))
    assert run("verify", clone, "--proof", "delta", "--env", "done") == 0
    assert f"{clone}: Proven equal: 0 differences (delta proof, 91,234 rows)" in capsys.readouterr().out
    [given] = inputs("done", "VerifyClone", clone)
    assert (given["request"]["clone"], given["proof"]) == (clone, "delta")
    ledger.put(clone, "verification#2", known.verification(10, "full", differing=2))
    assert run("verify", clone, "--env", "leaves", "--json") == 3
    assert json.loads(capsys.readouterr().out)["differences"] == 2


def test_a_repair_is_of_the_last_verification_and_never_begun_where_nobody_agreed(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("repair", clone, "--env", "done") == 1
    assert "was never compared" in capsys.readouterr().err
    last = known.verification(10, "full", differing=2)
    ledger.put(clone, "verification#1", last)
    assert run("repair", clone, "--env", "done") == 3
    assert inputs("done", "RepairClone", clone) == []
    assert run("repair", clone, "--env", "done", "--yes") == 3  # this one repairs nothing
    [given] = inputs("done", "RepairClone", clone)
    assert given["verification"] == last["began"]


def test_an_abort_says_what_goes_asks_and_lists_what_is_left(
    ledger: AuroraLedger, clone: str, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(ledger, clone)
    assert run("abort", clone, "--env", "leaves", "--dry-run") == 0
    assert run("abort", clone, "--env", "leaves") == 3
    assert "on shop the replication account" in capsys.readouterr().err
    assert inputs("leaves", "RemoveClone", clone) == []
    assert run("abort", clone, "--env", "leaves", "--yes") == 3
    assert f"{clone} is removed\n  left: a group\n" in capsys.readouterr().out
    [given] = inputs("leaves", "RemoveClone", clone)
    assert given["source"] == "shop"
    assert run("abort", f"{clone}-no", "--env", "leaves", "--yes") == 1


# report --------------------------------------------------------------------------------------------------------------------


def keep(ledger: AuroraLedger, clone: str) -> None:
    whole = known.whole()
    ledger.phase(clone, Phase.DONE, datetime.now(UTC), **{k: v for k, v in whole.state.items() if k != "phase"})
    ledger.put(clone, "preflight", whole.preflight)
    ledger.put(clone, "seed", whole.seed)
    for event in whole.events:
        ledger.note(clone, "event", event, datetime.fromisoformat(event["at"]))
    for lag in whole.lags[:50]:
        ledger.note(clone, "lag", lag, datetime.fromisoformat(lag["at"]))
    for kind in ("skips", "verifications", "cutovers"):
        for number, record in enumerate(getattr(whole, kind)):
            ledger.put(clone, f"{kind.removesuffix('s')}#{number}", record)
    for approval in whole.approvals:
        ledger.put(clone, f"approval#{approval['name']}", approval)


def test_a_report_of_what_dynamodb_kept_is_written_where_it_is_wanted(
    clone: str, ledger: AuroraLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(ledger, clone)
    assert run("report", clone) == 0
    assert capsys.readouterr().out.endswith(f"{clone}.html\n")
    page = Path(f"{clone}.html").read_text()
    for said in (
        "23.806 ms",
        "INSERT INTO `shop`.`log`",
        "kenji@example.com (operator)",
        "812,345,678 rows",
        "shop-old",
    ):
        assert said in page.replace("&#x27;", "'")
    assert run("report", clone, "-o", "a.md") == 0
    assert Path("a.md").read_text().startswith(f"# {clone}, a clone of shop\n")
    capsys.readouterr()
    assert run("report", clone, "-o", "-", "--format", "markdown") == 0
    assert capsys.readouterr().out.startswith(f"# {clone}, a clone of shop\n")


def test_a_report_of_a_clone_that_nobody_knows_is_refused(clone: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", "nobody") == 1
    assert "the ledger knows no clone nobody" in capsys.readouterr().err
    assert not Path("nobody.html").exists()
