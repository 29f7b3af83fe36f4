"""A clone with one item of work, which agrees."""

from tests.workflows.machine import Scenario

_REQUEST = {"schema": "kuroshio.replicate-request/1", "source": "shop", "clone": "shop-next"}
_PLAN = {
    "proof": "full",
    "reason": "the request says so",
    "since": "",
    "items": 1,
    "bucket": "plans",
    "key": "aurora/shop-next/verifications/test/1/items.json",
    "concurrency": 4,
}
ITEM = {"item": 0, "parts": [{"table": ["shop", "orders"], "rows": 1000}]}
_COMPARED = {"item": {"item": 0, "parts": []}, "turn": 1, "rows": 1000, "findings": 0, "done": True}
_VERDICT = {
    "equal": True,
    "differences": 0,
    "unsettled": 0,
    "unknown": 0,
    "rows": 1000,
    "proof": "full",
    "verification": "2026-11-21T09:00:00.000000+00:00",
    "report": "reports/aurora/shop-next/verifications/test.json",
}

SCENARIO = Scenario(
    given={"request": _REQUEST, "proof": "full"},
    answers={
        "PlanVerification": {"Payload": _PLAN},
        "CompareItemsItemReader": [ITEM],
        "CompareItem": {"Payload": _COMPARED},
        "ConcludeVerification": {"Payload": _VERDICT},
        "ConcludeWithoutAll": {"Payload": _VERDICT},
    },
    output=_VERDICT,
    path=["PlanVerification", "IsThereWork", "CompareItems", "ConcludeVerification", "Verified"],
    detours={"ConcludeWithoutAll": {"CompareItemsItemReader": "ItemReaderFailed"}},
)
