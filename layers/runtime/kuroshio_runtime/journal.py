"""What the runtime itself writes to the log, in the format that the function's configuration asks for."""

import os
import sys
import time

from kuroshio_runtime import wire
from kuroshio_runtime.invocation import present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kuroshio_runtime.api import Answer


def is_json() -> bool:
    """Whether AWS_LAMBDA_LOG_FORMAT asks for one JSON object per line."""
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def timestamp(seconds: float) -> str:
    """UTC, to the millisecond, as ``2026-11-21T04:05:06.789Z``."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds * 1000) % 1000:03d}Z"


def note(level: str, message: str) -> None:
    """One line of the runtime's own."""
    request_id = present.invocation.request_id if present.invocation else ""
    if not is_json():
        write(f"[{level}]\t{timestamp(time.time())}\t{request_id}\t{message}\n")
        return
    line = {"timestamp": timestamp(time.time()), "level": level, "message": message, "requestId": request_id}
    write(wire.render_leniently({name: field for name, field in line.items() if field}) + "\n")


def refused(what: str, answer: "Answer") -> None:
    """Lambda did not take a response or an error: it was late, too large, or answered already. Life goes on."""
    note("WARN", f"Lambda refused the {what} with status {answer.status}: {answer.body[:300].decode(errors='replace')}")


def failure(document: "dict[str, Any]", level: str = "ERROR") -> None:
    """The error document, as AWS's Python runtime logs it."""
    if is_json():
        line = {"timestamp": timestamp(time.time()), "level": level, **document}
        write(wire.render_leniently(line) + "\n")
        return
    lines = [f"[{level}] {document['errorType']}: {document['errorMessage']}"]
    if document["stackTrace"]:
        lines.append("Traceback (most recent call last):")
    for entry in document["stackTrace"]:
        lines += [hold_indent(line) for line in entry.splitlines()]
    # Without a log channel each line feed starts an event of its own in CloudWatch.
    write("\r".join(line for text in lines for line in text.splitlines()) + "\n")


def hold_indent(line: str) -> str:
    """Leading blanks as no-break spaces: CloudWatch strips the others."""
    bare = line.lstrip(" ")
    return "\u00a0" * (len(line) - len(bare)) + bare


def write(text: str) -> None:
    """Text to the log, past whatever the handler made of sys.stdout but after what it printed there."""
    try:
        sys.stdout.flush()
    except Exception:  # noqa: BLE001, S110 - the handler closed it, or replaced it with anything
        pass
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:  # the handler closed the descriptor: there is no log any more
        return
