"""One clone that follows and is due to be compared."""

from tests.workflows.machine import Scenario, Variant
from tests.workflows.scenarios.replicate_cluster import REQUEST, TROUBLE, says, watched

SCENARIO = Scenario(
    given={},
    answers={
        "ListClones": says(clones=[{"request": REQUEST, "due": "delta"}]),
        "Watch": watched("caught-up"),
        "Skip": says(skipped=1),
        "StartVerification": {"ExecutionArn": "arn:verification", "StartDate": "2026-11-21T04:00:00Z"},
        "NoteVerification": {},
    },
    output=[{"clone": "shop-next", "state": "caught-up"}],
    path=[
        "ListClones", "EachClone", "Take", "Watch", "AfterWatch", "StartVerification", "NoteVerification", "Looked",
        "Watched",
    ],
    variants={"Skip": Variant({"Watch": watched("broken", trouble=TROUBLE, may_skip=True)})},
)  # fmt: skip
