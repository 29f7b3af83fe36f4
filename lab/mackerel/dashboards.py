"""/api/v0/dashboards, with their widgets. An urlPath that exists is answered with 409."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal
from lab.mackerel.fields import array, by_type, document, flag, integer, number, one_of, text
from lab.mackerel.organization import found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_PATH = r"([A-Za-z0-9_][-A-Za-z0-9_]*)(/[A-Za-z0-9_][-A-Za-z0-9_]*)*"
_COLUMNS = 24
_query = {"query": text(least=1), "legend": text()}
_SOURCES = {
    "host": {"hostId": text(), "name": text()},
    "service": {"serviceName": text(), "name": text()},
    "expression": {"expression": text(least=1)},
    "query": _query,
    "unknown": {},
}
_graph = by_type(_SOURCES | {"role": {"roleFullname": text(), "name": text(), "isStacked?": flag()}}, {})
_metric = by_type(_SOURCES, {})
_range = by_type({
    "relative": {"period": integer(0), "offset": integer()},
    "absolute": {"start": integer(0), "end": integer(0)},
}, {})  # fmt: skip
_line = document({"label": text(least=1, most=32), "value": number(0)})
_rule = document({"name?": text(most=32), "threshold": number(), "operator": one_of(">", "<")})
_WIDGETS = {
    "graph": {
        "graph": _graph,
        "range?": _range,
        "valueRange?": document({"min?": number(), "max?": number()}),
        "referenceLines?": array(_line, most=1),
        "legendList?": array(document({"name": text()})),
    },
    "value": {
        "metric": _metric,
        "fractionSize?": integer(0, 16),
        "suffix?": text(),
        "formatRules?": array(_rule, most=1),
    },
    "markdown": {"markdown": text()},
    "alertStatus": {"roleFullname?": text()},
}
_SMALLEST = {"graph": (6, 6), "value": (4, 4), "markdown": (4, 2), "alertStatus": (4, 3)}
# The documents say so of reference lines; of the rest they say nothing, so it can be tried both ways.
_BLANK: dict[str, dict[str, Any]] = {
    "graph": {"range": None, "valueRange": {"min": None, "max": None}, "referenceLines": [], "legendList": []},
    "value": {"fractionSize": 0, "suffix": "", "formatRules": []},
    "alertStatus": {"roleFullname": None},
}
_layout = document({"x": integer(0), "y": integer(0), "width": integer(1, _COLUMNS), "height": integer(1, 80)})
_widget = by_type(_WIDGETS, {"title": text(), "layout": _layout})
_dashboard = document(
    {"title": text(least=1), "memo": text(), "urlPath": text(matching=_PATH), "widgets": array(_widget)}
)


def create(org: Organization, call: Call) -> Any:
    wanted = _judged(org, call, None)
    if len(org.dashboards) >= org.rules.most_dashboards:
        raise Refusal(403, "The limit of dashboards is reached.")
    key = org.new_id("dashboard")
    org.dashboards[key] = {"id": key, **wanted, "createdAt": int(call.now), "updatedAt": int(call.now)}
    return org.dashboards[key]


def list_dashboards(org: Organization, _: Call) -> Any:
    """All of them, without their widgets, as the official client's comment says."""
    return {
        "dashboards": [
            {name: value for name, value in entry.items() if name != "widgets"} for entry in org.dashboards.values()
        ]
    }


def get(org: Organization, call: Call) -> Any:
    return found(org.dashboards, call.path["dashboard"], "Dashboard")


def update(org: Organization, call: Call) -> Any:
    key = call.path["dashboard"]
    entry = found(org.dashboards, key, "Dashboard")
    entry.update(_judged(org, call, key), updatedAt=int(call.now))
    return entry


def delete(org: Organization, call: Call) -> Any:
    found(org.dashboards, call.path["dashboard"], "Dashboard")
    return org.dashboards.pop(call.path["dashboard"])


def _judged(org: Organization, call: Call, ours: str | None) -> dict[str, Any]:
    wanted: dict[str, Any] = _dashboard(call.body, "")
    if any(entry["urlPath"] == wanted["urlPath"] and key != ours for key, entry in org.dashboards.items()):
        raise Refusal(409, "urlPath is used already.")
    taken: set[tuple[int, int]] = set()
    for widget in wanted["widgets"]:
        cells = _cells(widget)
        if taken & cells:
            raise Refusal(400, f"The widget {widget['title']!r} overlaps another.")
        taken |= cells
    if org.rules.echoes_defaults:
        wanted["widgets"] = [_BLANK.get(widget["type"], {}) | widget for widget in wanted["widgets"]]
    return wanted


def _cells(widget: dict[str, Any]) -> set[tuple[int, int]]:
    x, y, width, height = (widget["layout"][name] for name in ("x", "y", "width", "height"))
    least = _SMALLEST[widget["type"]]
    highest = 80 if widget["type"] == "markdown" else 32
    if width < least[0] or height < least[1] or height > highest or x + width > _COLUMNS:
        raise Refusal(400, f"The widget {widget['title']!r} has an impossible layout.")
    return {(column, row) for column in range(x, x + width) for row in range(y, y + height)}


ROUTES: Routes = (
    ("POST", "/dashboards", create),
    ("GET", "/dashboards", list_dashboards),
    ("GET", "/dashboards/<dashboard>", get),
    ("PUT", "/dashboards/<dashboard>", update),
    ("DELETE", "/dashboards/<dashboard>", delete),
)
