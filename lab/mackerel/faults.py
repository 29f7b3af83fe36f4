"""Faults on demand: which requests go wrong, how, and for how long."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lab.mackerel.fields import document, flag, integer, number, one_of, text

if TYPE_CHECKING:
    from lab.mackerel.clock import Clock


class ConnectionDropped(ConnectionError):  # noqa: N818 - what happened, in the words of a network
    """The fake ended the connection without an answer; in one process, this is what the caller sees of it."""


@dataclass
class Fault:
    """What goes wrong with the requests that it matches, ``times`` times, or until a time of the clock, or for ever.

    - "status": answered with ``status`` (and Retry-After), unprocessed, or ``processed`` as a gateway's 504 may be
    - "slow": ``seconds`` pass, then it is answered as ever
    - "half-closed": processed, then the connection ends without an answer
    - "reset": the connection is reset, unprocessed
    """

    kind: str
    status: int = 503
    retry_after: int | None = None
    seconds: float = 0.0
    processed: bool = False
    times: int | None = None
    until: float | None = None
    path: str = ""  # a regular expression that is searched in the path
    method: str = ""

    @classmethod
    def parse(cls, wanted: Any) -> Fault:
        """A fault from its JSON form; 400 where it is not one."""
        return cls(**_fault(wanted, ""))

    def to_json(self) -> dict[str, Any]:
        """The fault's fields, as ``parse`` takes them."""
        return asdict(self)

    def spent(self, now: float) -> bool:
        """Whether it is over."""
        return self.times == 0 or (self.until is not None and now >= self.until)

    def matches(self, method: str, path: str) -> bool:
        """Whether it is about this request."""
        return (not self.method or method == self.method) and re.search(self.path, path) is not None


_fault = document({
    "kind": one_of("status", "slow", "half-closed", "reset"),
    "status?": integer(400, 599),
    "retry_after?": integer(0),
    "seconds?": number(0),
    "processed?": flag(),
    "times?": integer(1),
    "until?": number(0),
    "path?": text(),
    "method?": one_of("GET", "POST", "PUT", "DELETE"),
})  # fmt: skip


class Faults:
    """The faults in force, in the order in which they were added; the first that matches a request takes it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let it happen from now on."""
        self._faults.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._faults.clear()

    def in_force(self) -> list[Fault]:
        """Those that are not over."""
        self._faults = [fault for fault in self._faults if not fault.spent(self._clock())]
        return list(self._faults)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, if any."""
        for fault in self.in_force():
            if fault.matches(method, path):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
