"""Deployments in the ledger's table: one partition of an environment, in the order in which they began."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.release.history import Deployment

if TYPE_CHECKING:
    from datetime import datetime

# A repository's name has a slash, so no branch's partition (adapters.deployments) can be called so.
_PK = "deployed#history"
_KEPT_FOR = timedelta(days=400)


class DynamoHistory:
    """Implements ``release.history.History``."""

    def __init__(self, table: str) -> None:
        self._table = table

    def keep(self, deployment: Deployment) -> None:
        """Write the record, over an earlier one of the same key."""
        expires_at = int((deployment.started + _KEPT_FOR).timestamp())
        with aws.translated(f"keeping the deployment {deployment.key} in {self._table}"):
            aws.client("dynamodb").put_item(
                TableName=self._table,
                Item={
                    "pk": {"S": _PK},
                    "sk": {"S": deployment.key},
                    "body": {"S": json.dumps(deployment.to_json(), separators=(",", ":"))},
                    "expires_at": {"N": str(expires_at)},
                },
            )

    def since(self, time: datetime) -> list[Deployment]:
        """Those that began then or later, in the order in which they began."""
        found: list[Deployment] = []
        start: dict[str, Any] = {}
        with aws.translated(f"reading deployments since {time} in {self._table}"):
            while True:
                page = aws.client("dynamodb").query(
                    TableName=self._table,
                    KeyConditionExpression="pk = :pk AND sk >= :first",
                    ExpressionAttributeValues={
                        ":pk": {"S": _PK},
                        ":first": {"S": time.isoformat(timespec="milliseconds")},
                    },
                    **start,
                )
                found += [Deployment.from_json(json.loads(item["body"]["S"])) for item in page["Items"]]
                if "LastEvaluatedKey" not in page:
                    return found
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
