"""Calls the fake through the public PyPI client, unchanged; prints one JSON line per call: [what, answer or error]."""

import json
import logging
import sys
from collections.abc import Callable
from typing import Any

from mackerel.client import Client, MackerelClientError

ORIGIN, NOW, HOST = sys.argv[1], int(sys.argv[2]), sys.argv[3]
QUIET = logging.getLogger("quiet")


def tell(what: str, call: Callable[[], Any]) -> None:
    try:
        answer = call()
    except MackerelClientError as error:
        answer = {"error": str(error).rpartition(": ")[2]}
    sys.stdout.write(json.dumps([what, answer], default=vars) + "\n")


client = Client(logger=QUIET, mackerel_origin=ORIGIN, mackerel_api_key="lab-key")
reader = Client(logger=QUIET, mackerel_origin=ORIGIN, mackerel_api_key="lab-read-only-key")
stranger = Client(logger=QUIET, mackerel_origin=ORIGIN, mackerel_api_key="wrong")
point = {"name": "orders.shipped", "time": NOW, "value": 3}

tell("post_service_metrics", lambda: client.post_service_metrics("shop", [point]))
tell("post_service_metrics read only", lambda: reader.post_service_metrics("shop", [point]))
tell("post_service_metrics with a wrong key", lambda: stranger.post_service_metrics("shop", [point]))
tell("post_service_metrics to nobody", lambda: client.post_service_metrics("nobody", [point]))
tell("get_hosts", lambda: [host.id for host in client.get_hosts(service="shop", role="web")])
tell("get_host", lambda: client.get_host(HOST).roles)
tell("update_host_status", lambda: client.update_host_status(HOST, "maintenance"))
tell(
    "post_metrics",
    lambda: client.post_metrics([{"hostId": HOST, "name": "custom.lag.orders", "time": NOW, "value": 4}]),
)
tell("get_latest_metrics", lambda: client.get_latest_metrics([HOST], ["custom.lag.orders"]))
tell("retire_host", lambda: client.retire_host(HOST))
tell("get_host after that", lambda: client.get_host(HOST).is_retired)
for _ in range(10):
    tell("too many", lambda: client.post_service_metrics("shop", [point]))
