"""What was deployed, in the ledger's table: one item per branch for where it stands, one per unit."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.errors import Outpaced
from kuroshio.release.standing import Debt, Deployed, Standing

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class DynamoDeployments:
    """One repository's branch. Implements ``release.standing.Deployments``. Items are kept for good."""

    def __init__(self, table: str, repository: str, branch: str) -> None:
        self._table = table
        self._pk = f"deployed#{repository}#{branch}"

    def standing(self) -> Standing:
        """Return where the deployment stands, as of now: the read is consistent."""
        with aws.translated(f"reading {self._pk} in {self._table}"):
            found = aws.client("dynamodb").get_item(
                TableName=self._table, Key={"pk": {"S": self._pk}, "sk": {"S": "standing"}}, ConsistentRead=True
            )
        item = found.get("Item")
        if not item:
            return Standing()
        debts = tuple(Debt(*each) for each in json.loads(item["debts"]["S"]))
        return Standing(item["settled"]["S"], debts, int(item["revision"]["N"]))

    def move(self, wanted: Standing) -> None:
        """Write ``wanted`` where its predecessor stands. Raises Outpaced when another run was faster."""
        debts = [[debt.unit, debt.since, debt.until] for debt in wanted.debts]
        item: dict[str, AttributeValueTypeDef] = {
            "pk": {"S": self._pk},
            "sk": {"S": "standing"},
            "settled": {"S": wanted.settled or ""},
            "debts": {"S": json.dumps(debts)},
            "revision": {"N": str(wanted.revision)},
        }
        self._put(item, wanted.revision - 1)

    def record(self, deployed: Deployed) -> None:
        """Keep what was deployed of a unit, and drop nothing: an item per deployment, sorted by when it was."""
        time = deployed.time.isoformat(timespec="milliseconds")
        texts = {
            "pk": self._pk,
            "sk": f"unit#{deployed.unit}#{time}",
            "unit": deployed.unit,
            "commit": deployed.commit,
            "digest": deployed.digest,
            "time": time,
            "change": deployed.change,
        }
        item: dict[str, AttributeValueTypeDef] = {name: {"S": text} for name, text in texts.items() if text}
        newest: dict[str, AttributeValueTypeDef] = item | {"sk": {"S": f"newest#{deployed.unit}"}}
        with aws.translated(f"recording {deployed.unit} in {self._table}"):
            aws.client("dynamodb").put_item(TableName=self._table, Item=item)
            aws.client("dynamodb").put_item(TableName=self._table, Item=newest)

    def digest(self, unit: str) -> str:
        """Return what was recorded of the unit's newest deployment, or nothing."""
        key: dict[str, AttributeValueTypeDef] = {"pk": {"S": self._pk}, "sk": {"S": f"newest#{unit}"}}
        with aws.translated(f"reading {unit} in {self._table}"):
            found = aws.client("dynamodb").get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})
        return found["digest"]["S"] if "digest" in found else ""

    def _put(self, item: dict[str, AttributeValueTypeDef], revision: int) -> None:
        from botocore.exceptions import ClientError

        with aws.translated(f"writing {self._pk} in {self._table}"):
            try:
                aws.client("dynamodb").put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="revision = :seen" if revision else "attribute_not_exists(pk)",
                    **({"ExpressionAttributeValues": {":seen": {"N": str(revision)}}} if revision else {}),  # type: ignore[arg-type]
                )
            except ClientError as error:
                if aws.code_of(error) == "ConditionalCheckFailedException":
                    raise Outpaced(f"{self._pk} was moved by another run meanwhile") from None
                raise
