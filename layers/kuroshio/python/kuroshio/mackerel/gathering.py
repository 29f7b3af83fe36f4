"""What an invocation says, about itself and about parts of it that may be done again alone."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, SupportsFloat

from kuroshio.mackerel.messages import merged
from kuroshio.mackerel.metrics import Writer

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.messages import Parcel
    from kuroshio.mackerel.points import Combine


class Gathering:
    """One writer per origin, whose figures leave together. Threads may share it."""

    def __init__(self, *, service: str, origin: str, clock: Callable[[], float]) -> None:
        self._service, self._clock = service, clock
        self.origin = origin
        self._writers: dict[str, Writer] = {}
        self._lock = Lock()

    def put(
        self, origin: str, name: str, value: SupportsFloat, *, combine: Combine | str, at: float | None, service: str
    ) -> None:
        """Raises what ``Writer.put`` raises."""
        with self._lock:
            self._of(origin).put(name, value, combine=combine, at=at, service=service)

    def check(self, name: str, status: str, message: str, *, occurred_at: float) -> None:
        """Raises what ``Writer.check`` raises."""
        with self._lock:
            self._of(self.origin).check(name, status, message, occurred_at=occurred_at)

    def annotate(self, origin: str, title: str, *, first: float, last: float | None, description: str) -> None:
        """Raises what ``Writer.annotate`` raises."""
        with self._lock:
            self._of(origin).annotate(title, first=first, last=last, description=description)

    def downtime_begins(self, name: str, *, marker: str, first: float, last: float, service: str) -> None:
        """Raises what ``Writer.downtime_begins`` raises."""
        with self._lock:
            self._of(self.origin).downtime_begins(name, marker=marker, first=first, last=last, service=service)

    def downtime_ends(self, *, marker: str, at: float | None) -> None:
        """Raises what ``Writer.downtime_ends`` raises."""
        with self._lock:
            self._of(self.origin).downtime_ends(marker=marker, at=at)

    def taken(self) -> Parcel:
        """All that was gathered since the last time."""
        with self._lock:
            return merged([writer.taken() for writer in self._writers.values()])

    def _of(self, origin: str) -> Writer:
        if origin not in self._writers:
            self._writers[origin] = Writer(service=self._service, origin=origin, clock=self._clock)
        return self._writers[origin]
