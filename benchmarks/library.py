"""What the library costs a function: its import, the first figure, the client to SQS; each in processes of their own.

Seconds of processor time, the quickest of several processes. The client is the same one that boto3 would make.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks import report

_LAYER = Path(__file__).parents[1] / "layers/kuroshio/python"
_TIMES = 7
_STEPS = {
    "import boto3 (peer)": ("", "import boto3"),
    "import boto3 and make its SQS client (peer)": ("", "import boto3; boto3.client('sqs')"),
    "import Powertools' metrics (peer)": ("", "from aws_lambda_powertools.metrics import Metrics"),
    "from kuroshio import metrics": ("", "from kuroshio import metrics"),
    "import, and the first figure gathered": (
        "",
        "from kuroshio import metrics\nwith metrics.gathered('one'):\n metrics.put('orders.shipped', 3); 0/0",
    ),
    "the client to SQS, once per environment": ("from kuroshio.adapters import aws", "aws.client('sqs')"),
    "one more figure": (
        "from kuroshio import metrics; g = metrics.gathered('one'); g.__enter__(); metrics.put('orders.shipped', 3)",
        "for _ in range(1000): metrics.put('orders.shipped', 3)",
    ),
}


def _milliseconds(before: str, step: str) -> float:
    program = f"""
import sys, time, logging
logging.disable()
sys.path.insert(0, {str(_LAYER)!r})
{before}
begun = time.process_time()
try:
    exec({step!r})
except ZeroDivisionError:
    pass
print(1000 * (time.process_time() - begun))
import os
sys.stdout.flush()
os._exit(0)
"""
    env = {"AWS_DEFAULT_REGION": "ap-northeast-1", "KUROSHIO_METRICS_EMF": "off"}
    found = [
        float(subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, check=True).stdout)
        for _ in range(_TIMES)
    ]
    return min(found)


def main() -> None:
    """Measure every step."""
    rows = []
    for name, (before, step) in _STEPS.items():
        found = _milliseconds(before, step)
        rows.append(
            report.Row(name, found, "µs") if name == "one more figure" else report.Row(name, found, "ms")
        )  # a thousand of them
    report.write("library", rows)


if __name__ == "__main__":
    main()
