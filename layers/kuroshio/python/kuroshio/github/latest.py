"""The newest plan of a pull request: a pointer that only moves forwards."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from kuroshio.errors import InvalidRequest
from kuroshio.github.event import Order

SCHEMA = "kuroshio.latest/1"


@dataclass(frozen=True)
class Latest:
    """Which plan is in force, and of which event it is."""

    order: Order
    head: str
    base: str
    plan: str
    report: str

    def write(self) -> bytes:
        """Return the pointer as it is kept."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}).encode()


class Pointers(Protocol):
    """Pointers to the newest plans."""

    def move(self, key: str, wanted: Latest) -> Latest:
        """Point to ``wanted`` unless something newer is pointed to; return what is in force afterwards."""

    def read(self, key: str) -> Latest:
        """Return what is in force. Raises NotFound."""


def key(repository: str, number: int) -> str:
    """Where a pull request's pointer is kept."""
    return f"latest/{repository}/pr-{number}.json"


def read(content: bytes) -> Latest:
    """Return the pointer that was written. Raises InvalidRequest when it is none of ours."""
    try:
        written: dict[str, Any] = json.loads(content)
        if written.pop("schema") != SCHEMA:
            raise InvalidRequest(f"this is no pointer of schema {SCHEMA}")
        return Latest(**{**written, "order": Order(**written["order"])})
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise InvalidRequest(f"this is no pointer of schema {SCHEMA}: {error!r}") from None
