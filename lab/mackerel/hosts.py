"""/api/v0/hosts. A host made through the API is a standard one, which is what the synthetic host of checks costs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import SUCCESS, Refusal
from lab.mackerel.checks import forget_unlisted
from lab.mackerel.fields import anything, array, document, one_of, text
from lab.mackerel.organization import Service, found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

STATUSES = ("standby", "working", "maintenance", "poweroff")
_address = {"macAddress?": text(), "ipAddress?": text(), "ipv6Address?": text()}
_addresses = {"ipv4Addresses?": array(text()), "ipv6Addresses?": array(text())}
_host = document({
    "name": text(least=1),
    "displayName?": text(),
    "customIdentifier?": text(),
    "meta": document({
        **{f"agent-{part}?": text() for part in ("name", "revision", "version")},
        **{f"{part}?": anything for part in ("block_device", "cpu", "filesystem", "kernel", "memory", "cloud")},
    }),
    "memo?": text(),
    "interfaces?": array(document({"name": text(), **_address, **_addresses})),
    "roleFullnames?": array(text(matching=r"[^:]+:\s*[^:]+")),
    "checks?": array(document({"name": text(matching=r"[a-zA-Z0-9_-]+"), "memo?": text()})),
})  # fmt: skip
_fullnames = document({"roleFullnames": array(text(matching=r"[^:]+:\s*[^:]+"))})
_many = {"ids": array(text(), most=30)}


def register(org: Organization, call: Call) -> Any:
    """Register it; a service or a role that does not exist yet is created."""
    wanted = _host(call.body, "")
    key = org.new_id("host")
    org.hosts[key] = {
        "createdAt": int(call.now),
        "id": key,
        "size": "standard",
        "status": "working",
        "isRetired": False,
        **_kept(wanted),
        "_roles": [],
        "_checks": wanted.get("checks", []),
    }
    _take_roles(org, key, wanted.get("roleFullnames", []))
    return {"id": key}


def update(org: Organization, call: Call) -> Any:
    """Replace what was registered; roles are added, never removed. Checks that are no longer listed are deleted."""
    key, wanted = call.path["host"], _host(call.body, "")
    host = found(org.hosts, key, "Host")
    host.update(_kept(wanted))
    _take_roles(org, key, wanted.get("roleFullnames", []))
    if "checks" in wanted:
        host["_checks"] = wanted["checks"]
        forget_unlisted(org, key, {check["name"] for check in wanted["checks"]})
    return {"id": key}


def get(org: Organization, call: Call) -> Any:
    return {"host": _shown(found(org.hosts, call.path["host"], "Host"))}


def get_by_custom_identifier(org: Organization, call: Call) -> Any:
    wanted = call.path["identifier"]
    fold = str.casefold if call.query.get("caseInsensitive") == "true" else str
    for host in org.hosts.values():
        if not host["isRetired"] and fold(host.get("customIdentifier") or "") == fold(wanted):
            return {"host": _shown(host)}
    raise Refusal(404, "Host not found.")


def list_hosts(org: Organization, call: Call) -> Any:
    query = call.query
    statuses = query.getlist("status") or ["working", "standby"]
    return {
        "hosts": [_shown(host) for host in org.hosts.values() if host["status"] in statuses and _matches(host, query)]
    }


def set_status(org: Organization, call: Call) -> Any:
    wanted = document({"status": one_of(*STATUSES)})(call.body, "")
    found(org.hosts, call.path["host"], "Host")["status"] = wanted["status"]
    return SUCCESS


def set_statuses(org: Organization, call: Call) -> Any:
    wanted = document({"status": one_of(*STATUSES), **_many})(call.body, "")
    for host in [found(org.hosts, key, "Host") for key in wanted["ids"]]:
        host["status"] = wanted["status"]
    return SUCCESS


def set_roles(org: Organization, call: Call) -> Any:
    found(org.hosts, call.path["host"], "Host")["_roles"] = []
    _take_roles(org, call.path["host"], _fullnames(call.body, "")["roleFullnames"])
    return SUCCESS


def retire(org: Organization, call: Call) -> Any:
    _retire(found(org.hosts, call.path["host"], "Host"), call.now)
    return SUCCESS


def retire_many(org: Organization, call: Call) -> Any:
    for host in [found(org.hosts, key, "Host") for key in document(_many)(call.body, "")["ids"]]:
        _retire(host, call.now)
    return SUCCESS


def _retire(host: dict[str, Any], now: float) -> None:
    host.update(isRetired=True, retiredAt=int(now))


def _kept(wanted: dict[str, Any]) -> dict[str, Any]:
    names = ("name", "displayName", "customIdentifier", "meta", "memo", "interfaces")
    return {"displayName": None, "customIdentifier": None, "memo": "", "interfaces": []} | {
        name: wanted[name] for name in names if name in wanted
    }


def _take_roles(org: Organization, key: str, fullnames: list[str]) -> None:
    for fullname in fullnames:
        service, role = (part.strip() for part in fullname.split(":"))
        org.services.setdefault(service, Service()).roles.setdefault(role, "")
        if f"{service}:{role}" not in org.hosts[key]["_roles"]:
            org.hosts[key]["_roles"].append(f"{service}:{role}")


def _shown(host: dict[str, Any]) -> dict[str, Any]:
    roles: dict[str, list[str]] = {}
    for fullname in host["_roles"]:
        service, role = fullname.split(":")
        roles.setdefault(service, []).append(role)
    return {name: value for name, value in host.items() if not name.startswith("_")} | {"roles": roles}


def _matches(host: dict[str, Any], query: Any) -> bool:
    services = {fullname.split(":")[0] for fullname in host["_roles"]}
    roles = set(query.getlist("role"))
    return (
        not host["isRetired"]
        and query.get("name", host["name"]) == host["name"]
        and query.get("customIdentifier", host["customIdentifier"]) == host["customIdentifier"]
        and ("service" not in query or query["service"] in services)
        and (
            not roles
            or any(fullname == f"{query.get('service')}:{role}" for fullname in host["_roles"] for role in roles)
        )
    )


ROUTES: Routes = (
    ("POST", "/hosts", register),
    ("GET", "/hosts", list_hosts),
    ("GET", "/hosts.json", list_hosts),
    ("GET", "/hosts/<host>", get),
    ("GET", "/hosts-by-custom-identifier/<path:identifier>", get_by_custom_identifier),
    ("PUT", "/hosts/<host>", update),
    ("POST", "/hosts/<host>/status", set_status),
    ("POST", "/hosts/bulk-update-statuses", set_statuses),
    ("PUT", "/hosts/<host>/role-fullnames", set_roles),
    ("POST", "/hosts/<host>/retire", retire),
    ("POST", "/hosts/bulk-retire", retire_many),
)
