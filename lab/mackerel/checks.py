"""Check reports: of hosts only, deduplicated by (host, name, occurredAt), silently ignored when six hours old."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel import alerting
from lab.mackerel.answers import SUCCESS, Refusal
from lab.mackerel.fields import array, document, integer, number, one_of, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

STATUSES = ("OK", "CRITICAL", "WARNING", "UNKNOWN")
_reports = document({
    "reports": array(
        document({
            "source": document({"type": one_of("host"), "hostId": text()}),
            "name": text(matching=r"[a-zA-Z0-9_-]+"),
            "status": one_of(*STATUSES),
            "message": text(most=1023),
            "occurredAt": number(0),
            "notificationInterval?": integer(0),
            "maxCheckAttempts?": integer(1, 10),
        }),
        most=100,
    ),
})  # fmt: skip


def report(org: Organization, call: Call) -> Any:
    """Take what is new, in the order of the list. What is old or known is ignored, and the answer is the same."""
    reports = _reports(call.body, "")["reports"]
    unknown = [entry["source"]["hostId"] for entry in reports if entry["source"]["hostId"] not in org.hosts]
    if unknown:
        raise Refusal(400, f"Unknown host: {unknown[0]}.")
    longest = org.rules.longest_check
    if longest is not None and any(len(entry["name"]) > longest for entry in reports):
        raise Refusal(400, "A check's name is too long.")
    for entry in reports:
        host, name, occurred = entry["source"]["hostId"], entry["name"], int(entry["occurredAt"])
        if occurred > call.now - org.rules.reports_expire and (host, name, occurred) not in org.reports:
            org.reports[host, name, occurred] = entry
            monitor = org.check_monitors.setdefault((host, name), org.new_id("check"))
            alerting.judge_check(org, monitor, host, name, call.now)
    return SUCCESS


def list_checks(org: Organization, call: Call) -> Any:
    entries = [
        {"id": key, "name": name} for (_, name), key in sorted(org.check_monitors.items(), key=lambda item: item[1])
    ]
    return page_of(entries, call, "checks")


def get_check(org: Organization, call: Call) -> Any:
    for (_, name), key in org.check_monitors.items():
        if key == call.path["monitor"]:
            return {"check": {"id": key, "name": name}}
    raise Refusal(404, "Monitor not found.")


def monitored_statuses(org: Organization, call: Call) -> Any:
    """What the last report of each check of a host says."""
    found(org.hosts, call.path["host"], "Host")
    statuses = []
    for (host, name), monitor in org.check_monitors.items():
        if host == call.path["host"]:
            last = latest(org, host, name)
            detail = {"type": "check", "message": last["message"], "memo": ""}
            statuses.append({"monitorId": monitor, "status": last["status"], "detail": detail})
    return {"monitoredStatuses": statuses}


def latest(org: Organization, host: str, name: str) -> dict[str, Any]:
    """The report of a check with the latest time."""
    return max(alerting.reports_of(org, host, name), key=lambda entry: entry["occurredAt"])


def forget_unlisted(org: Organization, host: str, listed: set[str]) -> None:
    """Delete the check monitors of a host that its list does not name and that have no open alert."""
    for owner, name in [key for key in org.check_monitors if key[0] == host and key[1] not in listed]:
        if alerting.open_alert(org, org.check_monitors[owner, name]) is None:
            del org.check_monitors[owner, name]


def page_of(entries: list[dict[str, Any]], call: Call, label: str) -> dict[str, Any]:
    """At most ``limit`` entries from ``nextId`` on; with the id of the next one where there are more."""
    ids = [entry["id"] for entry in entries]
    wanted = call.query.get("nextId")
    if wanted is not None and wanted not in ids:
        raise Refusal(400, "nextId is unknown.")
    start = ids.index(wanted) if wanted is not None else 0
    end = start + call.limit()
    return {label: entries[start:end]} | ({"nextId": ids[end]} if end < len(ids) else {})


ROUTES: Routes = (
    ("POST", "/monitoring/checks/report", report),
    ("GET", "/monitoring/checks", list_checks),
    ("GET", "/monitoring/checks/<monitor>", get_check),
    ("GET", "/hosts/<host>/monitored-statuses", monitored_statuses),
)
