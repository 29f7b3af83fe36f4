"""``/_lab/clock`` and ``/_lab/schedules``: the lab's time, looked at and moved."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from lab.answers import Answer, json_answer
from lab.schedules.planner import as_dict, to_json

if TYPE_CHECKING:
    from lab.calls import HttpRequest
    from lab.clock import Clock
    from lab.schedules.planner import Planner
    from lab.timekeeper import Timekeeper

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_KNOWN = {"set", "rate", "speed", "advance", "patience"}
_RUNS = 5


class TimeApi:
    """``POST clock`` takes ``set`` (a date), ``rate``, ``speed`` and ``advance`` (seconds, or ``90m``, ``36h``, ``30d``)."""

    def __init__(self, clock: Clock, timekeeper: Timekeeper, planner: Planner) -> None:
        self._clock = clock
        self._timekeeper = timekeeper
        self._planner = planner

    def answer(self, method: str, what: str, request: HttpRequest) -> Answer:
        match method, what:
            case "GET", "clock":
                return json_answer(self._clock.as_dict())
            case "POST", "clock":
                try:
                    return json_answer(self._move(json.loads(request.body or b"{}")))
                except (TypeError, ValueError) as error:
                    return json_answer({"error": str(error)}, 400)
            case "GET", "schedules":
                runs = int(dict(parse_qsl(request.query)).get("runs", _RUNS))
                now = self._clock.now()
                with self._timekeeper.turn():
                    return json_answer([as_dict(entry, now, runs) for entry in self._planner.planned()])
        return json_answer({"error": f"the lab has no {method} {request.path}"}, 404)

    def _move(self, wanted: dict[str, Any]) -> dict[str, Any]:
        unknown = wanted.keys() - _KNOWN
        if unknown:
            raise ValueError(f"the clock knows no {', '.join(sorted(unknown))}; it knows {', '.join(sorted(_KNOWN))}")
        if "rate" in wanted:
            self._clock.run(_not_negative("rate", wanted["rate"]))
        if "speed" in wanted:
            self._clock.hurry(_not_negative("speed", wanted["speed"]) or 1.0)
        if "set" in wanted:
            self._timekeeper.set(moment(str(wanted["set"])).timestamp())
        told: dict[str, Any] = {"happened": [], "restless": 0}
        if "advance" in wanted:
            patience = {"patience": float(wanted["patience"])} if "patience" in wanted else {}
            told = self._timekeeper.advance(seconds(wanted["advance"]), **patience)
        return {**self._clock.as_dict(), **told, "happened": [to_json(one) for one in told["happened"]]}


def _not_negative(name: str, value: Any) -> float:
    number = float(value)
    if number < 0:
        raise ValueError(f"{name} is {number}; time runs forward, or stands at 0")
    return number


def seconds(text: str | float) -> float:
    """A span: a number of seconds, or numbers with units such as ``1d12h``. Raises ValueError."""
    if isinstance(text, (int, float)):
        return _not_negative("advance", text)
    parts = re.findall(r"(\d+(?:\.\d+)?)([smhdw])", text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no span of time: seconds, or such as 90s, 15m, 36h, 1d12h, 2w")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)


def moment(text: str) -> datetime:
    """A date and time; UTC where no offset says otherwise. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
