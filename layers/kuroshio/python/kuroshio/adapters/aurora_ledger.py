"""Records of clones in the ledger's table: a partition of each clone, and one with the states of all.

The attributes are those of the record, in DynamoDB's own types, so that a state machine can write one without a function.
"""

from __future__ import annotations

import gzip
import json
import secrets
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.aurora.records import KEPT_FOR, STATE, noted_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from kuroshio.aurora.records import Phase

# No cluster identifier has a "#", and none is empty.
_STATES = "aurora"
_OURS = frozenset({"pk", "sk", "expires_at"})
# An item may have 400 KB with the names of its attributes; the judgement of a cluster of thousands of tables has more.
_MOST_BYTES = 200_000
_PACKED = "gzip"


class AuroraLedger:
    """Implements ``aurora.records.Ledger``."""

    def __init__(self, table: str) -> None:
        self._table = table

    def note(self, clone: str, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        """Keep one more record of this kind."""
        key = noted_key(kind, at, secrets.token_hex(4))
        item = _item(clone, key, {**document, "at": at.isoformat(timespec="microseconds")})
        if kind in KEPT_FOR:
            item["expires_at"] = {"N": str(int((at + KEPT_FOR[kind]).timestamp()))}
        self._write(clone, key, item)

    def create(self, clone: str, key: str, document: Mapping[str, Any]) -> bool:
        """Keep a record that is never written over. False where there is one."""
        from botocore.exceptions import ClientError

        with self._doing("creating", clone, key):
            try:
                aws.client("dynamodb").put_item(
                    TableName=self._table,
                    Item=_item(clone, key, document),
                    ConditionExpression="attribute_not_exists(pk)",
                )
            except ClientError as error:
                if aws.code_of(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def put(self, clone: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep a record, over an earlier one."""
        self._write(clone, key, _item(clone, key, document))

    def read(self, clone: str, key: str) -> dict[str, Any] | None:
        """Return a record; None where there is none."""
        with self._doing("reading", clone, key):
            found = aws.client("dynamodb").get_item(TableName=self._table, Key=_key(clone, key), ConsistentRead=True)
        return _document(found["Item"]) if "Item" in found else None

    def all(self, clone: str, prefix: str) -> list[dict[str, Any]]:
        """Return the records whose keys begin so, in the order of their keys."""
        with self._doing("reading", clone, prefix):
            return [_document(item) for item in self._items(f"{_STATES}#{clone}", prefix)]

    def delete(self, clone: str, key: str) -> None:
        """Remove a record, if there is one."""
        with self._doing("removing", clone, key):
            aws.client("dynamodb").delete_item(TableName=self._table, Key=_key(clone, key))

    def phase(self, clone: str, phase: Phase, at: datetime, **more: Any) -> None:
        """Change ``state``, and note it as an event."""
        changed = {**more, "phase": str(phase), "at": at.isoformat(timespec="microseconds")}
        names = {f"#{n}": name for n, name in enumerate(changed)}
        with self._doing("changing", clone, STATE):
            aws.client("dynamodb").update_item(
                TableName=self._table,
                Key=_key(clone, STATE),
                UpdateExpression="SET " + ", ".join(f"{name} = :{name[1:]}" for name in names),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{name[1:]}": _value(changed[field]) for name, field in names.items()},
            )
        self.note(clone, "event", {**more, "phase": str(phase)}, at)

    def claim(self, clone: str, run: str, instead_of: str = "") -> bool:
        """Make this run the one that works at the clone. False where another run than these two does."""
        from botocore.exceptions import ClientError

        with self._doing("claiming", clone, STATE):
            try:
                aws.client("dynamodb").update_item(
                    TableName=self._table,
                    Key=_key(clone, STATE),
                    UpdateExpression="SET #run = :run",
                    ConditionExpression="attribute_not_exists(#run) OR #run IN (:run, :before)",
                    ExpressionAttributeNames={"#run": "run"},
                    ExpressionAttributeValues={":run": {"S": run}, ":before": {"S": instead_of}},
                )
            except ClientError as error:
                if aws.code_of(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def clones(self) -> list[dict[str, Any]]:
        """Return the ``state`` of every clone."""
        with self._doing("reading", "every clone", STATE):
            return [{**_document(item), "clone": item["sk"]["S"]} for item in self._items(_STATES, "")]

    def _items(self, partition: str, prefix: str) -> Iterator[dict[str, Any]]:
        condition, values = "pk = :pk", {":pk": {"S": partition}}
        if prefix:  # begins_with refuses an empty text
            condition, values = f"{condition} AND begins_with(sk, :prefix)", values | {":prefix": {"S": prefix}}
        start: dict[str, Any] = {}
        while True:
            page: dict[str, Any] = aws.client("dynamodb").query(  # type: ignore[assignment]
                TableName=self._table,
                KeyConditionExpression=condition,
                ExpressionAttributeValues=values,
                ConsistentRead=True,
                **start,
            )
            yield from page["Items"]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def _write(self, clone: str, key: str, item: dict[str, Any]) -> None:
        with self._doing("writing", clone, key):
            aws.client("dynamodb").put_item(TableName=self._table, Item=item)

    def _doing(self, what: str, clone: str, key: str) -> Any:
        return aws.translated(f"{what} {key} of {clone} in {self._table}")


def _key(clone: str, key: str) -> dict[str, Any]:
    pk, sk = (_STATES, clone) if key == STATE else (f"{_STATES}#{clone}", key)
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _item(clone: str, key: str, document: Mapping[str, Any]) -> dict[str, Any]:
    written = json.dumps(document, separators=(",", ":")).encode()
    if len(written) > _MOST_BYTES:
        return {**_key(clone, key), _PACKED: {"B": gzip.compress(written, mtime=0)}}
    return {**_key(clone, key), **{name: _value(each) for name, each in document.items()}}


def _document(item: Mapping[str, Any]) -> dict[str, Any]:
    if _PACKED in item:
        found: dict[str, Any] = json.loads(gzip.decompress(item[_PACKED]["B"]))
        return found
    return {name: _plain(value) for name, value in item.items() if name not in _OURS}


def _value(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, int | float):
        return {"N": str(Decimal(str(value)))}
    if isinstance(value, str):
        return {"S": str(value)}
    if isinstance(value, list | tuple):
        return {"L": [_value(each) for each in value]}
    return {"M": {name: _value(each) for name, each in value.items()}}


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    if kind == "NULL":
        return None
    if kind == "N":
        number = Decimal(held)
        return int(number) if number == number.to_integral_value() else float(number)
    if kind == "L":
        return [_plain(each) for each in held]
    if kind == "M":
        return {name: _plain(each) for name, each in held.items()}
    return held
