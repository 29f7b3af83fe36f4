"""A MetricsService on this machine; prints its port, then one JSON line per request. The key says what it answers."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as service_grpc

REFUSALS = {
    "wrong": grpc.StatusCode.UNAUTHENTICATED,
    "away": grpc.StatusCode.UNAVAILABLE,
    "bad": grpc.StatusCode.INVALID_ARGUMENT,
}


def tell(line: Any) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Metrics(service_grpc.MetricsServiceServicer):
    def Export(self, request: Any, context: Any) -> Any:  # noqa: N802 - the service's own name
        key = dict(context.invocation_metadata()).get("mackerel-api-key", "")
        if key in REFUSALS:
            context.abort(REFUSALS[key], f"the key says {key}")
        tell(MessageToDict(request))
        answer = service.ExportMetricsServiceResponse()
        if key == "partial":
            answer.partial_success.rejected_data_points = 1
            answer.partial_success.error_message = "too many labels"
        return answer


server = grpc.server(ThreadPoolExecutor(2))
service_grpc.add_MetricsServiceServicer_to_server(Metrics(), server)
tell(server.add_insecure_port("127.0.0.1:0"))
server.start()
server.wait_for_termination()
