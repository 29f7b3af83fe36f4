"""/api/v0/services, their roles, and /api/v0/org."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal
from lab.mackerel.fields import document, text
from lab.mackerel.organization import Service

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]+"
_named = document({"name": text(least=2, most=63, matching=_NAME), "memo?": text()})


def organization(org: Organization, _: Call) -> Any:
    return {"name": org.name, "displayName": None}


def list_services(org: Organization, _: Call) -> Any:
    return {"services": [_service(org, name) for name in sorted(org.services)]}


def create_service(org: Organization, call: Call) -> Any:
    wanted = _named(call.body, "")
    if wanted["name"] in org.services:
        raise Refusal(400, "A service of this name exists already.")
    org.services[wanted["name"]] = Service(wanted.get("memo", ""))
    return _service(org, wanted["name"])


def delete_service(org: Organization, call: Call) -> Any:
    """Delete it with its roles, metrics, monitors and annotations, as Mackerel does."""
    name = call.path["service"]
    org.service(name)
    gone = _service(org, name)
    del org.services[name]
    for series in [series for series in org.points if series[:2] == ("service", name)]:
        del org.points[series]
    for shelf in (org.monitors, org.annotations):
        for key in [key for key, entry in shelf.items() if entry.get("service") == name]:
            del shelf[key]
    return gone


def list_roles(org: Organization, call: Call) -> Any:
    roles = org.service(call.path["service"]).roles
    return {"roles": [{"name": name, "memo": roles[name]} for name in sorted(roles)]}


def create_role(org: Organization, call: Call) -> Any:
    service, wanted = org.service(call.path["service"]), _named(call.body, "")
    if wanted["name"] in service.roles:
        raise Refusal(400, "A role of this name exists already.")
    service.roles[wanted["name"]] = wanted.get("memo", "")
    return {"name": wanted["name"], "memo": wanted.get("memo", "")}


def delete_role(org: Organization, call: Call) -> Any:
    roles = org.service(call.path["service"]).roles
    if call.path["role"] not in roles:
        raise Refusal(404, "Role not found.")
    return {"name": call.path["role"], "memo": roles.pop(call.path["role"])}


def _service(org: Organization, name: str) -> dict[str, Any]:
    service = org.services[name]
    return {"name": name, "memo": service.memo, "roles": sorted(service.roles)}


ROUTES: Routes = (
    ("GET", "/org", organization),
    ("GET", "/services", list_services),
    ("POST", "/services", create_service),
    ("DELETE", "/services/<service>", delete_service),
    ("GET", "/services/<service>/roles", list_roles),
    ("POST", "/services/<service>/roles", create_role),
    ("DELETE", "/services/<service>/roles/<role>", delete_role),
)
