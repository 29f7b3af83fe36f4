"""What is said of a downtime, and what becomes of it. Begin and end may come in any order, late, and more than once."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel import points
from kuroshio.mackerel.points import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST = 31 * DAY  # nobody's silence should outlast a month by mistake
_LONGEST_NAME, _LONGEST_MARKER = 100, 800


@dataclass(frozen=True)
class Downtime:
    """Silence for a service from ``first`` to ``last`` (epoch seconds). ``marker`` names the execution that needs it."""

    service: str
    marker: str
    name: str
    first: int
    last: int


@dataclass(frozen=True)
class Ended:
    """Who needed the downtime needs it no more. Said before the beginning arrives, it keeps it from ever being opened."""

    marker: str
    ended: int  # epoch seconds


def begun(service: str, marker: str, name: str, *, first: float, last: float, now: float) -> Downtime:
    """A downtime that will end by itself. Raises InvalidRequest where it could not be opened, or would not end."""
    where = f"downtime {name!r:.80}"
    if not isinstance(name, str) or not name:
        raise InvalidRequest(f"{where}: its name is text, and not empty")
    if not points.is_service(service):
        raise InvalidRequest(f"{where}: {service!r:.80} is no service name")
    begins = points.moment(where, first, now, oldest=math.inf)
    ends = points.moment(where, last, now, oldest=math.inf, ahead=LONGEST + points.AHEAD)
    if not begins < ends <= begins + LONGEST:
        raise InvalidRequest(f"{where}: it ends ({ends}) after it begins ({begins}), and within 31 days of that")
    return Downtime(service, _marker(where, marker), points.shortened(name, _LONGEST_NAME), begins, ends)


def ended(marker: str, *, at: float, now: float) -> Ended:
    """The end of a downtime. Raises InvalidRequest."""
    where = f"the end of the downtime of {marker!r:.80}"
    return Ended(_marker(where, marker), points.moment(where, at, now, oldest=math.inf))


def noted(known: Mapping[str, Any], said: Downtime | Ended) -> dict[str, Any]:
    """What is known of it, with what was said. The first beginning counts; an end is never taken back."""
    body: dict[str, Any] = {"downtime": None, "ended": None, "trying": False, "done": ""} | dict(known)
    if isinstance(said, Ended):
        return body if body["ended"] is not None else body | {"ended": said.ended}
    if body["downtime"] is None:
        # It ended before we heard that it began: nothing was ever opened, and nothing will be.
        body |= {"downtime": asdict(said), "done": "closed" if body["ended"] is not None else ""}
    return body


def is_due(body: Mapping[str, Any]) -> bool:
    """Whether Mackerel, as far as we know, has it otherwise than it should be."""
    return body["downtime"] is not None and body["done"] not in (
        "closed",
        "open" if body["ended"] is None else "closed",
    )


def is_over(body: Mapping[str, Any], now: float) -> bool:
    """Whether it has ended by itself; Mackerel counts in minutes."""
    return bool(body["downtime"]["last"] + MINUTE <= now)


def _marker(where: str, marker: str) -> str:
    if not isinstance(marker, str) or not 0 < len(marker) <= _LONGEST_MARKER:
        raise InvalidRequest(f"{where}: the marker is text of 1 to {_LONGEST_MARKER} characters")
    return marker
