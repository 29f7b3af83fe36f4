"""One turn of a flusher: what is due in a lane goes to Mackerel, in few requests, and what cannot go is named."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.errors import Outpaced
from kuroshio.mackerel import annotate, downtimes, places, turns
from kuroshio.mackerel.cells import Cell
from kuroshio.mackerel.points import DAY
from kuroshio.mackerel.reports import Reports
from kuroshio.mackerel.settle import Losses, settle
from kuroshio.mackerel.shelf import Tally, resolved, rewritten, set_aside
from kuroshio.mackerel.turns import Channel, Pace, RefusedNames, TurnEnded
from kuroshio.mackerel.verdicts import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.hosting import Carrier
    from kuroshio.mackerel.ports import Answer, Api, Key, Ledger, Record
    from kuroshio.mackerel.verdicts import Jitter

# Mackerel drops what is older than 24 hours at its own clock, in silence: we stop ten minutes earlier.
EXPIRY = DAY - 600


@dataclass(frozen=True)
class Flushed:
    """What came of one turn, for the log and for CloudWatch. ``refusal`` is None where everything passed."""

    lane: str
    requests: int
    delivered: int
    set_aside: int
    lost: int
    refusal: Answer | None


class _Due(NamedTuple):
    entry: Record
    record: Record
    cell: Cell


@dataclass(frozen=True)
class Flusher:
    """Takes turns. ``home`` is the service that the number of lost points is reported to; ``carrier`` has the host of the checks."""

    ledger: Ledger
    api: Api
    clock: Callable[[], float]
    jitter: Jitter
    owner: str
    home: str = "kuroshio"
    carrier: Carrier | None = None
    pace: Pace = field(default_factory=Pace)
    utc_offset: int = downtimes.TOKYO

    def run(self, until: float = math.inf) -> list[Flushed]:
        """As ``round``, but what goes wrong in one lane is raised after all others had their turns."""
        flushed, wrong = self.round(until)
        if wrong:
            raise wrong[0]
        return flushed

    def round(self, until: float = math.inf) -> tuple[list[Flushed], list[Exception]]:
        """One turn in every lane whose time has come, and what went wrong in others; no request ends after ``until``.

        The lane that was allowed to go for longest goes first, so that none is starved where the time is short.
        """
        flushed: list[Flushed | None] = []
        wrong: list[Exception] = []
        lanes = self.ledger.scan(places.TURNS, limit=10_000)
        for record in sorted(lanes, key=lambda turn: turn.body.get("not_before", 0)):
            if self.clock() > until - self.pace.request_timeout:
                break
            try:
                flushed.append(self.turn(record.key.sk, until))
            except Exception as error:  # noqa: BLE001 - handed back
                wrong.append(error)
        return [each for each in flushed if each is not None], wrong

    def turn(self, lane: str, until: float = math.inf) -> Flushed | None:
        """One turn in a lane, or None where another has it or its time has not come."""
        turn = turns.take(self.ledger, lane, owner=self.owner, now=self.clock(), pace=self.pace)
        if turn is None:
            return None
        channel = Channel(self.api, self.clock, min(turn.body["until"], until + self.pace.grace), self.pace)
        refused = RefusedNames(turn.body.get("refused_names", {}), self.clock(), self.pace)
        tally = Tally()
        try:
            self._send(lane, channel, tally, refused)
            ended = TurnEnded(Verdict.DELIVERED)
        except TurnEnded as early:
            ended = early
        turns.give_back(self.ledger, turn, ended, refused, lost=tally.lost, now=self.clock(), jitter=self.jitter)
        return Flushed(lane, channel.requests, tally.delivered, tally.set_aside, tally.lost, ended.answer)

    def _send(self, lane: str, channel: Channel, tally: Tally, refused: RefusedNames) -> None:
        kind, _, service = lane.partition("/")
        losses = Losses(self.ledger, self.clock, self.home)
        if kind == "metrics":
            _Metrics(self, channel, tally, losses, refused, service).send()
        elif kind == "annotations":
            annotate.send(self.ledger, channel, tally, service, now=self.clock())
        elif kind == places.DOWNTIMES:
            downtimes.Sender(self.ledger, channel, tally, self.clock, self.utc_offset).send()
        else:
            Reports(self.ledger, channel, tally, losses, self.carrier).send()


@dataclass(frozen=True)
class _Metrics:
    """The metrics of one service during one turn."""

    flusher: Flusher
    channel: Channel
    tally: Tally
    losses: Losses
    refused: RefusedNames
    service: str

    @property
    def lane(self) -> str:
        return places.metrics_of(self.service)

    def send(self) -> None:
        while entries := self.flusher.ledger.scan(places.due(self.lane), self.flusher.pace.points_per_request):
            due = self._read(entries)
            border = self.flusher.clock() - EXPIRY
            late = [each for each in due if places.minute_of(each.entry.key.sk) <= border]
            if late:
                self._settle(late)
            self._deliver([each for each in due if each not in late])

    def _read(self, entries: list[Record]) -> list[_Due]:
        keys = {entry: self._cell_key(entry) for entry in (e.key for e in entries)}
        records = self.flusher.ledger.read(keys.values())
        due = []
        for entry in entries:
            record = records.get(keys[entry.key])
            if record is None:  # its time to be kept is over
                resolved(self.flusher.ledger, entry)
            else:
                due.append(_Due(entry, record, Cell.parse(record.body)))
        return due

    def _cell_key(self, entry: Key) -> Key:
        return places.cell(self.service, places.name_of(entry.sk), places.minute_of(entry.sk))

    def _settle(self, late: list[_Due]) -> None:
        done = settle(self.channel, self.losses, self.service, [(each.record, each.cell) for each in late])
        for each in late:
            if each.record.key in done:
                self.tally.lost += done[each.record.key]
                resolved(self.flusher.ledger, each.entry)

    def _deliver(self, due: list[_Due]) -> None:
        wanted = []
        for each in due:
            reason = self.refused.reason(places.name_of(each.entry.key.sk))
            if not each.cell.open:
                resolved(self.flusher.ledger, each.entry)
            elif reason is not None:
                self._set_aside(each, reason)
            else:
                wanted.append(each)
        self._post(wanted)

    def _post(self, due: list[_Due]) -> None:
        if not due:
            return
        answer = self.channel.call("POST", f"/services/{self.service}/tsdb", [_posted(each) for each in due])
        if verdict(answer) is Verdict.DELIVERED:
            for each in due:
                self._delivered(each)
        elif len(due) > 1:
            self._post(due[: len(due) // 2])
            self._post(due[len(due) // 2 :])
        else:
            reason = f"HTTP {answer.status}: {answer.message}"
            self.refused.add(places.name_of(due[0].entry.key.sk), reason)
            self._set_aside(due[0], reason)

    def _set_aside(self, due: _Due, reason: str) -> None:
        set_aside(self.flusher.ledger, self.lane, due.entry, reason, self.flusher.clock())
        self.tally.set_aside += 1

    def _delivered(self, due: _Due) -> None:
        count = len(due.cell.contributions)

        def storing(record: Record) -> Record:
            return replace(record, body=Cell.parse(record.body).storing(count).to_json())

        try:
            rewritten(self.flusher.ledger, due.record, storing)
        except Outpaced:
            return  # still due: the next turn posts it once more, which changes nothing
        self.tally.delivered += 1
        resolved(self.flusher.ledger, due.entry)


def _posted(due: _Due) -> dict[str, object]:
    sk = due.entry.key.sk
    return {"name": places.name_of(sk), "time": places.minute_of(sk), "value": due.cell.total()}
