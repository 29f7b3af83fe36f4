"""Metadata of hosts, services and roles: any JSON under a namespace."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import SUCCESS, Refusal
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_LONGEST = 100 * 1024  # bytes


def list_namespaces(org: Organization, call: Call) -> Any:
    return {"metadata": [{"namespace": name} for name in sorted(org.metadata[_owner(org, call)])]}


def get(org: Organization, call: Call) -> Any:
    return found(org.metadata[_owner(org, call)], call.path["namespace"], "Metadata")


def put(org: Organization, call: Call) -> Any:
    shelf, name = org.metadata[_owner(org, call)], call.path["namespace"]
    if not re.fullmatch(r"[-a-zA-Z0-9_]+", name) or name.startswith("mackerel"):
        raise Refusal(400, "The namespace is not allowed.")
    if len(json.dumps(call.body).encode()) > _LONGEST:
        raise Refusal(413, "The metadata is too large.")
    if name not in shelf and len(shelf) >= (10 if "role" in call.path else 50):
        raise Refusal(400, "The limit of namespaces is reached.")
    shelf[name] = call.body
    return SUCCESS


def delete(org: Organization, call: Call) -> Any:
    shelf = org.metadata[_owner(org, call)]
    found(shelf, call.path["namespace"], "Metadata")
    del shelf[call.path["namespace"]]
    return SUCCESS


def _owner(org: Organization, call: Call) -> str:
    if "host" in call.path:
        found(org.hosts, call.path["host"], "Host")
        return f"host {call.path['host']}"
    service = org.service(call.path["service"])
    if "role" in call.path and call.path["role"] not in service.roles:
        raise Refusal(404, "Role not found.")
    return f"service {call.path['service']} {call.path.get('role', '')}"


_OWNERS = ("/hosts/<host>", "/services/<service>", "/services/<service>/roles/<role>")
ROUTES: Routes = tuple(
    route
    for owner in _OWNERS
    for route in (
        ("GET", f"{owner}/metadata", list_namespaces),
        ("GET", f"{owner}/metadata/<namespace>", get),
        ("PUT", f"{owner}/metadata/<namespace>", put),
        ("DELETE", f"{owner}/metadata/<namespace>", delete),
    )
)
