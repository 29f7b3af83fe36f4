"""The ledger in DynamoDB: one table, ``pk`` and ``sk``, time to live in ``expires_at``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters import aws

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from kuroshio.runs.run import Run


class DynamoLedger:
    """Runs in the ledger table. Implements ``runs.ports.Ledger``."""

    def __init__(self, table: str) -> None:
        self._table = table

    def record(self, run: Run) -> bool:
        """Keep the run. False, and nothing is changed, where as much or more is known of it already."""
        from botocore.exceptions import ClientError

        with aws.translated(f"recording the run {run.execution} of {run.workflow} in {self._table}"):
            try:
                aws.client("dynamodb").put_item(
                    TableName=self._table,
                    Item=_item(run),
                    ConditionExpression="attribute_not_exists(pk) OR revision < :revision",
                    ExpressionAttributeValues={":revision": {"N": str(run.revision)}},
                )
            except ClientError as error:
                if aws.code_of(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True


def _item(run: Run) -> dict[str, AttributeValueTypeDef]:
    """One item per run; within a workflow they sort by when they began. A name is unique among its executions only."""
    texts = {
        "pk": f"run#{run.workflow}",
        "sk": f"{run.started.isoformat(timespec='milliseconds')}#{run.execution}",
        "workflow": run.workflow,
        "execution": run.execution,
        "status": run.status,
        "started": run.started.isoformat(timespec="milliseconds"),
        "stopped": run.stopped.isoformat(timespec="milliseconds") if run.stopped else "",
        "error": run.error,
        "cause": run.cause,
    }
    numbers = {"revision": run.revision, "expires_at": run.expires_at, "seconds": run.seconds}
    return {
        **{name: {"S": text} for name, text in texts.items() if text},
        **{name: {"N": str(number)} for name, number in numbers.items() if number is not None},
    }
