"""The dashboard: runs, deployments, the DORA figures, the outbox and alerts, in Mackerel's grid of 24 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.mackerel.catalogue import FIGURES, STATUSES, figure
from kuroshio.mackerel.definitions.marks import with_mark

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.mackerel.definitions.settings import Graph, Settings

_COLUMNS, _HALF = 24, 12
_HIGH, _VALUE = 8, 5
_HOUR = 3600


class _Grid:
    """Places widgets from left to right, row by row; a row is as high as its highest."""

    def __init__(self) -> None:
        self.widgets: list[dict[str, Any]] = []
        self._x = self._y = self._height = 0

    def add(self, widget: dict[str, Any], width: int, height: int) -> None:
        if self._x + width > _COLUMNS:
            self.end_row()
        layout = {"x": self._x, "y": self._y, "width": width, "height": height}
        self.widgets.append({**widget, "layout": layout})
        self._x, self._height = self._x + width, max(self._height, height)

    def end_row(self) -> None:
        self._x, self._y, self._height = 0, self._y + self._height, 0


def dashboard(settings: Settings, service: str) -> dict[str, Any]:
    """The document of the dashboard, as it is sent."""
    grid = _Grid()
    _head(grid, settings, service)
    _delivery(grid, service)
    for watched in settings.workflows:
        ends = [figure(f"runs.*.{status}").of(watched.name) for status in ("started", *STATUSES.values())]
        duration = figure("runs.*.duration").of(watched.name)
        grid.add(_graph(f"{watched.name}: runs", [_line(service, name) for name in ends]), _HALF, _HIGH)
        grid.add(_graph(f"{watched.name}: seconds", [_line(service, duration)]), _HALF, _HIGH)
    grid.end_row()
    for title, graph in (("Plans", "changes"), ("Units deployed", "deployments"), ("Given up", "outbox")):
        grid.add(_graph(title, _lines(service, graph)), _HALF, _HIGH)
    for own in settings.graphs:
        grid.add(_own(own, service), _HALF, _HIGH)
    memo = with_mark(settings.memo, "dashboard", service)
    return {
        "title": settings.title or service,
        "memo": memo,
        "urlPath": settings.path or service,
        "widgets": grid.widgets,
    }


def _head(grid: _Grid, settings: Settings, service: str) -> None:
    grid.add({"type": "markdown", "title": "What is here", "markdown": _words(service)}, 16, 6)
    if settings.roles:
        role = f"{service}:{settings.roles[0][0]}"
        grid.add({"type": "alertStatus", "title": "Alerts of the checks", "roleFullname": role}, 8, 6)
    grid.end_row()


def _delivery(grid: _Grid, service: str) -> None:
    for title, name, divisor, suffix in (
        ("Deployments in 30 days", "dora.deployments", 1, ""),
        ("Merge to live, median", "dora.lead_time", _HOUR, "h"),
        ("Deployments that failed", "dora.change_failure_rate", 1, "%"),
        ("Time to restore, median", "dora.time_to_restore", _HOUR, "h"),
    ):
        grid.add(_value(title, _scaled(service, name, divisor), suffix, 0 if not suffix else 1), 6, _VALUE)
    grid.end_row()
    hours = [_aliased(_scaled(service, name, _HOUR), name) for name in ("dora.lead_time", "dora.time_to_restore")]
    grid.add(_graph("Hours from merge to live, and to restore", hours), _HALF, _HIGH)
    rest = [_line(service, name) for name in ("dora.deployments", "dora.change_failure_rate")]
    grid.add(_graph("Deployments in 30 days, and % that failed", rest), _HALF, _HIGH)
    grid.end_row()


def _words(service: str) -> str:
    graphs: dict[str, list[str]] = {}
    for each in FIGURES:
        graphs.setdefault(each.graph, []).append(each.name.rpartition(".")[2])
    rows = [f"- {name}: {', '.join(figures)}" for name, figures in graphs.items()]
    return "\n".join([f"What Kuroshio publishes to **{service}**; made by `kuroshio mackerel apply`.", "", *rows])


def _own(graph: Graph, service: str) -> dict[str, Any]:
    widget = _graph(graph.title, [_line(service, name) for name in graph.metrics])
    if graph.stacked:
        widget["graph"]["expression"] = f"stack({widget['graph']['expression']})"
    return widget


def _lines(service: str, graph: str) -> list[str]:
    return [_line(service, each.name) for each in FIGURES if each.graph == graph]


def _line(service: str, metric: str) -> str:
    return _aliased(_metric(service, metric), metric)


def _aliased(expression: str, metric: str) -> str:
    return f"alias({expression}, '{metric.rpartition('.')[2]}')"


def _scaled(service: str, metric: str, divisor: int) -> str:
    return _metric(service, metric) if divisor == 1 else f"scale({_metric(service, metric)}, 1/{divisor})"


def _metric(service: str, metric: str) -> str:
    return f"service('{service}', '{metric}')"


def _graph(title: str, lines: Iterable[str]) -> dict[str, Any]:
    """An expression and not the service's own graph: that one mixes counts with seconds, by the names' last dot."""
    expression = f"group({', '.join(lines)})"
    return {"type": "graph", "title": title, "graph": {"type": "expression", "expression": expression}}


def _value(title: str, expression: str, suffix: str, digits: int) -> dict[str, Any]:
    metric = {"type": "expression", "expression": expression}
    return {"type": "value", "title": title, "metric": metric, "fractionSize": digits, "suffix": suffix}
