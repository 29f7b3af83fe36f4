"""Downtimes: opened once, always closed, and never in a form that Mackerel cuts off without saying so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest, RequestRefused
from kuroshio.mackerel import places, silence
from kuroshio.mackerel.points import marked, shortened
from kuroshio.mackerel.shelf import resolved, rewritten, set_aside
from kuroshio.mackerel.silence import Downtime
from kuroshio.mackerel.turns import TurnEnded
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Answer, Ledger, Record
    from kuroshio.mackerel.shelf import Tally
    from kuroshio.mackerel.turns import Channel

TOKYO = 9 * 3600  # seconds ahead of UTC, by which Mackerel's Mondays begin
_DAY = timedelta(days=1)
_MINUTE = 60
_NOT_FOUND = 404
_LONGEST_NAME = 100
_BATCH = 25


@dataclass(frozen=True)
class Sender:
    """The downtimes that are to be opened or closed, during one turn."""

    ledger: Ledger
    channel: Channel
    tally: Tally
    clock: Callable[[], float]
    utc_offset: int

    def send(self) -> None:
        """Bring Mackerel to what was said. Raises TurnEnded where no more can pass."""
        listing = Listing(self.channel)
        while entries := self.ledger.scan(places.due(places.DOWNTIMES), _BATCH):
            for entry in entries:
                self._send(listing, entry)

    def _send(self, listing: Listing, entry: Record) -> None:
        key = places.downtime_at(entry.key.sk)
        record = self.ledger.read([key]).get(key)
        try:
            self.tally.delivered += record is not None and self._brought(listing, record)
        except (RequestRefused, InvalidRequest) as error:
            set_aside(self.ledger, places.DOWNTIMES, entry, str(error), self.clock())
            self.tally.set_aside += 1
        else:
            resolved(self.ledger, entry)

    def _brought(self, listing: Listing, record: Record) -> bool:
        """Whether something was done about it."""
        if not silence.is_due(record.body):
            return False
        over = silence.is_over(record.body, self.clock())
        if record.body["ended"] is None and not over:
            # Noted before it is tried: who closes it must know that Mackerel may have it, whatever the answer was.
            record = self._noting(record, trying=True)
        if record.body["ended"] is None and not over:  # it may have ended in this moment
            opened(listing, Downtime(**record.body["downtime"]), self.utc_offset)
            self._noting(record, done="open")
        else:
            if record.body["trying"] and not over:
                closed(listing, record.body["downtime"]["marker"])
            self._noting(record, done="closed")
        return True

    def _noting(self, record: Record, **change: Any) -> Record:
        return rewritten(self.ledger, record, lambda latest: replace(latest, body={**latest.body, **change}))


class Listing:
    """The downtimes that Mackerel has, asked for once in a turn: nobody else of us changes them meanwhile.

    Mackerel has no filter, no idempotency key and no way to get one by its id.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._known: list[dict[str, Any]] | None = None

    def of(self, marker: str) -> list[dict[str, Any]]:
        """Those of the marker. Raises TurnEnded, and RequestRefused: what we did not see we must not make again."""
        if self._known is None:
            answer = _accepted(self._channel.call("GET", "/downtimes"), "the list of downtimes")
            if not isinstance(answer.document.get("downtimes"), list):
                raise TurnEnded(Verdict.RETRY, replace(answer, message="an answer without a list of downtimes"))
            self._known = list(answer.document["downtimes"])
        return [entry for entry in self._known if marked(marker) in (entry.get("memo") or "")]

    def create(self, wanted: dict[str, Any]) -> str:
        """The id of a new one. Raises TurnEnded, RequestRefused."""
        answer = _accepted(self._channel.call("POST", "/downtimes", wanted), f"the downtime {wanted['name']!r}")
        made = {**wanted, "id": str(answer.document["id"])}
        self._known = [*(self._known or []), made]
        return str(made["id"])

    def delete(self, entry: dict[str, Any]) -> None:
        """Delete one; that it is gone already is as good. Raises TurnEnded, RequestRefused."""
        answer = self._channel.call("DELETE", f"/downtimes/{entry['id']}", expected=(_NOT_FOUND,))
        if answer.status != _NOT_FOUND:
            _accepted(answer, f"to delete the downtime {entry['name']!r}")
        self._known = [other for other in self._known or [] if other["id"] != entry["id"]]


def opened(listing: Listing, downtime: Downtime, utc_offset: int) -> list[str]:
    """The ids of the downtimes that make it up, each created once however often this is called.

    ``utc_offset``: seconds by which the organization's clock is ahead of UTC. Raises TurnEnded where Mackerel cannot be
    asked, RequestRefused where it refuses one, InvalidRequest where it ends before it begins.
    """
    known = listing.of(downtime.marker)
    made = []
    for first, last in pieces(downtime.first, downtime.last, utc_offset):
        same = [entry["id"] for entry in known if entry["start"] == first]
        made.append(same[0] if same else listing.create(_wanted(downtime, first, last)))
    return made


def closed(listing: Listing, marker: str) -> int:
    """Delete every downtime of the marker, twice made ones and those of a lost answer too; returns how many there were."""
    known = listing.of(marker)
    for entry in known:
        listing.delete(entry)
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


def _accepted(answer: Answer, what: str) -> Answer:
    if verdict(answer) is not Verdict.DELIVERED:
        raise RequestRefused(f"Mackerel refuses {what}: HTTP {answer.status}: {answer.message}")
    return answer


def _wanted(downtime: Downtime, first: int, last: int) -> dict[str, Any]:
    return {
        "name": shortened(downtime.name, _LONGEST_NAME),
        "memo": marked(downtime.marker),
        "start": first,  # seconds, while the duration is in minutes
        "duration": -(-(last - first) // _MINUTE),
        "serviceScopes": [downtime.service],
    }
