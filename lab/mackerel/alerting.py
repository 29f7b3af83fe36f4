"""When alerts open and close. They look at the latest value only: a backlog that is posted at once evaluates one point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.downtimes import covers
from lab.mackerel.organization import MINUTE, Series

if TYPE_CHECKING:
    from lab.mackerel.organization import Organization


def open_alert(org: Organization, monitor: str) -> dict[str, Any] | None:
    """The alert of a monitor that is open, if there is one."""
    return next((a for a in org.alerts.values() if a["monitorId"] == monitor and a["status"] != "OK"), None)


def reports_of(org: Organization, host: str, name: str) -> list[dict[str, Any]]:
    """The stored reports of one check."""
    return [entry for (owner, label, _), entry in org.reports.items() if (owner, label) == (host, name)]


def judge_check(org: Organization, monitor: str, host: str, name: str, now: float) -> None:
    """Open, change or close the alert of a check after a report."""
    history = sorted(reports_of(org, host, name), key=lambda entry: entry["occurredAt"])
    last = history[-1]
    attempts = history[-last.get("maxCheckAttempts", 1) :]
    enough = len(attempts) == last.get("maxCheckAttempts", 1) and all(entry["status"] != "OK" for entry in attempts)
    if last["status"] == "OK" or enough:
        more = {"type": "check", "hostId": host, "message": last["message"]}
        _settle(org, monitor, last["status"], now, more, services=_services_of(org, host))


def judge_service_metrics(org: Organization, now: float) -> None:
    """Evaluate every service monitor as of now: its latest points, and how long there was none."""
    for key, monitor in org.monitors.items():
        if monitor["type"] == "service" and not monitor.get("isMute"):
            series = Series("service", monitor["service"], monitor["metric"])
            status, value = _status_of(monitor, org.points.get(series, {}), now)
            if status is not None:
                _settle(org, key, status, now, {"type": "service", "value": value}, services={monitor["service"]})


def _status_of(monitor: dict[str, Any], points: dict[int, float], now: float) -> tuple[str | None, float | None]:
    if not points:
        return None, None
    latest = max(points)
    silent = (now - latest) / MINUTE
    for status, field in (("CRITICAL", "missingDurationCritical"), ("WARNING", "missingDurationWarning")):
        if monitor.get(field) and silent >= monitor[field]:
            return status, None
    last = sorted(points)[-monitor["duration"] :]
    value = sum(points[minute] for minute in last) / len(last)
    for status, field in (("CRITICAL", "critical"), ("WARNING", "warning")):
        limit = monitor.get(field)
        if limit is not None and (value > limit if monitor["operator"] == ">" else value < limit):
            return status, value
    return "OK", value


def _settle(
    org: Organization, monitor: str, status: str, now: float, more: dict[str, Any], *, services: set[str]
) -> None:
    alert = open_alert(org, monitor)
    if (
        alert is None
        and status != "OK"
        and not any(covers(org, d, monitor, services, now) for d in org.downtimes.values())
    ):
        key = org.new_id("alert")
        alert = org.alerts[key] = {"id": key, "status": "", "monitorId": monitor, "openedAt": int(now), **more}
    if alert is not None and alert["status"] != status:
        alert.update(status=status, **more)
        if status == "OK":
            alert["closedAt"] = int(now)
        log: dict[str, Any] = {"id": org.new_id("log"), "status": status, "trigger": "monitoring", "monitorId": monitor}
        log |= {"targetValue": more.get("value"), "statusDetail": None, "createdAt": int(now)}
        org.alert_logs[alert["id"]].append(log)


def _services_of(org: Organization, host: str) -> set[str]:
    return {fullname.split(":")[0] for fullname in org.hosts[host]["_roles"]}
