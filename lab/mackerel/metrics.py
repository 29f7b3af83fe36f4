"""Service metrics and host metrics: one value per name and minute, the last one posted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import SUCCESS, Refusal
from lab.mackerel.fields import array, document, number, text
from lab.mackerel.organization import MINUTE, Series, found

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

_NAME = r"[a-zA-Z0-9._-]+"
# A fractional time is accepted by the live API (yutailang0119/action-mackerel-api posts one).
_point = document({"name": text(matching=_NAME), "time": number(0), "value": number()})
_host_point = document({"hostId": text(), "name": text(matching=_NAME), "time": number(0), "value": number()})


def post_service_metrics(org: Organization, call: Call) -> Any:
    """All points or none. One that is older than 24 hours is dropped, and the answer is the same."""
    service = call.path["service"]
    org.service(service)
    _within_the_minute(org, service, call.now)
    points = array(_point, most=org.rules.most_points)(call.body, "")
    if any(len(point["name"]) > (org.rules.longest_name or len(point["name"])) for point in points):
        raise Refusal(400, "A metric name is too long.")
    for point in points:
        org.write(Series("service", service, point["name"]), point["time"], point["value"])
        org.hidden_graphs.discard((service, _graph_of(point["name"])))
    return SUCCESS


def get_service_metrics(org: Organization, call: Call) -> Any:
    org.service(call.path["service"])
    return _values(org, Series("service", call.path["service"], call.query.get("name", "")), call)


def list_service_metric_names(org: Organization, call: Call) -> Any:
    org.service(call.path["service"])
    return {"names": org.names("service", call.path["service"])}


def delete_service_graph(org: Organization, call: Call) -> Any:
    """Forget a graph that Mackerel made by itself; the next post of one of its metrics makes it again."""
    service, graph = call.path["service"], call.path["graph"]
    org.service(service)
    shown = {_graph_of(name) for name in org.names("service", service)} - {
        g for s, g in org.hidden_graphs if s == service
    }
    if graph not in shown:
        raise Refusal(404, "Graph definition not found.")
    org.hidden_graphs.add((service, graph))
    return SUCCESS


def post_host_metrics(org: Organization, call: Call) -> Any:
    points = array(_host_point, most=org.rules.most_points)(call.body, "")
    unknown = [point["hostId"] for point in points if point["hostId"] not in org.hosts]
    if unknown:
        raise Refusal(400, f"Unknown host: {unknown[0]}.")
    for point in points:
        org.write(Series("host", point["hostId"], point["name"]), point["time"], point["value"])
    return SUCCESS


def get_host_metrics(org: Organization, call: Call) -> Any:
    found(org.hosts, call.path["host"], "Host")
    return _values(org, Series("host", call.path["host"], call.query.get("name", "")), call)


def latest_host_metrics(org: Organization, call: Call) -> Any:
    latest: dict[str, dict[str, Any]] = {}
    for host in call.query.getlist("hostId"):
        found(org.hosts, host, "Host")
        latest[host] = {}
        for name in call.query.getlist("name"):
            stored = org.points.get(Series("host", host, name))
            if stored:
                latest[host][name] = {"time": max(stored), "value": stored[max(stored)]}
    return {"tsdbLatest": latest}


def list_host_metric_names(org: Organization, call: Call) -> Any:
    found(org.hosts, call.path["host"], "Host")
    return {"names": org.names("host", call.path["host"])}


def _within_the_minute(org: Organization, service: str, now: float) -> None:
    key = (service, int(now) // MINUTE)
    org.posts[key] += 1
    most = org.rules.requests_per_minute
    if most is not None and org.posts[key] > most:
        raise Refusal(429, "Too many requests in this minute.", org.rules.retry_after)


def _values(org: Organization, series: Series, call: Call) -> Any:
    first, last = call.whole_number("from"), call.whole_number("to")
    if series not in org.points:
        raise Refusal(404, "Metric not found.")
    return {"metrics": [{"time": minute, "value": value} for minute, value in org.between(series, first, last)]}


def _graph_of(name: str) -> str:
    return f"{name.rpartition('.')[0]}.*"


ROUTES: Routes = (
    ("POST", "/services/<service>/tsdb", post_service_metrics),
    ("GET", "/services/<service>/metrics", get_service_metrics),
    ("GET", "/services/<service>/metric-names", list_service_metric_names),
    ("DELETE", "/services/<service>/graph-defs/<graph>", delete_service_graph),
    ("POST", "/tsdb", post_host_metrics),
    ("GET", "/tsdb/latest", latest_host_metrics),
    ("GET", "/hosts/<host>/metrics", get_host_metrics),
    ("GET", "/hosts/<host>/metric-names", list_host_metric_names),
)
