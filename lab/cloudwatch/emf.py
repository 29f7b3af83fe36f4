"""The embedded metric format: figures in a line of a function's log.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_LARGEST_ARRAY = 100


@dataclass(frozen=True)
class Datum:
    """The values of one metric, at one moment (seconds since 1970), under one set of dimensions."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]
    values: tuple[float, ...]
    unit: str
    at: float


def metrics_of(line: str) -> Iterator[Datum]:
    """The figures of a log line; none of one that is no embedded metric. What the specification rules out is left out."""
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
    except ValueError:
        return
    about = document.get("_aws") if isinstance(document, dict) else None
    if not isinstance(about, dict) or not isinstance(about.get("Timestamp"), int):
        return
    for directive in about.get("CloudWatchMetrics") or []:
        for metric in directive.get("Metrics") or []:
            yield from _data(document, directive, metric, about["Timestamp"] / 1000)


def _data(
    document: Mapping[str, Any], directive: Mapping[str, Any], metric: Mapping[str, Any], at: float
) -> Iterator[Datum]:
    values = _values(document.get(metric["Name"]))
    if not values:
        return
    for names in directive.get("Dimensions") or [[]]:
        if all(isinstance(document.get(name), str) for name in names):
            dimensions = tuple(sorted((name, document[name]) for name in names))
            yield Datum(directive["Namespace"], metric["Name"], dimensions, values, metric.get("Unit") or "None", at)


def _values(given: Any) -> tuple[float, ...]:
    found = given if isinstance(given, list) else [given]
    if len(found) > _LARGEST_ARRAY or not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in found):
        return ()
    return tuple(float(value) for value in found)
