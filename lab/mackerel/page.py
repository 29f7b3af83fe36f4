"""The page that a person looks at: every series with its annotations, checks, alerts; one HTML file, drawn on the server."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from html import escape
from typing import TYPE_CHECKING, Any

from kuroshio.mackerel.catalogue import figure_of
from lab.mackerel.plot import Line, Span, plotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.mackerel.app import Received
    from lab.mackerel.organization import Organization, Series

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1b2733;--faint:#6b7885;--rule:#dfe5ea}
@media(prefers-color-scheme:dark){:root{--paper:#12181e;--ink:#e3eaf0;--faint:#8a98a5;--rule:#2b363f}}
body{margin:0 auto;max-width:1180px;padding:24px;background:var(--paper);color:var(--ink);font:14px/1.5 system-ui,sans-serif}
h1{font-size:22px;margin:0}h2{font-size:17px;margin:32px 0 8px;border-bottom:1px solid var(--rule)}p{color:var(--faint);margin:2px 0}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(520px,1fr));gap:16px}figure{margin:0}figcaption{font-weight:600}
svg{width:100%;height:auto;display:block}svg text{fill:var(--faint);font:11px system-ui,sans-serif}svg .axis{stroke:var(--rule)}
table{border-collapse:collapse}td,th{text-align:left;padding:3px 18px 3px 0;border-bottom:1px solid var(--rule);vertical-align:top}
.key{display:inline-block;width:10px;height:10px;margin:0 4px 0 10px;border-radius:2px}.key:first-child{margin-left:0}
.OK{color:#1b9e77}.WARNING{color:#c98a00}.CRITICAL{color:#d0312d}.UNKNOWN{color:#7a6fbe}
"""
_SHORT = 15 * 60  # seconds that are too few for a clock without them
COLOURS = ("#2c7fb8", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#a6761d", "#66a61e", "#666666")


def drawn(org: Organization, received: list[Received], *, story: str = "", outages: Sequence[Span] = ()) -> str:
    """The whole page; it loads nothing. ``story`` is HTML that stands first, ``outages`` are marked in every graph."""
    graphs = "".join(_graphs(org, outages)) or "<p>Nothing was posted yet.</p>"
    now = _clock_time(org, org.clock())
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(org.name)}: Mackerel</title>'
        f"<style>{_STYLE}</style><h1>{escape(org.name)}</h1>"
        f"<p>The lab's Mackerel at {now}. {_tally(org, received)}</p>{story}{graphs}{_checks(org)}{_alerts(org)}{_annotations(org)}</html>"
    )


def _graphs(org: Organization, outages: Sequence[Span]) -> Iterable[str]:
    owners: defaultdict[tuple[str, str], defaultdict[str, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in sorted(org.points):
        owners[series.kind, series.owner][_graph_of(series.name)].append(series)
    window = _window(org, outages) if outages else None
    for (kind, owner), graphs in owners.items():
        label = owner if kind == "service" else org.hosts[owner]["name"] if owner in org.hosts else owner
        yield f"<h2>{kind} {escape(label)}</h2><main>"
        ours = [entry for entry in _in_order(org) if kind == "service" and entry["service"] == owner]
        spans = [*outages, *(_span(str(number), entry) for number, entry in enumerate(ours, start=1))]
        for graph, members in graphs.items():
            yield _figure(org, graph, members, spans, window)
        yield "</main>"


def _graph_of(name: str) -> str:
    """The name up to its last dot, as Mackerel groups service metrics; and their unit, which Mackerel does not know."""
    known = figure_of(name)
    prefix = name.rpartition(".")[0] or name
    return f"{prefix} ({known.unit})" if known and known.unit != "integer" else prefix


def _window(org: Organization, outages: Sequence[Span]) -> tuple[float, float]:
    """From the first point to now: every graph shows the same time, where it is about an outage."""
    first = min([minute for points in org.points.values() for minute in points] + [int(outages[0].first)])
    return first - 15.0, org.clock()


def _in_order(org: Organization) -> list[dict[str, Any]]:
    return sorted(org.annotations.values(), key=lambda entry: (entry["from"], entry["to"]))


def _figure(
    org: Organization, graph: str, members: list[Series], spans: list[Span], window: tuple[float, float] | None
) -> str:
    lines = [
        Line(series.name.rpartition(".")[2], COLOURS[index % len(COLOURS)], sorted(org.points[series].items()))
        for index, series in enumerate(members)
    ]
    keys = "".join(f'<span class="key" style="background:{line.colour}"></span>{escape(line.name)}' for line in lines)
    form = "%H:%M:%S" if window and window[1] - window[0] < _SHORT else "%H:%M"
    picture = plotted(lines, spans, lambda at: _clock_time(org, at, form), window)
    return f"<figure><figcaption>{escape(graph)}</figcaption>{picture}<p>{keys}</p></figure>"


def _span(mark: str, entry: dict[str, str]) -> Span:
    return Span(f"{mark}: {entry['title']}", float(entry["from"]), float(entry["to"]), mark)


def _tally(org: Organization, received: list[Received]) -> str:
    statuses = Counter(str(line.status) if line.status else "no answer" for line in received)
    answers = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    dropped = f" {len(org.dropped)} points older than 24 hours were dropped in silence." if org.dropped else ""
    return f"{len(received)} requests ({answers or 'none'}).{dropped}"


def _checks(org: Organization) -> str:
    latest = {
        (host, name): entry for (host, name, _), entry in sorted(org.reports.items(), key=lambda item: item[0][2])
    }
    rows = [
        (
            org.hosts[host]["name"],
            name,
            _badge(entry["status"]),
            _clock_time(org, entry["occurredAt"]),
            escape(entry["message"]),
        )
        for (host, name), entry in sorted(latest.items())
    ]
    return _table("Checks", ("host", "check", "status", "at", "message"), rows)


def _alerts(org: Organization) -> str:
    rows = [
        (_badge(alert["status"]), _clock_time(org, alert["openedAt"]), escape(_cause(org, alert["monitorId"])), closed)
        for alert in reversed(org.alerts.values())
        for closed in [_clock_time(org, alert["closedAt"]) if "closedAt" in alert else ""]
    ]
    return _table("Alerts", ("status", "opened", "monitor", "closed"), rows)


def _annotations(org: Organization) -> str:
    counts: Counter[str] = Counter()
    rows = []
    for entry in _in_order(org):
        counts[entry["service"]] += 1
        rows.append((
            str(counts[entry["service"]]),
            escape(entry["service"]),
            escape(entry["title"]),
            _clock_time(org, entry["from"]),
            _clock_time(org, entry["to"]),
        ))  # fmt: skip
    return _table("Annotations", ("in the graphs", "service", "title", "from", "to"), rows)


def _cause(org: Organization, monitor: str) -> str:
    checks = {key: f"check {name}" for (_, name), key in org.check_monitors.items()}
    return str(org.monitors[monitor]["name"]) if monitor in org.monitors else checks.get(monitor, monitor)


def _badge(status: str) -> str:
    return f'<b class="{status}">{status}</b>'


def _table(title: str, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _clock_time(org: Organization, at: float, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    return (datetime.fromtimestamp(at, UTC) + timedelta(seconds=org.rules.utc_offset)).strftime(form)
