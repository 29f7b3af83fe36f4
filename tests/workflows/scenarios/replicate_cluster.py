"""A source that writes its binlog already; every function answers at once."""

from typing import Any

from tests.workflows.machine import Scenario, Turns, Variant

REQUEST = {
    "schema": "kuroshio.replicate-request/1",
    "source": "shop",
    "clone": "shop-next",
    "by": "arn:aws:iam::123456789012:user/mika",
}


def says(**answer: Any) -> dict[str, Any]:
    return {"Payload": answer}


def watched(state: str, **more: Any) -> dict[str, Any]:
    answer = {"state": state, "behind_bytes": 0, "reason": "as it is", "trouble": None, "may_skip": False, "wait_s": 3}
    return says(**{**answer, **more})


TROUBLE = {"number": 1062, "message": "Duplicate entry '7' for key 'PRIMARY'", "of_apply": True}
PROVEN = {"equal": True, "differences": 0, "unsettled": 0, "verification": "2026-11-21T04:00:00+00:00"}
OFF = {
    "Preflight": says(findings=[], binlog="off"),
    "TurnBinlogOn": says(state="reboot", group="shop", instances=["shop-1", "shop-2"]),
}
UPGRADE = {
    "given": {"upgrade_to": "8.0.mysql_aurora.3.08.0"},
    "answers": {"Upgrade": says(status="available", version="8.0.mysql_aurora.3.08.0")},
}
SKIPPED = {"Watch": Turns((watched("broken", trouble=TROUBLE, may_skip=True), watched("caught-up")))}

SCENARIO = Scenario(
    given=REQUEST,
    answers={
        "Preflight": says(findings=[], binlog="on"),
        "TurnBinlogOn": says(state="on"),
        "ApproveReboot": {"approved": True, "by": "mika"},
        "Reboot": says(rebooting=["shop-1"]),
        "AwaitBinlog": says(state="on"),
        "CreateAccount": says(secret="arn:aws:secretsmanager:x:1:secret:kuroshio/dev/aurora/shop-next", user="kuroshio_1"),
        "KeepBinlog": says(hours=72, before=None),
        "Clone": says(status="creating"),
        "AwaitCluster": says(ready=True, status="available"),
        "CreateInstance": says(status="creating"),
        "AwaitInstance": says(ready=True, status="available"),
        "Seed": says(told=True, position="mysql-bin-changelog.000007:4711"),
        "Configure": says(),
        "Start": says(),
        "Watch": watched("caught-up"),
        "Skip": says(skipped=1),
        "Verify": {"Output": PROVEN, "Status": "SUCCEEDED"},
        "StopForUpgrade": says(),
        "Upgrade": says(status="upgrading", version="8.0.mysql_aurora.3.05.0"),
        "NoteReady": {},
        "NoteFailure": {},
    },
    output={"clone": "shop-next", "source": "shop", "verification": "2026-11-21T04:00:00+00:00"},
    path=[
        "Begin", "Preflight", "BinlogNeeded", "CreateAccount", "KeepBinlog", "Clone", "AwaitCluster", "ClusterIsReady",
        "CreateInstance", "AwaitInstance", "InstanceIsReady", "Seed", "SeedIsTold", "Configure", "Start", "Watch",
        "AfterWatch", "Verify", "Verified", "NoteReady", "Ready",
    ],
    detours={"NoteFailure": {"Preflight": "PreflightRefused"}},
    variants={
        **{state: Variant(OFF) for state in ("TurnBinlogOn", "ApproveReboot", "Reboot", "AwaitBinlog")},
        "Skip": Variant(SKIPPED),
        **{state: Variant(**UPGRADE) for state in ("StopForUpgrade", "Upgrade")},
    },
)  # fmt: skip
