"""/api/v0/graph-defs: how custom host metrics are drawn. Service metrics have none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import SUCCESS, Refusal
from lab.mackerel.fields import array, document, flag, one_of, text

if TYPE_CHECKING:
    from lab.mackerel.answers import Call, Routes
    from lab.mackerel.organization import Organization

UNITS = ("float", "integer", "percentage", "seconds", "milliseconds", "bytes", "bytes/sec", "bits/sec", "iops")
_NAME = r"custom(\.([-a-zA-Z0-9_]+|[*#]))+"
_definition = document({
    "name": text(matching=_NAME),
    "displayName?": text(),
    "unit?": one_of(*UNITS),
    "metrics": array(
        document({"name": text(matching=_NAME), "displayName?": text(), "isStacked": flag()}),
    ),
})  # fmt: skip


def create(org: Organization, call: Call) -> Any:
    definitions = array(_definition)(call.body, "")
    for definition in definitions:
        _judge(definition)
    for definition in definitions:
        org.graph_definitions[definition["name"]] = {**definition, "_since": call.now}
    return SUCCESS


def delete(org: Organization, call: Call) -> Any:
    name = document({"name": text()})(call.body, "")["name"]
    forget_unused(org, call.now)
    if name not in org.graph_definitions:
        raise Refusal(400, "Unknown graph definition.")
    del org.graph_definitions[name]
    return SUCCESS


def forget_unused(org: Organization, now: float) -> None:
    """Drop wildcard definitions that no metric matched for hours: Mackerel does it by itself, so they must be posted again."""
    for name, definition in list(org.graph_definitions.items()):
        last = max([definition["_since"], *_last_matches(org, name)])
        if ("*" in name or "#" in name) and now - last > org.rules.wildcards_expire:
            del org.graph_definitions[name]


def _last_matches(org: Organization, name: str) -> list[float]:
    pattern = re.escape(name).replace(r"\*", "[-a-zA-Z0-9_]+").replace(r"\#", "[-a-zA-Z0-9_]+") + r"\.[-a-zA-Z0-9_]+"
    return [at for series, at in org.posted_at.items() if series.kind == "host" and re.fullmatch(pattern, series.name)]


def _judge(definition: dict[str, Any]) -> None:
    graph = definition["name"]
    if graph.count("#") > 1:
        raise Refusal(400, f"{graph}: # may stand once.")
    for metric in definition["metrics"]:
        name = metric["name"]
        if not name.startswith(f"{graph}."):
            raise Refusal(400, f"{name} must begin with {graph}.")
        if any(sign in name and sign not in graph for sign in "*#"):
            raise Refusal(400, f"{name}: a wildcard must stand in {graph} too.")


ROUTES: Routes = (("POST", "/graph-defs/create", create), ("DELETE", "/graph-defs", delete))
