"""Says where a handler stood when Lambda was about to kill it, because Lambda itself will not say.

One sleeping thread for the life of the process: an invocation only writes down its deadline. Handing work to a thread
per invocation would cost 0.3 ms, three times what the whole loop does.
"""

import _thread
import sys
import time

from kuroshio_runtime.invocation import present

TYPE_CHECKING = False
if TYPE_CHECKING:
    from kuroshio_runtime.invocation import Invocation

MARGIN = 0.2  # seconds before the deadline
SHARE = 0.1  # or this share of a short timeout
SHORTEST = 1.0  # seconds between two looks while nothing is to be watched


class Watchdog:
    """Logs the main thread's stack shortly before the deadline of an invocation that is still running."""

    def __init__(self) -> None:
        self._main = _thread.get_ident()
        self._kick = _thread.allocate_lock()
        self._kick.acquire()
        self._wakes_at = 0.0
        self._bark_at = 0.0
        self._timeout = 0.0

    def guard(self, invocation: "Invocation", now: float) -> None:
        """Watch `invocation`, whose handler is called at `now`, seconds since the epoch."""
        if not invocation.deadline_ms:
            return
        deadline = invocation.deadline_ms / 1000
        self._bark_at = deadline - min(MARGIN, (deadline - now) * SHARE)
        if now <= self._wakes_at <= self._bark_at:
            return  # it will wake in time, and see then for how long to sleep again
        if not self._wakes_at:
            self._timeout = max(SHORTEST, self._bark_at - now)
            self._wakes_at = self._bark_at
            _thread.start_new_thread(self._watch, ())
        elif self._kick.locked():
            self._wakes_at = self._bark_at
            self._kick.release()

    def _watch(self) -> None:
        while True:
            pause = self._wakes_at - time.time()
            if pause > 0:
                self._kick.acquire(timeout=pause)
            invocation, now = present.invocation, time.time()
            if invocation is None:
                self._wakes_at = now + self._timeout  # no later invocation can be due before
            elif now < self._bark_at:
                self._wakes_at = self._bark_at
            else:
                self._bark(invocation, now)
                self._wakes_at = now + self._timeout

    def _bark(self, invocation: "Invocation", now: float) -> None:
        from kuroshio_runtime import faults, journal

        frame = sys._current_frames().get(self._main)  # noqa: SLF001 - there is no other way to a thread's stack
        left = max(0, invocation.deadline_ms - int(now * 1000))
        journal.failure(
            {
                "errorMessage": f"Lambda will kill this invocation in {left} ms, at its deadline; it is here",
                "errorType": "Runtime.DeadlineNear",
                "requestId": invocation.request_id,
                "stackTrace": faults.stack_of(frame),
            },
            level="WARN",
        )
