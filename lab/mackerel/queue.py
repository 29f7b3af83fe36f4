"""A queue in memory that does to its readers what SQS's standard queues may do: again, out of order, and at last aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.mackerel.collect import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from random import Random


@dataclass
class _Message:
    id: str
    body: str
    visible_at: float
    receives: int = 0


class MemoryQueue:
    """At-least-once and unordered. What is not deleted comes again after the visibility timeout, and some copies sooner."""

    def __init__(
        self,
        clock: Callable[[], float],
        random: Random,
        *,
        visibility: float = 180.0,
        most_receives: int = 20,
        copies: float = 0.0,
    ) -> None:
        self._clock, self._random = clock, random
        self._visibility, self._most_receives, self._copies = visibility, most_receives, copies
        self._messages: dict[str, _Message] = {}
        self._sent = 0
        self.dead: list[str] = []

    def __len__(self) -> int:
        """How many messages are neither deleted nor dead, those in flight included."""
        return len(self._messages)

    def send(self, message: str) -> None:
        """Keep the message."""
        self._sent += 1
        key = f"message-{self._sent}"
        self._messages[key] = _Message(key, message, self._clock())

    def receive(self, most: int) -> list[Delivery]:
        """Some of the visible messages, in no order; sometimes one that another reader has too."""
        now = self._clock()
        ready = [m for m in self._messages.values() if m.visible_at <= now or self._random.random() < self._copies]
        self._random.shuffle(ready)
        taken = [message for message in ready if not self._buried(message)][:most]
        for message in taken:
            message.receives += 1
            message.visible_at = now + self._visibility
        return [Delivery(message.id, message.body) for message in taken]

    def delete(self, ids: Iterable[str]) -> None:
        """Forget messages that were dealt with."""
        for key in ids:
            self._messages.pop(key, None)

    def redrive(self) -> None:
        """Bring the dead letters back."""
        dead, self.dead = self.dead, []
        for body in dead:
            self.send(body)

    def _buried(self, message: _Message) -> bool:
        if message.receives < self._most_receives:
            return False
        self.dead.append(message.body)
        del self._messages[message.id]
        return True
