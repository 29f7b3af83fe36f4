"""moto's sense of time: executions, events and logs are dated by the lab's calendar."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import TYPE_CHECKING

from moto.events import models as events_models
from moto.logs import models as logs_models
from moto.stepfunctions.parser import models as parser_models
from moto.stepfunctions.parser.asl.component.state import state as state_module
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp as timestamp_module
from moto.stepfunctions.parser.asl.eval.event import event_manager
from moto.stepfunctions.parser.backend import execution as execution_module

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import replace

if TYPE_CHECKING:
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
    replace(logs_models, "utcnow", lambda: hooks().now().replace(tzinfo=None))
