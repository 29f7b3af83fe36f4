"""The outbox's records in the ledger table of DynamoDB: ``pk``, ``sk``, ``body`` (JSON), ``version``, ``expires_at``."""

from __future__ import annotations

import json
import secrets
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.errors import Outpaced, ServiceUnavailable
from kuroshio.mackerel.ports import Key, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_MOST_KEYS = 100  # in one BatchGetItem
_ROUNDS = 8  # of asking for what BatchGetItem left unprocessed


class DynamoOutboxLedger:
    """Implements ``mackerel.ports.Ledger``. The body is JSON text: DynamoDB's numbers are not doubles."""

    def __init__(self, table: str) -> None:
        self._table = table

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        """Those of the records that are there."""
        wanted = list(dict.fromkeys(keys))
        found: dict[Key, Record] = {}
        for start in range(0, len(wanted), _MOST_KEYS):
            for item in self._some(wanted[start : start + _MOST_KEYS]):
                record = _record(item)
                found[record.key] = record
        return found

    def write(self, record: Record) -> Record:
        """Store it over the version that it was read with."""
        item: dict[str, AttributeValueTypeDef] = {
            **_place(record.key),
            "body": {"S": json.dumps(record.body, separators=(",", ":"), allow_nan=False)},
            "version": {"N": str(record.version + 1)},
        }
        if record.expires_at is not None:
            item["expires_at"] = {"N": str(record.expires_at)}
        with self._expecting("writing", record):
            aws.client("dynamodb").put_item(TableName=self._table, Item=item, **_condition(record))
        return replace(record, version=record.version + 1)

    def touch(self, key: Key, expires_at: int | None = None) -> None:
        """Count the version up. That of a new record begins anywhere: one removed and made again is another record."""
        beginning: AttributeValueTypeDef = {"N": str(secrets.randbits(48))}
        values: dict[str, AttributeValueTypeDef] = {":one": {"N": "1"}, ":empty": {"S": "{}"}, ":beginning": beginning}
        settings = ["body = if_not_exists(body, :empty)", "version = if_not_exists(version, :beginning) + :one"]
        if expires_at is not None:
            values[":expires"] = {"N": str(expires_at)}
            settings.append("expires_at = :expires")
        with aws.translated(f"touching {key.pk} {key.sk} in {self._table}"):
            aws.client("dynamodb").update_item(
                TableName=self._table,
                Key=_place(key),
                UpdateExpression=f"SET {', '.join(settings)}",
                ExpressionAttributeValues=values,
            )

    def remove(self, record: Record) -> None:
        """Delete the version that was read."""
        with self._expecting("removing", record):
            aws.client("dynamodb").delete_item(TableName=self._table, Key=_place(record.key), **_condition(record))

    def scan(self, pk: str, limit: int) -> list[Record]:
        """The first of a partition."""
        records: list[Record] = []
        start: dict[str, Any] = {}
        with aws.translated(f"listing {pk} in {self._table}"):
            while len(records) < limit:
                page = aws.client("dynamodb").query(
                    TableName=self._table,
                    ConsistentRead=True,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": pk}},
                    Limit=limit - len(records),
                    **start,
                )
                records += [_record(item) for item in page["Items"]]
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return records

    def _some(self, keys: list[Key]) -> Iterator[Mapping[str, AttributeValueTypeDef]]:
        """At most a hundred items. DynamoDB hands back what it had no capacity or no room for, and that is asked again."""
        request: Any = {"Keys": [_place(key) for key in keys], "ConsistentRead": True}
        with aws.translated(f"reading {len(keys)} records of {self._table}"):
            for _ in range(_ROUNDS):
                answer = aws.client("dynamodb").batch_get_item(RequestItems={self._table: request})
                yield from answer["Responses"].get(self._table, [])
                if self._table not in answer["UnprocessedKeys"]:
                    return
                request = answer["UnprocessedKeys"][self._table]
        raise ServiceUnavailable(f"{self._table} left records unread {_ROUNDS} times in a row")

    @contextmanager
    def _expecting(self, doing: str, record: Record) -> Iterator[None]:
        from botocore.exceptions import ClientError

        where = f"{record.key.pk} {record.key.sk}"
        with aws.translated(f"{doing} {where} in {self._table}"):
            try:
                yield
            except ClientError as error:
                if aws.code_of(error) == "ConditionalCheckFailedException":
                    raise Outpaced(f"{where} is no longer at version {record.version}") from error
                raise


def _place(key: Key) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": key.pk}, "sk": {"S": key.sk}}


def _condition(record: Record) -> Any:
    if record.version == 0:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "version = :read",
        "ExpressionAttributeValues": {":read": {"N": str(record.version)}},
    }


def _record(item: Mapping[str, AttributeValueTypeDef]) -> Record:
    expires_at = int(item["expires_at"]["N"]) if "expires_at" in item else None
    key = Key(item["pk"]["S"], item["sk"]["S"])
    return Record(key, json.loads(item["body"]["S"]), int(item["version"]["N"]), expires_at)
