"""What the way of a clone depends on: what is asked of whom, what is waited for, and what is noted where it ends."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.workflows.machine import Stage, Turns, Variant
from tests.workflows.scenarios.replicate_cluster import OFF, PROVEN, REQUEST, SKIPPED, TROUBLE, UPGRADE, says, watched


def texts(values: dict[str, Any], name: str) -> Any:
    return values[":" + name].get("S", values[":" + name].get("L"))


def noted(stage: Stage) -> dict[str, Any]:
    """What was written of the clone's state when the run failed."""
    [given] = stage.given["NoteFailure"]
    update, put = given["TransactItems"]
    values = update["Update"]["ExpressionAttributeValues"]
    assert update["Update"]["ConditionExpression"] == "#run = :run"
    assert put["Put"]["Item"]["sk"]["S"].startswith("event#20")
    return {name: texts(values, name) for name in ("phase", "error", "cause", "left")}


def test_nothing_restarts_before_somebody_agreed_who_was_told_what_restarts() -> None:
    stage = Stage("replicate_cluster")
    done = stage.run(variant=Variant(OFF))
    [asked] = stage.given["ApproveReboot"]
    item = asked["Item"]
    assert done.path[3:10] == [
        "TurnBinlogOn",
        "RebootNeeded",
        "ApproveReboot",
        "Reboot",
        "AwaitBinlog",
        "BinlogIsOn",
        "CreateAccount",
    ]
    assert (item["pk"]["S"], item["sk"]["S"], item["name"]["S"]) == ("aurora#shop-next", "approval#reboot", "reboot")
    assert "shop-1, shop-2" in item["asked"]["L"][0]["S"]
    assert item["token"]["S"]
    assert item["asked_at"]["S"].startswith("20")


@pytest.mark.parametrize("error", ["ApprovalRejected", "States.Timeout"])
def test_where_nobody_agrees_nothing_restarts(error: str) -> None:
    stage = Stage("replicate_cluster")
    done = stage.run({"ApproveReboot": (error, math.inf)}, variant=Variant(OFF))
    assert (done.status, done.error) == ("FAILED", "ApprovalRejected")
    assert stage.calls("Reboot") == 0
    assert noted(stage)["phase"] == "failed"


def test_a_binlog_that_is_on_by_now_needs_nobody() -> None:
    stage = Stage("replicate_cluster")
    assert stage.run(variant=Variant({**OFF, "TurnBinlogOn": says(state="on")})).status == "SUCCEEDED"
    assert stage.calls("ApproveReboot") == 0


@pytest.mark.parametrize(
    ("state", "first", "wait"),
    [
        ("AwaitCluster", says(ready=False, status="creating"), "WaitForCluster"),
        ("AwaitInstance", says(ready=False, status="creating"), "WaitForInstance"),
        ("Seed", says(told=False, position=""), "WaitForSeed"),
        ("Watch", watched("following", wait_s=7), "WaitToWatch"),
        ("Watch", watched("stalled", wait_s=7), "WaitToWatch"),
        ("Watch", watched("reconnecting", wait_s=7), "WaitToWatch"),
    ],
)
def test_what_takes_its_time_is_waited_for_and_asked_again(state: str, first: dict[str, Any], wait: str) -> None:
    stage = Stage("replicate_cluster")
    last = watched("caught-up") if state == "Watch" else says(ready=True, told=True, status="available")
    done = stage.run(variant=Variant({state: Turns((first, first, last))}))
    assert (done.status, stage.calls(state), done.path.count(wait)) == ("SUCCEEDED", 3, 2)
    assert done.waits == ([7, 7] if state == "Watch" else [1, 1])


def test_an_error_that_the_request_lets_pass_is_skipped_and_watched_on() -> None:
    stage = Stage("replicate_cluster")
    done = stage.run(variant=Variant(SKIPPED))
    assert (done.status, stage.calls("Skip"), stage.calls("Watch")) == ("SUCCEEDED", 1, 2)


@pytest.mark.parametrize("state", ["broken", "stopped", "detached"])
def test_what_does_not_mend_itself_ends_the_run_with_its_own_words_and_leaves_the_clone(state: str) -> None:
    stage = Stage("replicate_cluster")
    broken = watched(state, trouble=TROUBLE, reason="a change cannot be applied (1062): Duplicate entry '7'")
    done = stage.run(variant=Variant({"Watch": broken}))
    assert (done.status, done.error) == ("FAILED", "ReplicationBroken")
    assert "Duplicate entry '7'" in str(done.cause)
    assert (stage.calls("Skip"), stage.calls("Verify")) == (0, 0)
    assert [each["S"] for each in noted(stage)["left"]] == [
        "the replication account and its secret",
        "the binlog retention of the source is raised",
        "the clone",
    ]


def test_a_clone_that_differs_is_never_called_ready() -> None:
    stage = Stage("replicate_cluster")
    done = stage.run(variant=Variant({"Verify": {"Output": {**PROVEN, "equal": False, "differences": 3}}}))
    assert (done.status, done.error, stage.calls("NoteReady")) == ("FAILED", "CloneDiffers", 0)
    assert "3 rows of shop-next differ from shop" in noted(stage)["cause"]


def test_an_upgrade_stops_following_first_and_is_followed_by_another_proof() -> None:
    stage = Stage("replicate_cluster")
    under_way = says(status="available", version="8.0.mysql_aurora.3.05.0")
    answers = {"Upgrade": Turns((under_way, UPGRADE["answers"]["Upgrade"]))}
    done = stage.run(variant=Variant(answers, UPGRADE["given"]))
    assert done.status == "SUCCEEDED"
    assert done.path[done.path.index("Verified") : -2] == [
        "Verified",
        "StopForUpgrade",
        "Upgrade",
        "UpgradeIsDone",
        "WaitForUpgrade",
        "Upgrade",
        "UpgradeIsDone",
        "Start",
        "Watch",
        "AfterWatch",
        "Verify",
        "Verified",
    ]


def test_the_words_of_a_function_are_noted_without_what_lambda_puts_around_them() -> None:
    stage = Stage("replicate_cluster")
    done = stage.run({"Seed": ("SeedRefused", math.inf)})
    assert noted(stage)["error"] == "SeedRefused"
    assert noted(stage)["cause"] == "Seed was told to fail"
    assert json.loads(str(done.cause))["errorType"] == "SeedRefused"


def test_a_request_that_names_no_clone_fails_with_what_is_wrong_about_it() -> None:
    done = Stage("replicate_cluster").run({"Preflight": ("InvalidRequest", math.inf)}, given={"schema": "x"})
    assert (done.status, done.error) == ("FAILED", "InvalidRequest")


def test_each_step_is_told_the_request_and_the_run() -> None:
    stage = Stage("replicate_cluster")
    stage.run()
    payloads = [given["Payload"] for state in stage.given for given in stage.given[state] if "Payload" in given]
    assert len(payloads) == 11
    assert all(each["request"] == REQUEST and each["run"].endswith(":test") for each in payloads)
    assert payloads[0]["by"] == REQUEST["by"]


def test_an_unknown_clone_is_removed_without_stopping_anybody() -> None:
    stage = Stage("remove_clone")
    turns = Turns((says(gone=False, left=[]), says(gone=True, left=[])))
    done = stage.run(variant=Variant({"ReadState": {}, "Remove": turns, "Restore": says(left=[])}))
    assert (done.status, done.output) == ("SUCCEEDED", {"clone": "shop-next", "left": []})
    assert (stage.calls("StopWorker"), stage.calls("Remove"), done.waits) == (0, 2, [1])


def test_a_clone_that_fails_is_no_other_clones_trouble() -> None:
    stage = Stage("watch_clones")
    two = says(clones=[{"request": {**REQUEST, "clone": name}, "due": ""} for name in ("a", "b")])
    done = stage.run({"Watch": ("AccessRefused", 1)}, variant=Variant({"ListClones": two}))
    assert done.status == "SUCCEEDED"
    assert sorted(each["state"] for each in done.output) == ["AccessRefused", "caught-up"]


def test_what_is_broken_is_not_compared() -> None:
    stage = Stage("watch_clones")
    done = stage.run(variant=Variant({"Watch": watched("broken", trouble=TROUBLE)}))
    assert (done.status, stage.calls("StartVerification"), stage.calls("Skip")) == ("SUCCEEDED", 0, 0)
