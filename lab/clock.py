"""The lab's one clock: what date it is, and how fast what waits is waited for.

The calendar is the machine's, moved; it runs ``rate`` times as fast as the machine's (0: it stands). Pauses (a Wait, a
retry's pause, a redelivery's) pass with the calendar, and ``speed`` times as fast as it, so that they can be hurried alone.
"""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

_CLOSE_ENOUGH_S = 1e-3  # seconds since 1970 are kept to a quarter of a microsecond
_LOOK_AGAIN_S = 0.1  # how soon a pause learns that it was interrupted


@dataclass(frozen=True)
class _Mark:
    """What the clock showed when it was last set, moved or changed its rate."""

    machine: float
    calendar: float  # seconds since 1970
    passed: float  # seconds that pauses have seen


class Clock:
    """Safe to share between threads."""

    def __init__(self, speed: float = 1.0, machine: Callable[[], float] = time.time) -> None:
        self._machine = machine
        self._rate = 1.0
        self._speed = speed
        now = machine()
        self._mark = _Mark(now, now, 0.0)
        self._advanced = 0.0
        self._sleepers: dict[object, float] = {}
        self._changed = threading.Condition()

    # What it shows -----------------------------------------------------------------------------------------------------

    def now(self) -> float:
        """The calendar, in seconds since 1970."""
        with self._changed:
            return self._read().calendar

    def date(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def running(self) -> float:
        """The machine's time and all that was advanced: for spans that a function's own time is measured against."""
        with self._changed:
            return self._machine() + self._advanced

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def speed(self) -> float:
        return self._speed

    def as_dict(self) -> dict[str, object]:
        return {"now": f"{self.date():%Y-%m-%dT%H:%M:%S.%fZ}", "rate": self._rate, "speed": self._speed}

    # Moving it ---------------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass at once, for the calendar and for everything that pauses."""
        with self._change() as mark:
            self._mark = _Mark(mark.machine, mark.calendar + seconds, mark.passed + seconds)
            self._advanced += seconds

    def set(self, now: float) -> None:
        """Let it be another date, without time having passed: no pause is shortened by it."""
        with self._change() as mark:
            self._mark = _Mark(mark.machine, now, mark.passed)

    def run(self, rate: float) -> None:
        """Let the calendar run ``rate`` times as fast as the machine's time; 0 lets it stand."""
        with self._change():
            self._rate = rate

    def hurry(self, speed: float) -> None:
        """Let pauses pass ``speed`` times as fast as the calendar."""
        with self._change():
            self._speed = speed

    # Waiting -----------------------------------------------------------------------------------------------------------

    def pause(
        self,
        seconds: float,
        interrupted: Callable[[], bool] = lambda: False,
        resting: AbstractContextManager[object] | None = None,
    ) -> bool:
        """Wait until so many seconds have passed on this clock. False if the pause was interrupted.

        ``resting`` lasts as long as the waiting; it has ended before the clock forgets who was to wake.
        """
        me = object()
        with self._changed:
            end = self._sleepers[me] = self._read().passed + seconds
        try:
            with resting or nullcontext():
                return self._sleep_until(end, interrupted)
        finally:
            with self._changed:
                del self._sleepers[me]

    def _sleep_until(self, end: float, interrupted: Callable[[], bool]) -> bool:
        with self._changed:
            while not interrupted():
                left = end - self._read().passed
                if left <= _CLOSE_ENOUGH_S:
                    return True
                pace = self._rate * self._speed
                self._changed.wait(min(left / pace, _LOOK_AGAIN_S) if pace else _LOOK_AGAIN_S)
            return False

    def await_calendar(self, due: float | None, longest: float) -> None:
        """Wait until the calendar shows ``due``, somebody changes the clock, or ``longest`` machine seconds are over."""
        with self._changed:
            left = longest
            if due is not None and self._rate:
                left = min(left, max(0.0, due - self._read().calendar) / self._rate)
            self._changed.wait(left)

    def wake(self) -> None:
        """Let whoever awaits the calendar look again."""
        with self._changed:
            self._changed.notify_all()

    def next_waking(self) -> float | None:
        """When, on the calendar, the first of those that pause goes on; None where nothing pauses."""
        with self._changed:
            mark = self._read()
            return min((mark.calendar + max(0.0, end - mark.passed) for end in self._sleepers.values()), default=None)

    def everybody_is_asleep(self) -> bool:
        """Whether nobody whose pause is over has yet to wake."""
        with self._changed:
            passed = self._read().passed + _CLOSE_ENOUGH_S
            return all(end > passed for end in self._sleepers.values())

    # -------------------------------------------------------------------------------------------------------------------

    def _read(self) -> _Mark:
        machine = self._machine()
        span = (machine - self._mark.machine) * self._rate
        return _Mark(machine, self._mark.calendar + span, self._mark.passed + span * self._speed)

    @contextmanager
    def _change(self) -> Iterator[_Mark]:
        with self._changed:
            self._mark = self._read()
            yield self._mark
            self._changed.notify_all()
