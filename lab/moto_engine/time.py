"""moto's sense of time: executions and events are dated by the lab's calendar, and queues wait as the lab's clock is moved."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from moto.events import models as events_models
from moto.logs import models as logs_models
from moto.sqs import models as sqs_models
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp as timestamp_module
from moto.stepfunctions.parser.asl.eval.event import event_manager
from moto.stepfunctions.parser.backend import execution as execution_module

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import replace, wrap

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

_DATED = (parser_models, execution_module, event_manager, state_module, timestamp_module)


class _LabDatetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        """Without a zone, UTC: moto compares it with timestamps that are."""
        now = hooks().now()
        return now if tz is not None else now.replace(tzinfo=None)  # type: ignore[return-value]


def patch() -> None:
    lab_time = SimpleNamespace(**{**vars(dt), "datetime": _LabDatetime})
    for module in _DATED:
        replace(module, "datetime", lab_time)
    replace(events_models, "unix_time", lambda: hooks().now().timestamp())
    # Visibility, delays and retention are measured against what functions take: they follow advances only.
    replace(logs_models, "utcnow", lambda: hooks().now().replace(tzinfo=None))
    replace(sqs_models, "unix_time", lambda: hooks().running())
    replace(sqs_models, "unix_time_millis", lambda: hooks().running() * 1000)
    wrap(sqs_models.SQSBackend, "receive_message", _receive_message)


def _receive_message(original: Callable[..., Any]) -> Callable[..., Any]:
    """Messages past their retention are gone; moto's stop whoever receives from seeing those behind them."""

    def receive(self: Any, queue_name: str, *arguments: Any, **named: Any) -> Any:
        queue = self.get_queue(queue_name)
        oldest = (hooks().running() - int(queue.message_retention_period)) * 1000
        queue._messages = [one for one in queue._messages if one.sent_timestamp >= oldest]  # noqa: SLF001 - moto has no other way
        return original(self, queue_name, *arguments, **named)

    return receive


def visible_messages(account: str, queue_arn: str) -> int:
    """How many messages could be received from a queue now; 0 for one that is not there."""
    region, _, name = queue_arn.split(":")[3:6]
    queue = sqs_models.sqs_backends[account][region].queues.get(name)
    return len(queue.messages) if queue else 0
