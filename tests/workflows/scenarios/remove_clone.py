"""A clone at which a run still works; RDS removes it at once."""

from tests.workflows.machine import Scenario
from tests.workflows.scenarios.replicate_cluster import REQUEST, says

RUN = "arn:aws:states:ap-northeast-1:123456789012:execution:kuroshio-dev-replicate-cluster:shop-next-1"

SCENARIO = Scenario(
    given=REQUEST,
    answers={
        "ReadState": {"Item": {"pk": {"S": "aurora"}, "sk": {"S": "shop-next"}, "run": {"S": RUN}}},
        "StopWorker": {"StopDate": "2026-11-21T04:00:00Z"},
        "Remove": says(gone=True, left=["the parameter group shop-next is not ours by its tags"]),
        "Restore": says(left=["the secret is kept for seven days"]),
        "NoteAborted": {},
    },
    output={
        "clone": "shop-next",
        "left": ["the parameter group shop-next is not ours by its tags", "the secret is kept for seven days"],
    },
    path=[
        "Begin", "ReadState", "WorkerKnown", "StopWorker", "Remove", "IsGone", "Restore", "NoteAborted", "Removed",
    ],
)  # fmt: skip
