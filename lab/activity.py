"""What the lab is doing at the moment, so that its clock is moved on only when nothing is left to do."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

log = logging.getLogger("lab.activity")

# An execution that neither pauses nor does anything for so long waits for somebody outside: a task token, a child.
_IDLE_S = 0.3
_LOOK_AGAIN_S = 0.02


class Activity:
    """Counts work in hand and executions that run. Whoever pauses on the clock is not at work."""

    def __init__(self) -> None:
        self._work = 0
        self._running: set[str] = set()
        self._pausing: dict[str, int] = {}
        self._last = time.monotonic()
        self._changed = threading.Condition()

    def begin(self) -> None:
        self._count(1)

    def end(self) -> None:
        self._count(-1)

    def touch(self) -> None:
        """Something happened."""
        self._count(0)

    @contextmanager
    def work(self) -> Iterator[None]:
        self.begin()
        try:
            yield
        finally:
            self.end()

    @contextmanager
    def rest(self) -> Iterator[None]:
        """Within work: the pause in it is none."""
        self.end()
        try:
            yield
        finally:
            self.begin()

    def submit(self, pool: Executor, task: Callable[..., object], *arguments: object) -> None:
        """Have a pool do it; it counts as work from now on."""

        def run() -> None:
            try:
                task(*arguments)
            except Exception:  # nobody asks the pool how it ended
                log.exception("%s was not done", getattr(task, "__qualname__", task))
            finally:
                self.end()

        self.begin()
        try:
            pool.submit(run)
        except RuntimeError:  # the lab is going down
            self.end()

    def execution_began(self, arn: str) -> None:
        with self._changed:
            self._running.add(arn)
        self.touch()

    def execution_ended(self, arn: str) -> None:
        with self._changed:
            self._running.discard(arn)
        self.touch()

    @contextmanager
    def execution_pauses(self, arn: str) -> Iterator[None]:
        self._pause(arn, 1)
        try:
            yield
        finally:
            self._pause(arn, -1)

    def settle(self, patience: float, also: Callable[[], bool] = lambda: True) -> bool:
        """Wait until nothing is at work and ``also`` holds; False after ``patience`` seconds of the machine's time."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            # Looked at twice: what one part has given away the next may just be about to take.
            if self._is_quiet() and also() and self._is_quiet():
                return True
            with self._changed:
                self._changed.wait(_LOOK_AGAIN_S)
        return False

    def _is_quiet(self) -> bool:
        with self._changed:
            waiting = all(self._pausing.get(arn) for arn in self._running)
            return self._work == 0 and (waiting or time.monotonic() - self._last > _IDLE_S)

    def _count(self, by: int) -> None:
        with self._changed:
            self._work += by
            self._last = time.monotonic()
            self._changed.notify_all()

    def _pause(self, arn: str, by: int) -> None:
        with self._changed:
            self._pausing[arn] = self._pausing.get(arn, 0) + by
            if not self._pausing[arn]:
                del self._pausing[arn]
            self._last = time.monotonic()
            self._changed.notify_all()
