"""/api/v0/monitors of every documented type. Check monitors are not among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal
from lab.mackerel.fields import array, by_type, document, flag, integer, number, one_of, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_WEEK = 7 * 24 * 60  # minutes
_limits = {"operator": one_of(">", "<"), "warning?": number(), "critical?": number()}
_attempts = {"maxCheckAttempts?": integer(1, 10)}
_scopes = {"scopes?": array(text()), "excludeScopes?": array(text())}
_missing = integer(10, _WEEK, multiple_of=10)
_points = {"duration": integer(1, 10), "metric": text(), **_limits, **_attempts}
_SHAPES = {
    "service": {
        "service": text(),
        **_points,
        "missingDurationWarning?": _missing,
        "missingDurationCritical?": _missing,
    },
    "host": {**_points, **_scopes},
    "connectivity": {"alertStatusOnGone?": one_of("CRITICAL", "WARNING"), **_scopes},
    "external": {
        "url": text(least=1),
        "method?": text(),
        "service?": text(),
        "responseTimeWarning?": number(),
        "responseTimeCritical?": number(),
        "responseTimeDuration?": integer(1, 10),
        "containsString?": text(),
        **_attempts,
        "certificationExpirationWarning?": integer(0),
        "certificationExpirationCritical?": integer(0),
        "skipCertificateVerification?": flag(),
        "expectedStatusCode?": integer(100, 599),
        "headers?": array(document({"name": text(), "value": text()})),
        "requestBody?": text(),
        "followRedirect?": flag(),
        "dualstack?": one_of("ipv4", "ipv6", "auto"),
    },
    "expression": {"expression": text(least=1), **_limits, "evaluateBackwardMinutes?": integer(2, 10)},
    "query": {"query": text(least=1), "legend?": text(), **_limits, "evaluateBackwardMinutes?": integer(0, 10)},
    "anomalyDetection": {
        "scopes": array(text(), least=1),
        **{f"{level}Sensitivity?": one_of("insensitive", "normal", "sensitive") for level in ("warning", "critical")},
        **_attempts,
        "trainingPeriodFrom?": integer(0),
    },
}
_COMMON = {"name": text(least=1), "memo?": text(most=2048), "notificationInterval?": integer(10), "isMute?": flag()}
_monitor = by_type(_SHAPES, _COMMON)
_DEFAULTS = {"maxCheckAttempts": 1, "isMute": False}


def create(org: Organization, call: Call) -> Any:
    wanted, key = _judged(org, call), org.new_id("monitor")
    org.monitors[key] = {"id": key, **_blank(org, wanted), **wanted}
    return org.monitors[key]


def list_monitors(org: Organization, _: Call) -> Any:
    return {"monitors": list(org.monitors.values())}


def get(org: Organization, call: Call) -> Any:
    return {"monitor": found(org.monitors, call.path["monitor"], "Monitor")}


def update(org: Organization, call: Call) -> Any:
    """Replace it as a whole: what the request does not name is reset."""
    key = call.path["monitor"]
    found(org.monitors, key, "Monitor")
    wanted = _judged(org, call)
    org.monitors[key] = {"id": key, **_blank(org, wanted), **wanted}
    return org.monitors[key]


def delete(org: Organization, call: Call) -> Any:
    found(org.monitors, call.path["monitor"], "Monitor")
    return org.monitors.pop(call.path["monitor"])


def _blank(org: Organization, wanted: dict[str, Any]) -> dict[str, Any]:
    """What an answer says of fields that were not sent: the documents do not show it, so both ways can be tried."""
    if not org.rules.echoes_defaults:
        return {"memo": ""}
    fields = {label.removesuffix("?") for label in _SHAPES[wanted["type"]].keys() | _COMMON.keys()}
    return {field: _DEFAULTS.get(field) for field in fields} | {"memo": ""}


def _judged(org: Organization, call: Call) -> dict[str, Any]:
    wanted: dict[str, Any] = _monitor(call.body, "")
    if wanted.get("service") is not None and wanted["service"] not in org.services:
        raise Refusal(400, "The service does not exist.")
    for scope in [*wanted.get("scopes", []), *wanted.get("excludeScopes", [])]:
        if not (org.role_exists(scope) if ":" in scope else scope in org.services):
            raise Refusal(400, f"The scope {scope} does not exist.")
    return wanted


ROUTES: Routes = (
    ("POST", "/monitors", create),
    ("GET", "/monitors", list_monitors),
    ("GET", "/monitors/<monitor>", get),
    ("PUT", "/monitors/<monitor>", update),
    ("DELETE", "/monitors/<monitor>", delete),
)
