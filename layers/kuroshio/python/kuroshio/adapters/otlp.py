"""Labelled figures to Mackerel by OTLP over gRPC, which it takes in no other way. Needs ``kuroshio[otlp]``."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kuroshio.errors import (
    AccessRefused,
    ConfigurationMissing,
    InvalidRequest,
    KuroshioError,
    RequestRefused,
    ServiceUnavailable,
)
from kuroshio.mackerel.labelled import Labelled, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.adapters.mackerel import ApiKey

ENDPOINT = "https://otlp.mackerelio.com:4317"
_TIMEOUT = 10.0  # seconds, as Mackerel's own exporter: it may take more than five
_REFUSED = ("UNAUTHENTICATED", "PERMISSION_DENIED")
# What the OTLP specification lets a client try again.
_TRANSIENT = (
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNAVAILABLE",
    "DATA_LOSS",
    "RESOURCE_EXHAUSTED",
)


class OtlpOutbox:
    """Implements ``mackerel.ports.Outbox`` for messages of labelled figures."""

    def __init__(self, key: ApiKey, endpoint: str = ENDPOINT, timeout: float = _TIMEOUT) -> None:
        """Raises InvalidRequest for an endpoint that would carry the key in the clear to another machine."""
        self._key, self._timeout = key, timeout
        self._address = urlsplit(endpoint)
        is_here = self._address.hostname in {"127.0.0.1", "::1", "localhost"}
        if self._address.scheme != "https" and not (self._address.scheme == "http" and is_here):
            raise InvalidRequest(f"the endpoint {endpoint!r:.80} is not https://HOST:PORT")

    def send(self, message: str) -> None:
        """Return once Mackerel has them; sent again, they are the same gauges of the same time.

        Raises ServiceUnavailable, AccessRefused, RequestRefused, and ConfigurationMissing without ``kuroshio[otlp]``.
        """
        try:
            import grpc
            from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
            from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
        except ImportError as error:
            raise ConfigurationMissing(f"labels need gRPC: install kuroshio[otlp] ({error})") from error

        request = service.ExportMetricsServiceRequest(resource_metrics=_resources(unpacked(message)))
        with self._channel(grpc) as channel:
            try:
                answer = MetricsServiceStub(channel).Export(
                    request, timeout=self._timeout, metadata=[("mackerel-api-key", self._key.value())]
                )
            except grpc.RpcError as error:
                raise _meaning(error.code().name)(f"OTLP: {error.code().name}: {error.details()}") from error
        if answer.partial_success.rejected_data_points:
            count, reason = answer.partial_success.rejected_data_points, answer.partial_success.error_message
            raise RequestRefused(f"OTLP: Mackerel refused {count} figures: {reason}")

    def _channel(self, grpc: Any) -> Any:
        where = self._address.netloc
        if self._address.scheme == "http":
            return grpc.insecure_channel(where)
        return grpc.secure_channel(where, grpc.ssl_channel_credentials())


def _resources(figures: Iterable[Labelled]) -> list[Any]:
    """One resource per service, one gauge per name, one data point per labels and time."""
    from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
    from opentelemetry.proto.metrics.v1.metrics_pb2 import Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics
    from opentelemetry.proto.resource.v1.resource_pb2 import Resource

    def attribute(name: str, value: str) -> KeyValue:
        return KeyValue(key=name, value=AnyValue(string_value=value))

    services: defaultdict[str, defaultdict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for each in figures:
        labels = [attribute(name, value) for name, value in each.labels]
        point = NumberDataPoint(attributes=labels, time_unix_nano=each.time * 10**9, as_double=each.value)
        services[each.service][each.name].append(point)
    return [
        ResourceMetrics(
            resource=Resource(attributes=[attribute("service.name", service)]),
            scope_metrics=[
                ScopeMetrics(
                    scope=InstrumentationScope(name="kuroshio"),
                    metrics=[Metric(name=name, gauge=Gauge(data_points=made)) for name, made in names.items()],
                )
            ],
        )
        for service, names in services.items()
    ]


def _meaning(code: str) -> type[KuroshioError]:
    if code in _REFUSED:
        return AccessRefused
    return ServiceUnavailable if code in _TRANSIENT else RequestRefused
