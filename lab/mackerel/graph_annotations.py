"""/api/v0/graph-annotations: each POST makes a new one, there is no idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal
from lab.mackerel.fields import array, document, integer, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_annotation = document({
    "title": text(most=250),
    "description?": text(most=1024),
    "from": integer(0),
    "to": integer(0),
    "service": text(),
    "roles?": array(text()),
})  # fmt: skip


def create(org: Organization, call: Call) -> Any:
    wanted, key = _judged(org, call), org.new_id("annotation")
    org.annotations[key] = {"id": key, "description": "", **wanted}
    return org.annotations[key]


def list_between(org: Organization, call: Call) -> Any:
    """The annotations of a service that intersect a time."""
    if "service" not in call.query:
        raise Refusal(400, "service is required in the query.")
    org.service(call.query["service"])
    first, last = call.whole_number("from"), call.whole_number("to")
    return {
        "graphAnnotations": [
            entry
            for entry in org.annotations.values()
            if entry["service"] == call.query["service"] and entry["from"] <= last and entry["to"] >= first
        ]
    }


def update(org: Organization, call: Call) -> Any:
    key = call.path["annotation"]
    found(org.annotations, key, "Graph annotation")
    org.annotations[key] = {"id": key, "description": "", **_judged(org, call)}
    return org.annotations[key]


def delete(org: Organization, call: Call) -> Any:
    found(org.annotations, call.path["annotation"], "Graph annotation")
    return org.annotations.pop(call.path["annotation"])


def _judged(org: Organization, call: Call) -> dict[str, Any]:
    wanted: dict[str, Any] = _annotation(call.body, "")
    service = org.service(wanted["service"])
    if wanted["from"] > wanted["to"]:
        raise Refusal(400, "from must not be after to.")
    if set(wanted.get("roles", [])) - set(service.roles):
        raise Refusal(404, "Role not found.")
    return wanted


ROUTES: Routes = (
    ("POST", "/graph-annotations", create),
    ("GET", "/graph-annotations", list_between),
    ("PUT", "/graph-annotations/<annotation>", update),
    ("DELETE", "/graph-annotations/<annotation>", delete),
)
