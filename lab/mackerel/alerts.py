"""/api/v0/alerts, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel import alerting
from lab.mackerel.answers import Refusal
from lab.mackerel.checks import page_of
from lab.mackerel.fields import document, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_LONGEST_MEMO = 80 * 1024  # bytes


def list_alerts(org: Organization, call: Call) -> Any:
    alerting.judge_service_metrics(org, call.now)
    closed_too = call.query.get("withClosed") == "true"
    return page_of([a for a in reversed(org.alerts.values()) if closed_too or a["status"] != "OK"], call, "alerts")


def get(org: Organization, call: Call) -> Any:
    return found(org.alerts, call.path["alert"], "Alert")


def update(org: Organization, call: Call) -> Any:
    alert, memo = found(org.alerts, call.path["alert"], "Alert"), document({"memo": text()})(call.body, "")["memo"]
    if len(memo.encode()) > _LONGEST_MEMO:
        raise Refusal(413, "The memo is too large.")
    alert["memo"] = memo
    return {"id": alert["id"], "memo": memo}


def close(org: Organization, call: Call) -> Any:
    alert = found(org.alerts, call.path["alert"], "Alert")
    alert.update(status="OK", closedAt=int(call.now), **document({"reason": text()})(call.body, ""))
    return alert


def list_logs(org: Organization, call: Call) -> Any:
    found(org.alerts, call.path["alert"], "Alert")
    return page_of(list(reversed(org.alert_logs[call.path["alert"]])), call, "logs")


ROUTES: Routes = (
    ("GET", "/alerts", list_alerts),
    ("GET", "/alerts/<alert>", get),
    ("PUT", "/alerts/<alert>", update),
    ("POST", "/alerts/<alert>/close", close),
    ("GET", "/alerts/<alert>/logs", list_logs),
)
