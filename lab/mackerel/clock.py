"""The fake's own time, so that an outage of thirty hours takes no time at all."""

from __future__ import annotations

import time


class Clock:
    """Seconds since 1970: the machine's time moved by an offset, or, once it was set, a time that stands still."""

    def __init__(self, standing_at: float | None = None) -> None:
        self._standing_at = standing_at
        self._offset = 0.0

    def __call__(self) -> float:
        return self._offset + (time.time() if self._standing_at is None else self._standing_at)

    def advance(self, seconds: float) -> None:
        """Move this clock forward (or back, where negative) and nothing else."""
        self._offset += seconds

    def stand_at(self, now: float) -> None:
        """Let the clock stand at a time until it is advanced."""
        self._standing_at, self._offset = now, 0.0

    def sleep(self, seconds: float) -> None:
        """Let the time pass: really where the clock runs, at once where it stands."""
        if self._standing_at is None:
            time.sleep(seconds)
        else:
            self.advance(seconds)
