"""A workflow step that puts its ten figures into the outbox: one message. Otherwise as ``inline.py``."""

from __future__ import annotations

import json
import os
import sys
import time

os.environ |= {"AWS_ENDPOINT_URL_SQS": sys.argv[1], "AWS_DEFAULT_REGION": "us-east-1"}
os.environ |= {"AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench"}

from kuroshio.adapters import aws
from kuroshio.adapters.outbox import SqsOutbox
from kuroshio.mackerel.metrics import Metrics

calls = 0


def count(**_: object) -> None:
    """One call to AWS, whichever it is; a retry of botocore's counts too."""
    global calls  # noqa: PLW0603
    calls += 1


aws.client("sqs").meta.events.register("before-send.*", count)
outbox = SqsOutbox(f"{sys.argv[1]}/111122223333/outbox")
step = 0
for line in sys.stdin:
    waited = []
    for _ in range(int(line)):
        step += 1
        began = time.perf_counter()
        with Metrics(outbox, service="shop", origin=f"execution/{os.getpid()}/{step}", clock=time.time) as metrics:
            for n in range(10):
                metrics.put(f"orders.n{n}")
        waited.append(time.perf_counter() - began)
    print(json.dumps({"waited": waited, "calls": calls}), flush=True)
