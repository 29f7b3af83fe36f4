"""How far the distributed Maps of executions are."""

from __future__ import annotations

from kuroshio.adapters import aws
from kuroshio.aurora.standing import Compared
from kuroshio.errors import KuroshioError

_MOST_LOOKED_AT = 20


def compared(machine: str, clone: str) -> Compared | None:
    """Pieces that the running verification of a clone has done. None where none runs, or nobody can say."""
    try:
        return _compared(machine, clone)
    except KuroshioError:
        return None  # a figure to look at while waiting is worth no failure


def _compared(machine: str, clone: str) -> Compared | None:
    sfn = aws.client("stepfunctions")
    with aws.translated(f"looking for verifications of {clone}"):
        running = sfn.list_executions(stateMachineArn=machine, statusFilter="RUNNING", maxResults=_MOST_LOOKED_AT)
        for execution in running["executions"]:
            if (
                clone not in execution["name"]
                and clone not in sfn.describe_execution(executionArn=execution["executionArn"])["input"]
            ):
                continue
            for run in sfn.list_map_runs(executionArn=execution["executionArn"])["mapRuns"]:
                counts = sfn.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
                if counts["total"]:
                    return Compared(counts["succeeded"] + counts["failed"], counts["total"])
    return None
