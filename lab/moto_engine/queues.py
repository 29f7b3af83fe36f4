# ruff: noqa: SLF001 - moto has no other way
"""moto's queues: they wait as the lab's clock is moved, and what many threads do to them at once loses no message."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from moto.sqs import models
from moto.sqs.responses import SQSResponse

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import replace, wrap

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_AGAIN_S = 0.2  # nobody tells of a message whose visibility timeout ends


def patch() -> None:
    # Visibility, delays and retention are measured against what functions take: they follow advances only.
    replace(models, "unix_time", lambda: hooks().running())
    replace(models, "unix_time_millis", lambda: hooks().running() * 1000)
    wrap(models.Queue, "delete_message", _alone)
    wrap(models.SQSBackend, "receive_message", _receive)
    wrap(SQSResponse, "_get_validated_visibility_timeout", _or_what_the_queue_says)


def visible_messages(account: str, queue_arn: str) -> int:
    """How many messages could be received from a queue now; 0 for one that is not there."""
    region, _, name = queue_arn.split(":")[3:6]
    queue = models.sqs_backends[account][region].queues.get(name)
    return len(queue.messages) if queue else 0


def await_message(account: str, queue_arn: str, within_s: float) -> bool:
    """Wait until a message could be received from a queue; False where none can, or no queue is there."""
    region, _, name = queue_arn.split(":")[3:6]
    queue = models.sqs_backends[account][region].queues.get(name)
    end = time.monotonic() + within_s
    if queue is None:
        time.sleep(within_s)
        return False
    with queue._messages_lock:
        while not queue.messages:
            left = end - time.monotonic()
            if left <= 0:
                return False
            queue._messages_lock.wait(min(left, _LOOK_AGAIN_S))
    return True


def _alone(original: Callable[..., Any]) -> Callable[..., Any]:
    """Moto puts a list without the message in the place of the one to which somebody may just have added another."""

    def delete(self: Any, receipt_handle: str) -> Any:
        with self._messages_lock:
            return original(self, receipt_handle)

    return delete


def _or_what_the_queue_says(original: Callable[..., Any]) -> Callable[..., Any]:
    """Moto asks the queue when somebody begins to wait; the attribute may be another one when a message comes."""

    def timeout(self: Any, timeout: str | None = None) -> int | None:
        try:
            return int(original(self, timeout))
        except TypeError:
            return None

    return timeout


def _receive(original: Callable[..., Any]) -> Callable[..., Any]:
    def receive(  # noqa: PLR0917 - moto's own
        self: Any, queue_name: str, count: int, wait_s: int, visibility_s: int | None, attributes: Any = None
    ) -> Any:
        queue = self.get_queue(queue_name)
        end = hooks().running() + wait_s
        with queue._messages_lock:
            while True:
                # Past their retention they are gone; moto's stop whoever receives from seeing those behind them.
                oldest = (hooks().running() - int(queue.message_retention_period)) * 1000
                queue._messages = [one for one in queue._messages if one.sent_timestamp >= oldest]
                hidden_s = queue.visibility_timeout if visibility_s is None else visibility_s
                received = original(self, queue_name, count, 0, hidden_s, attributes)
                left = end - hooks().running()
                if received or left <= 0:
                    return received
                queue._messages_lock.wait(min(left, _LOOK_AGAIN_S))

    return receive
