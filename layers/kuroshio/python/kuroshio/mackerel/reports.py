"""Check reports: up to a hundred in a request, in the order of their time, and none that Mackerel would ignore."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.mackerel import places
from kuroshio.mackerel.points import Report
from kuroshio.mackerel.ports import Answer, Key, Record
from kuroshio.mackerel.settle import LOST_REPORTS, Losses
from kuroshio.mackerel.shelf import Tally, resolved, rewritten, set_aside
from kuroshio.mackerel.turns import Channel, TurnEnded
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from kuroshio.mackerel.hosting import Carrier
    from kuroshio.mackerel.ports import Ledger

# Mackerel ignores a report whose time lies six hours back, in silence: we stop ten minutes earlier.
EXPIRY = 6 * 3600 - 600
_MOST = 100  # in one request, as documented


@dataclass(frozen=True)
class Reports:
    """The check reports of one turn."""

    ledger: Ledger
    channel: Channel
    tally: Tally
    losses: Losses
    carrier: Carrier | None

    def send(self) -> None:
        """Bring them to Mackerel. Raises TurnEnded where no more can pass, or where no host is configured."""
        while entries := self.ledger.scan(places.due(places.REPORTS), _MOST):
            ready = self._ready(entries)
            if ready:
                self._post(self._host(ready), ready)

    def _ready(self, entries: list[Record]) -> list[tuple[Record, Record]]:
        found = self.ledger.read(Key("mackerel#reports", entry.key.sk) for entry in entries)
        ready = []
        for entry in entries:
            record = found.get(Key("mackerel#reports", entry.key.sk))
            if record is None or record.body["state"] == "sent":
                resolved(self.ledger, entry)
            elif places.minute_of(entry.key.sk) <= self.losses.clock() - EXPIRY:
                self._lose(entry, record)
            else:
                ready.append((entry, record))
        return ready

    def _host(self, ready: list[tuple[Record, Record]]) -> str:
        if self.carrier is None:
            raise TurnEnded(Verdict.PARK, Answer(404, message="no host is configured that could carry check reports"))
        return self.carrier.host(self.channel, {record.body["name"] for _, record in ready})

    def _post(self, host: str, ready: list[tuple[Record, Record]]) -> None:
        body = {"reports": [_reported(host, record) for _, record in ready]}
        answer = self.channel.call("POST", "/monitoring/checks/report", body)
        if verdict(answer) is Verdict.DELIVERED:
            for entry, record in ready:
                rewritten(self.ledger, record, lambda latest: replace(latest, body={**latest.body, "state": "sent"}))
                self.tally.delivered += 1
                resolved(self.ledger, entry)
        elif len(ready) > 1:
            self._post(host, ready[: len(ready) // 2])
            self._post(host, ready[len(ready) // 2 :])
        else:
            reason = f"HTTP {answer.status}: {answer.message}"
            set_aside(self.ledger, places.REPORTS, ready[0][0], reason, self.losses.clock())
            self.tally.set_aside += 1

    def _lose(self, entry: Record, record: Record) -> None:
        now = int(self.losses.clock())

        def lost(latest: Record) -> Record:
            return replace(latest, body={"lost_at": now} | dict(latest.body) | {"state": "lost"})

        record = rewritten(self.ledger, record, lost)
        self.losses.report(LOST_REPORTS, entry.key.sk, 1, record.body["lost_at"])
        self.tally.lost += 1
        resolved(self.ledger, entry)


def _reported(host: str, record: Record) -> dict[str, object]:
    body = record.body
    interval = body.get("notification_interval")  # older records have none
    return Report(body["name"], body["status"], body["message"], body["occurred_at"], interval).posted(host)
