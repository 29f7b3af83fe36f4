"""moto's Route 53: a batch is judged as a whole, each change against what the ones before it leave, and done or not at all.

moto judges a CREATE and a DELETE against everything that was ever there, and knows no batch that replaces a record.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from moto.route53 import models as dns_models
from moto.route53.exceptions import ResourceRecordAlreadyExists, Route53ClientError

from lab.moto_engine.patching import wrap

if TYPE_CHECKING:
    from collections.abc import Callable


@cache  # also for tests that have moto without the lab
def patch() -> None:
    wrap(dns_models.Route53Backend, "change_resource_record_sets", _as_a_batch)


def _as_a_batch(original: Callable[..., Any]) -> Callable[..., Any]:
    def change(self: Any, zoneid: str, change_list: list[dict[str, Any]]) -> None:
        there = {_key(vars_of): vars_of for vars_of in map(_document, self.get_hosted_zone(zoneid).rrsets)}
        for one in change_list:
            asked = one["ResourceRecordSet"]
            key, values = _key(asked), _values(asked)
            if one["Action"] == "CREATE" and key in there:
                raise ResourceRecordAlreadyExists(name=asked["Name"], _type=asked["Type"])
            if one["Action"] == "DELETE" and (key not in there or _values(there[key]) != values):
                raise Route53ClientError(
                    "InvalidChangeBatch",
                    f"Tried to delete resource record set [name='{asked['Name']}', type='{asked['Type']}'] but it was not found, "
                    "or the values provided do not match the current values",
                )
            if one["Action"] == "DELETE":
                del there[key]
            else:
                there[key] = asked
        for one in change_list:
            # Its own judgement of a CREATE finds a record where any other follows in the order of names.
            action = "UPSERT" if one["Action"] == "CREATE" else one["Action"]
            original(self, zoneid, [{**one, "Action": action}])

    return change


def _document(held: Any) -> dict[str, Any]:
    return {
        "Name": held.name,
        "Type": held.type,
        "SetIdentifier": held.set_identifier,
        "TTL": held.ttl,
        "ResourceRecords": held.resource_records or [],
    }


def _key(record: dict[str, Any]) -> tuple[Any, ...]:
    return record["Name"].strip(".").lower(), record["Type"], record.get("SetIdentifier")


def _values(record: dict[str, Any]) -> tuple[Any, ...]:
    return str(record.get("TTL")), sorted(str(each["Value"]) for each in record.get("ResourceRecords", []))
