"""Two rows that differ, and somebody who agrees."""

from tests.workflows.machine import Scenario
from tests.workflows.scenarios import verify_clone

_VERDICT = verify_clone.SCENARIO.output

SCENARIO = Scenario(
    given={**verify_clone.SCENARIO.given, "verification": "2026-11-21T09:00:00.000000+00:00"},
    answers={
        "DescribeRepair": {
            "Payload": {
                "proof": "full",
                "rows": 2,
                "sentences": ["2 rows of shop.orders are written from the source onto the clone"],
                "statements": ["DELETE FROM `shop`.`orders` WHERE `id` IN (4, 7)"],
                "asked": [{"S": "2 rows of shop.orders are written from the source onto the clone"}],
            }
        },
        "ApproveRepair": {"by": "arn:aws:iam::123456789012:user/haruka"},
        "RepairRows": {"Payload": {"repaired": 2, "refused": [], "done": True}},
        "VerifyAgain": {"Output": _VERDICT},
    },
    output={"repaired": 2, "verdict": _VERDICT},
    path=[
        "DescribeRepair",
        "IsThereAnythingToRepair",
        "ApproveRepair",
        "RepairRows",
        "IsRepairDone",
        "VerifyAgain",
        "Repaired",
    ],
)
