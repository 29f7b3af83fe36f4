"""A workflow step that posts its ten figures to Mackerel itself, with mackerel.client, in one request.

Reads numbers of steps from standard input; answers each with a JSON line: the seconds that each step waited, or null where
its figures were refused. Runs in the client's own environment, so it imports nothing of ours.
"""

import json
import logging
import sys
import time

from mackerel.client import Client, MackerelClientError

QUIET = logging.getLogger("quiet")
client = Client(logger=QUIET, mackerel_origin=sys.argv[1], mackerel_api_key="lab-key")

for line in sys.stdin:
    waited = []
    for _ in range(int(line)):
        began = time.perf_counter()
        now = int(time.time())
        try:
            client.post_service_metrics("shop", [{"name": f"orders.n{n}", "time": now, "value": 1} for n in range(10)])
        except MackerelClientError:
            waited.append(None)
        else:
            waited.append(time.perf_counter() - began)
    print(json.dumps(waited), flush=True)
