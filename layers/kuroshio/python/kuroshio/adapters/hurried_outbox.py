"""The outbox for functions that are not ours: it costs them a bounded time, and what did not leave waits in memory."""

from __future__ import annotations

from collections import deque
from threading import Thread
from typing import TYPE_CHECKING

from kuroshio.errors import ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kuroshio.mackerel.ports import Outbox

_MOST_KEPT = 10  # messages


class HurriedOutbox:
    """Sends through another outbox. Messages have keys, so one that is sent twice does no harm."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._waiting: deque[str] = deque()

    def send(self, messages: Iterable[str], left: Callable[[], float]) -> None:
        """Send what waits and these. Raises what the outbox raises, and ServiceUnavailable once no seconds are left.

        Ten messages that did not leave are kept for the next time, in the memory of this environment.
        """
        self._waiting.extend(messages)
        while self._waiting:
            message = self._waiting.popleft()
            try:
                self._within(left(), message)
            except BaseException:
                self._waiting.appendleft(message)
                while len(self._waiting) > _MOST_KEPT:
                    self._waiting.popleft()
                raise

    def _within(self, seconds: float, message: str) -> None:
        if seconds <= 0:
            raise ServiceUnavailable("no time is left to send to SQS")
        wrong: list[BaseException | None] = []
        # A thread, because what may take long (names, connections, credentials, tries) has no deadline in common.
        thread = Thread(target=self._attempt, args=(message, wrong), daemon=True)
        thread.start()
        thread.join(seconds)
        if not wrong:
            raise ServiceUnavailable(f"SQS did not answer within {seconds:.1f} s")
        if wrong[0] is not None:
            raise wrong[0]

    def _attempt(self, message: str, wrong: list[BaseException | None]) -> None:
        try:
            self._outbox.send(message)
            wrong.append(None)
        except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
            wrong.append(error)
