"""/api/v0/downtimes: not idempotent, listed only as a whole, and partly void where they cross Sunday's end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal
from lab.mackerel.fields import array, document, integer, one_of, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_DAY = timedelta(days=1)
_SUNDAY = 6  # of datetime.weekday()
_scopes = (
    "serviceScopes",
    "serviceExcludeScopes",
    "roleScopes",
    "roleExcludeScopes",
    "monitorScopes",
    "monitorExcludeScopes",
)
_downtime = document({
    "name": text(least=1, most=100),
    "memo?": text(most=2048),
    "start": integer(0),
    "duration": integer(1),
    "recurrence?": document({
        "type": one_of("hourly", "daily", "weekly", "monthly", "yearly"),
        "interval": integer(1),
        "weekdays?": array(one_of(*_DAYS)),
        "until?": integer(0),
    }),
    **{f"{scope}?": array(text()) for scope in _scopes},
})  # fmt: skip


def create(org: Organization, call: Call) -> Any:
    wanted, key = _judged(org, call), org.new_id("downtime")
    org.downtimes[key] = {"id": key, "memo": "", **wanted}
    return org.downtimes[key]


def list_downtimes(org: Organization, _: Call) -> Any:
    return {"downtimes": list(org.downtimes.values())}


def update(org: Organization, call: Call) -> Any:
    key = call.path["downtime"]
    found(org.downtimes, key, "Downtime")
    org.downtimes[key] = {"id": key, "memo": "", **_judged(org, call)}
    return org.downtimes[key]


def delete(org: Organization, call: Call) -> Any:
    found(org.downtimes, call.path["downtime"], "Downtime")
    return org.downtimes.pop(call.path["downtime"])


def ends(downtime: dict[str, Any], utc_offset: int) -> float:
    """When a downtime really ends: one of 24 hours or more that crosses from Sunday to Monday is cut (howto/downtimes.md)."""
    start = datetime.fromtimestamp(downtime["start"], UTC) + timedelta(seconds=utc_offset)
    until = start + timedelta(minutes=downtime["duration"])
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight + _DAY * (_SUNDAY - start.weekday() + 1)
    if until - start >= _DAY and until > monday:
        until = start + _DAY if start.weekday() == _SUNDAY else monday
    return (until - timedelta(seconds=utc_offset)).timestamp()


def covers(org: Organization, downtime: dict[str, Any], monitor: str, services: set[str], now: float) -> bool:
    """Whether alerts of a monitor are silent now. Recurrences are kept but not played out: the first time counts."""
    wanted, without = set(downtime.get("serviceScopes", [])), set(downtime.get("serviceExcludeScopes", []))
    return (
        downtime["start"] <= now < ends(downtime, org.rules.utc_offset)
        and (not wanted or bool(services & wanted))
        and not services & without
        and monitor in downtime.get("monitorScopes", [monitor])
        and monitor not in downtime.get("monitorExcludeScopes", [])
    )


def _judged(org: Organization, call: Call) -> dict[str, Any]:
    wanted: dict[str, Any] = _downtime(call.body, "")
    recurrence = wanted.get("recurrence", {})
    if "weekdays" in recurrence and recurrence["type"] != "weekly":
        raise Refusal(400, "weekdays belong to a weekly recurrence.")
    known = {"service": org.services, "monitor": {*org.monitors, *org.check_monitors.values()}}
    for scope in _scopes:
        names = wanted.get(scope, [])
        if len(set(names)) != len(names):
            raise Refusal(400, f"{scope} is redundant.")
        kind = scope.removesuffix("Scopes").removesuffix("Exclude")
        if any(not (org.role_exists(name) if kind == "role" else name in known[kind]) for name in names):
            raise Refusal(400, f"{scope} names what does not exist.")
    return wanted


ROUTES: Routes = (
    ("POST", "/downtimes", create),
    ("GET", "/downtimes", list_downtimes),
    ("PUT", "/downtimes/<downtime>", update),
    ("DELETE", "/downtimes/<downtime>", delete),
)
