"""A clone that took over gives back what it took: asked for, approved, and made with the way there open."""

from tests.workflows.machine import Scenario

_CONDITIONS = [
    {"name": "caught-up", "holds": True, "reason": "the target reached the source's position 2 ms after it was read"}
]
_CHECKED = {"conditions": _CONDITIONS, "holds": True, "state": "ready"}
_RECORD = {
    "direction": "back",
    "result": "over",
    "position": "mysql-bin-changelog.000007:4711",
    "back_from": "mysql-bin-changelog.000002:154",
    "steps": [{"step": "fenced", "at_ms": 0.4}, {"step": "opened", "at_ms": 20.6}],
}
_WAY_BACK = {"state": "following", "from": "mysql-bin-changelog.000002:154", "left": []}

SCENARIO = Scenario(
    given={
        "schema": "kuroshio.cut-over-request/1",
        "source": "shop",
        "clone": "shop-next",
        "name": {"kind": "cluster"},
        "deadline_s": 600,
    },
    answers={
        "ProveConditions": {"Payload": _CHECKED},
        "AskApproval": {"approved": True},
        "ProveAgain": {"Payload": _CHECKED},
        "CutBack": {"Payload": _RECORD},
        "FinishOrUndo": {"Payload": _RECORD},
        "SetUpWayBack": {"Payload": _WAY_BACK},
    },
    output={**_RECORD, "way_back": _WAY_BACK},
    path=["ProveConditions", "WhatNow", "AskApproval", "ProveAgain", "CutBack", "SetUpWayBack", "TookOver"],
    detours={"FinishOrUndo": {"CutBack": "Sandbox.Timedout"}},
)
