"""Each call that passed the door, one JSON line each: who, what, on what, and how it ended."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Record:
    """``caller`` is a role's ARN, ``operator``, ``lab`` or ``unknown``; ``status`` is HTTP's; ``fault`` an injected one's kind."""

    at: float
    caller: str
    service: str
    operation: str
    resource: str
    status: int
    error: str = ""
    fault: str = ""
    detail: str = ""  # what else a policy's action or resource may hang on, such as a copy's source
    tags: dict[str, str] = field(
        default_factory=dict
    )  # of the resource before the call, where a policy may ask for them


class Recorder:
    """Appends to a file that outlives the lab, so that permissions can be judged afterwards."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)

    def add(self, record: Record) -> None:
        line = json.dumps(asdict(record), separators=(",", ":"))
        with self._lock:
            self._file.write(line + "\n")

    def close(self) -> None:
        self._file.close()


def read_records(path: Path) -> Iterator[Record]:
    """The recorded calls in order. A file that does not exist holds none."""
    if not path.exists():
        return
    with path.open() as lines:
        for line in lines:
            yield Record(**json.loads(line))
