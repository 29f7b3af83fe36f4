"""Downtimes: opened once, always closed, and never in a form that Mackerel cuts off without saying so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest, RequestRefused
from kuroshio.mackerel.points import marked, shortened
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from kuroshio.mackerel.ports import Answer
    from kuroshio.mackerel.turns import Channel

_DAY = timedelta(days=1)
_MINUTE = 60
_NOT_FOUND = 404
_LONGEST_NAME = 100


@dataclass(frozen=True)
class Downtime:
    """Silence for a service from ``first`` to ``last`` (epoch seconds). ``marker`` names the execution that needs it."""

    service: str
    marker: str
    name: str
    first: int
    last: int


def opened(channel: Channel, downtime: Downtime, utc_offset: int) -> list[str]:
    """The ids of the downtimes that make it up, each created once however often this is called.

    ``utc_offset``: seconds by which the organization's clock is ahead of UTC. Raises TurnEnded where Mackerel cannot be
    asked, RequestRefused where it refuses one, InvalidRequest where it ends before it begins.
    """
    known = _marked(channel, downtime.marker)
    made = []
    for first, last in pieces(downtime.first, downtime.last, utc_offset):
        same = [entry["id"] for entry in known if entry["start"] == first]
        made.append(same[0] if same else _created(channel, _wanted(downtime, first, last)))
    return made


def closed(channel: Channel, marker: str) -> int:
    """Delete every downtime of the marker, twice made ones and those of a lost answer too; returns how many there were."""
    known = _marked(channel, marker)
    for entry in known:
        channel.call("DELETE", f"/downtimes/{entry['id']}", expected=(_NOT_FOUND,))
    return len(known)


def pieces(first: int, last: int, utc_offset: int) -> list[tuple[int, int]]:
    """The span in pieces of which Mackerel voids no part: cut at each Monday 00:00 that a piece of a day or more would cross.

    Mackerel voids the rest of a downtime of 24 hours or more that crosses from Sunday to Monday (howto/downtimes.md).
    """
    if last <= first:
        raise InvalidRequest(f"a downtime from {first} to {last} ends before it begins")
    cut: list[tuple[int, int]] = []
    while last - first >= _DAY.total_seconds() and _next_monday(first, utc_offset) < last:
        monday = _next_monday(first, utc_offset)
        cut.append((first, monday))
        first = monday
    return [*cut, (first, last)]


def _next_monday(at: int, utc_offset: int) -> int:
    local = datetime.fromtimestamp(at + utc_offset, UTC)
    midnight = local.replace(hour=0, minute=0, second=0)
    return int((midnight + _DAY * (7 - local.weekday())).timestamp()) - utc_offset


def _marked(channel: Channel, marker: str) -> list[dict[str, Any]]:
    """Those of the marker. Mackerel has no filter, no idempotency key and no way to get one by its id."""
    document = channel.call("GET", "/downtimes").document or {}
    return [entry for entry in document.get("downtimes", []) if marked(marker) in entry.get("memo", "")]


def _created(channel: Channel, wanted: dict[str, Any]) -> str:
    answer: Answer = channel.call("POST", "/downtimes", wanted)
    if verdict(answer) is not Verdict.DELIVERED:
        raise RequestRefused(
            f"Mackerel refuses the downtime {wanted['name']!r}: HTTP {answer.status}: {answer.message}"
        )
    return str(answer.document["id"])


def _wanted(downtime: Downtime, first: int, last: int) -> dict[str, Any]:
    return {
        "name": shortened(downtime.name, _LONGEST_NAME),
        "memo": marked(downtime.marker),
        "start": first,  # seconds, while the duration is in minutes
        "duration": -(-(last - first) // _MINUTE),
        "serviceScopes": [downtime.service],
    }
