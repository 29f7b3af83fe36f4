"""The marks by which we know our own things again in Mackerel: whatever lacks one is somebody else's and is left alone."""

from __future__ import annotations

import re
from typing import Any

_MARK = re.compile(r"\[kuroshio ([a-z]+) ([A-Za-z0-9_-]+)/([^\]]*)\]")


def mark(kind: str, service: str, key: str = "") -> str:
    """The text in a memo that says whose it is: ``[kuroshio monitor kuroshio-dev/detect-changes failed]``."""
    return f"[kuroshio {kind} {service}/{key}]"


def with_mark(memo: str, kind: str, service: str, key: str = "") -> str:
    """The memo with its mark, at the end."""
    return f"{memo} {mark(kind, service, key)}".strip()


def key_of(entry: Any, kind: str, service: str) -> str | None:
    """The key in the mark of what Mackerel holds, or None where it is not ours or of another service."""
    for found in _MARK.finditer(entry.get("memo") or ""):
        if found[1] == kind and found[2] == service:
            return found[3]
    return None
