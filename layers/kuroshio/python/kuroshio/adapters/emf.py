"""The same figures as CloudWatch metrics, through Powertools where it is installed."""

from __future__ import annotations

import os
from collections import defaultdict
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.mackerel.points import Point


def is_wanted() -> bool:
    """Whether Powertools is there, and nobody said ``KUROSHIO_METRICS_EMF=off``."""
    return os.environ.get("KUROSHIO_METRICS_EMF", "") != "off" and find_spec("aws_lambda_powertools") is not None


def write(points: Iterable[Point]) -> None:
    """Print the points as EMF, under their own times; no call, and nothing of the user's own ``Metrics`` is touched.

    The namespace is Powertools' own setting or the Mackerel service, the dimension ``service`` is Powertools' own or
    the function's name.
    """
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    groups: defaultdict[tuple[str, int | None], list[Point]] = defaultdict(list)
    for point in points:
        groups[point.service, None if point.floating else point.time].append(point)
    for (service, at), members in groups.items():
        namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or service
        name = os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or service
        metrics = EphemeralMetrics(namespace=namespace, service=name)
        if at is not None:
            metrics.set_timestamp(at * 1000)
        for point in members:
            metrics.add_metric(point.name, MetricUnit.NoUnit, point.value)
        metrics.flush_metrics()
