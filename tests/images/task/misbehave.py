# ruff: noqa: T201 - a function speaks by printing
"""A function that does what its event says."""

import os
import sys
import time
from pathlib import Path
from typing import Any


def handle(event: dict[str, Any], context: Any) -> Any:
    print("to stdout")
    print("to stderr", file=sys.stderr)
    if "raise" in event:
        raise ValueError(event["raise"])
    if "exit" in event:
        os._exit(event["exit"])
    if "sleep" in event:
        time.sleep(event["sleep"])
    if "write" in event:
        Path(event["write"]).write_text("x")
    if "return" in event:
        return event["return"]
    return {
        "request": context.aws_request_id,
        "uid": os.getuid(),
        "pid": os.getpid(),
        "host": os.uname().nodename,
        "env": dict(os.environ),
    }
