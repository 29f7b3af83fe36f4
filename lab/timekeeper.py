"""Lets happen what is due by the lab's clock: as the clock runs, and one after the other when it is advanced."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.activity import Activity
    from lab.clock import Clock

log = logging.getLogger("lab.time")

_LOOK_AGAIN_S = 1.0  # for schedules that come and go without passing the door
_PATIENCE_S = 30.0


class Source(Protocol):
    """A part of the lab in which things fall due."""

    def refresh(self, now: float) -> None:
        """Learn what there is."""

    def forget(self) -> None:
        """The calendar was set: what lay between did not happen."""

    def next_due(self) -> float | None:
        """When the first thing is due, in seconds since 1970."""

    def take(self, now: float) -> list[Any] | None:
        """Do the first thing that is due by now and tell it; None where nothing is due."""


class Timekeeper:
    """One thing at a time, in the order in which they are due."""

    def __init__(
        self, clock: Clock, activity: Activity, sources: Sequence[Source], rested: Callable[[], bool] = lambda: True
    ) -> None:
        self._clock = clock
        self._activity = activity
        self._sources = sources
        self._rested = rested
        self._turn = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="timekeeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._clock.wake()

    def look(self) -> None:
        """Schedules may have changed: let them be read again."""
        self._clock.wake()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Nothing falls due meanwhile, and what is known of schedules is current."""
        with self._turn:
            self._refresh()
            yield

    def set(self, now: float) -> None:
        """Let it be another date; nothing that lies between happens."""
        with self._turn:
            self._clock.set(now)
            for source in self._sources:
                source.forget()
            self._refresh()

    def advance(self, seconds: float, patience: float = _PATIENCE_S) -> dict[str, Any]:
        """Let the time pass, stopping at everything that is due and until all that follows from it has come to rest.

        What ran in which order, and whether something was still at work after ``patience`` seconds of the machine's time
        when the clock was moved on.
        """
        with self._turn:
            end = self._clock.now() + seconds
            happened: list[Any] = []
            restless = 0
            while True:
                restless += not self._settle(patience)
                self._refresh()
                now = self._clock.now()
                stop = min((at for at in self._stops() if at <= end), default=None)
                if stop is None:
                    break
                self._clock.advance(max(0.0, stop - now))
                happened += self._take_one(max(stop, now))
            self._clock.advance(max(0.0, end - self._clock.now()))
            restless += not self._settle(patience)
            self._refresh()
        return {"happened": happened, "restless": restless}

    def _settle(self, patience: float) -> bool:
        return self._activity.settle(patience, lambda: self._clock.everybody_is_asleep() and self._rested())

    def _stops(self) -> list[float]:
        waking = self._clock.next_waking()
        return [at for at in (*(source.next_due() for source in self._sources), waking) if at is not None]

    def _take_one(self, now: float) -> list[Any]:
        for source in sorted(self._sources, key=lambda one: one.next_due() or float("inf")):
            taken = source.take(now)
            if taken is not None:
                return taken
        return []

    def _refresh(self) -> None:
        now = self._clock.now()
        for source in self._sources:
            source.refresh(now)

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._catch_up()
            except Exception:  # one bad schedule must not stop the others; the lab's log has it
                log.exception("what was due could not be done")
                self._closing.wait(_LOOK_AGAIN_S)
            due = min((at for source in self._sources if (at := source.next_due()) is not None), default=None)
            self._clock.await_calendar(due, _LOOK_AGAIN_S)

    def _catch_up(self) -> None:
        with self._turn:
            self._refresh()
            now = self._clock.now()
            while any((at := source.next_due()) is not None and at <= now for source in self._sources):
                self._take_one(now)
                if self._closing.is_set():
                    return
