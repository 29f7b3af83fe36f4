"""``mackerel.yaml``: which workflows are watched and how, and what a team wants to see and be told besides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.changes.places import read
from kuroshio.mackerel.catalogue import STATUSES, WORKFLOWS

if TYPE_CHECKING:
    from kuroshio.changes.places import Place

FILE = "mackerel.yaml"
UNITS = ("float", "integer", "percentage", "seconds", "milliseconds", "bytes", "bytes/sec", "bits/sec", "iops")
FAILURES = tuple(status for status in STATUSES.values() if status != "succeeded")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,62}")
_METRIC = re.compile(r"[a-zA-Z0-9._-]+")
_PATH = re.compile(r"[A-Za-z0-9_][-A-Za-z0-9_]*(/[A-Za-z0-9_][-A-Za-z0-9_]*)*")
_GRAPH = re.compile(r"custom(\.([-a-zA-Z0-9_]+|[*#]))+")
_DURATION = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60}
_WEEK = 7 * 24 * 60
_MOST = 200  # entries of any one list: each is a call to Mackerel, or a widget


@dataclass(frozen=True)
class Silence:
    """After how many minutes without a point somebody is told."""

    warning: int | None = None
    critical: int | None = None


@dataclass(frozen=True)
class Watched:
    """A workflow: which ends of a run alert, and how long it may be without a success."""

    name: str
    alert_on: tuple[str, ...] = ("failed", "timed_out")
    heartbeat: Silence = Silence()


@dataclass(frozen=True)
class Graph:
    """A graph of the team's own on the dashboard."""

    title: str
    metrics: tuple[str, ...]
    stacked: bool = False


@dataclass(frozen=True)
class Monitor:
    """A monitor of a service metric."""

    name: str
    metric: str
    operator: str = ">"
    warning: float | None = None
    critical: float | None = None
    points: int = 1
    attempts: int = 1
    missing: Silence = Silence()
    notify_every: int | None = None
    memo: str = ""


@dataclass(frozen=True)
class Line:
    """One line, or one wildcard's lines, of a graph definition."""

    name: str
    title: str
    stacked: bool


@dataclass(frozen=True)
class GraphDefinition:
    """How custom metrics of hosts are drawn. Service metrics have no definitions."""

    name: str
    title: str
    unit: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Settings:
    """The whole file; the defaults are what holds without one. ``service`` is empty where the environment's is meant."""

    service: str = ""
    memo: str = "Kuroshio: workflows, deployments and their outbox"
    roles: tuple[tuple[str, str], ...] = (("checks", "The host that carries check reports"),)
    workflows: tuple[Watched, ...] = tuple(Watched(name) for name in WORKFLOWS)
    silence: Silence = Silence(critical=30)
    has_dashboard: bool = True
    title: str = ""
    path: str = ""
    graphs: tuple[Graph, ...] = ()
    monitors: tuple[Monitor, ...] = ()
    definitions: tuple[GraphDefinition, ...] = field(default=())


def parse(content: bytes, file: str = FILE) -> Settings:
    """Read the file. Raises SettingsInvalid with file, line and column, what stands there, and what was expected."""
    place = read(content, file)
    if place.is_empty:
        return Settings()
    top = place.mapping(
        "service", "memo", "roles", "workflows", "silence", "dashboard", "monitors", "graph-definitions"
    )
    none = Settings()
    dashboard = top.get("dashboard")
    shows = dashboard is None or dashboard.value is not False
    board = dashboard.mapping("title", "path", "graphs") if dashboard is not None and shows else {}
    return Settings(
        service=_matching(top["service"], _NAME, "a service name") if "service" in top else "",
        memo=top["memo"].text("a text") if "memo" in top else none.memo,
        roles=tuple(_role(key, value) for key, value in _entries(top["roles"])) if "roles" in top else none.roles,
        workflows=tuple(_watched(key, value) for key, value in _entries(top["workflows"]))
        if "workflows" in top
        else none.workflows,
        silence=_silence(top["silence"]) if "silence" in top else none.silence,
        has_dashboard=shows,
        title=board["title"].text("a text") if "title" in board else "",
        path=_matching(board["path"], _PATH, "a path such as team/kuroshio") if "path" in board else "",
        graphs=tuple(_graph(each) for each in _few(board["graphs"])) if "graphs" in board else (),
        monitors=tuple(_monitor(key, value) for key, value in _entries(top.get("monitors"))),
        definitions=tuple(_definition(key, value) for key, value in _entries(top.get("graph-definitions"))),
    )


def _entries(place: Place | None) -> list[tuple[Place, Place]]:
    if place is None:
        return []
    pairs = place.pairs()
    if len(pairs) > _MOST:
        raise place.refused(f"at most {_MOST} entries, not {len(pairs)}")
    return pairs


def _few(place: Place) -> list[Place]:
    items = place.items("a list")
    if len(items) > _MOST:
        raise place.refused(f"at most {_MOST} entries, not {len(items)}")
    return items


def _matching(place: Place, pattern: re.Pattern[str], expected: str) -> str:
    text = place.text(expected)
    if not pattern.fullmatch(text):
        raise place.refused(f"{expected}, matching {pattern.pattern}")
    return text


def _role(key: Place, value: Place) -> tuple[str, str]:
    return _matching(key, _NAME, "a role's name"), "" if not value.value else value.text("what the role is for")


def _watched(key: Place, value: Place) -> Watched:
    name = key.text("the name of a workflow")
    if value.is_empty:
        return Watched(name)
    given = value.mapping("alert-on", "heartbeat")
    kinds = tuple(each.one_of(*FAILURES) for each in _few(given["alert-on"])) if "alert-on" in given else None
    heartbeat = _silence(given["heartbeat"]) if "heartbeat" in given else Silence()
    return Watched(name, Watched.alert_on if kinds is None else kinds, heartbeat)


def _silence(place: Place) -> Silence:
    """``26h``, or ``{warning: 25h, critical: 26h}``, or false for none."""
    if place.value is False:
        return Silence()
    if not isinstance(place.value, dict):
        return Silence(critical=_minutes(place))
    given = place.mapping("warning", "critical")
    return Silence(*(_minutes(given[level]) if level in given else None for level in ("warning", "critical")))


def _minutes(place: Place) -> int:
    expected = "a time in steps of 10 minutes, from 10m to 7d, such as 90m, 26h or 7d"
    found = _DURATION.fullmatch(place.text(expected))
    minutes = int(found[1]) * _MINUTES[found[2]] if found else 0
    if not 0 < minutes <= _WEEK or minutes % 10:
        raise place.refused(expected)
    return minutes


def _graph(place: Place) -> Graph:
    given = place.mapping("title", "metrics", "stacked", required=("title", "metrics"))
    metrics = tuple(_metric(each) for each in _few(given["metrics"]))
    if not metrics:
        raise given["metrics"].refused("at least one metric")
    stacked = given["stacked"].flag() if "stacked" in given else False
    return Graph(given["title"].text("a text"), metrics, stacked)


def _metric(place: Place) -> str:
    return _matching(place, _METRIC, "a metric's name")


def _monitor(key: Place, value: Place) -> Monitor:
    given = value.mapping(
        *("metric", "operator", "warning", "critical", "points", "attempts", "missing", "notify-every", "memo"),
        required=("metric",),
    )
    limits = {level: _number(given[level]) for level in ("warning", "critical") if level in given}
    missing = _silence(given["missing"]) if "missing" in given else Silence()
    if not limits and missing == Silence():
        raise value.refused("a mapping with at least one of: warning, critical, missing")
    return Monitor(
        _matching(key, re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}"), "a monitor's name"),
        _metric(given["metric"]),
        given["operator"].one_of(">", "<") if "operator" in given else ">",
        limits.get("warning"),
        limits.get("critical"),
        _whole(given["points"], 1, 10) if "points" in given else 1,
        _whole(given["attempts"], 1, 10) if "attempts" in given else 1,
        missing,
        _whole(given["notify-every"], 10, 10_080) if "notify-every" in given else None,
        given["memo"].text("a text") if "memo" in given else "",
    )


def _number(place: Place) -> float:
    if isinstance(place.value, bool) or not isinstance(place.value, int | float) or not abs(place.value) < 1e300:  # noqa: PLR2004
        raise place.refused("a number")
    return place.value


def _whole(place: Place, least: int, most: int) -> int:
    value = place.value
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise place.refused(f"a whole number from {least} to {most}")
    return value


def _definition(key: Place, value: Place) -> GraphDefinition:
    name = _matching(key, _GRAPH, "the name of a graph of custom metrics, custom.…")
    if name.count("#") > 1:
        raise key.refused("at most one # in the name")
    given = value.mapping("title", "unit", "metrics", required=("metrics",))
    lines = tuple(_line(name, each, more) for each, more in _entries(given["metrics"]))
    title = given["title"].text("a text") if "title" in given else name
    return GraphDefinition(name, title, given["unit"].one_of(*UNITS) if "unit" in given else "float", lines)


def _line(graph: str, key: Place, value: Place) -> Line:
    """A key is what comes after the graph's name: ``seconds`` in ``custom.backup.#`` is ``custom.backup.#.seconds``."""
    last = _matching(key, re.compile(r"[-a-zA-Z0-9_]+|[*#]"), "the last part of a metric's name")
    if last in "*#" and last not in graph:
        raise key.refused(f"a wildcard that stands in {graph} too")
    given = {} if value.is_empty else value.mapping("title", "stacked")
    title = given["title"].text("a text") if "title" in given else last
    return Line(f"{graph}.{last}", title, given["stacked"].flag() if "stacked" in given else False)
