"""What the outbox holds, for people and for CloudWatch; and the way back for what was set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.mackerel import places
from kuroshio.mackerel.ports import Key
from kuroshio.mackerel.shelf import resolved, rewritten
from kuroshio.mackerel.verdicts import Refusal

if TYPE_CHECKING:
    from kuroshio.mackerel.ports import Ledger, Record

_MOST = 10_000


@dataclass(frozen=True)
class Lane:
    """The state of one lane. ``oldest`` and ``succeeded_at`` are epoch seconds; ``waiting`` counts to ten thousand."""

    name: str
    waiting: int
    oldest: int | None
    succeeded_at: int | None
    refusal: Refusal | None


@dataclass(frozen=True)
class Parked:
    """Something that was set aside, and why."""

    lane: str
    what: str
    reason: str


def lanes(ledger: Ledger) -> list[Lane]:
    """Every lane that was ever used."""
    return [_lane(ledger, turn) for turn in ledger.scan(places.TURNS, _MOST)]


def parked(ledger: Ledger) -> list[Parked]:
    """What was set aside."""
    return [_parked(record) for record in ledger.scan(places.PARKED, _MOST)]


def redrive(ledger: Ledger) -> int:
    """Let everything that was set aside in a lane be tried again, and every lane be tried at once; returns how many.

    What could not be read at all stays where it is.
    """
    again = [record for record in ledger.scan(places.PARKED, _MOST) if "sk" in record.body]
    for record in again:
        # Due first, then no longer parked: killed between the two, it is only tried once more.
        ledger.touch(Key(places.due(record.body["lane"]), record.body["sk"]), record.expires_at)
        resolved(ledger, record)
    for turn in ledger.scan(places.TURNS, _MOST):
        _free(ledger, turn)
    return len(again)


def _free(ledger: Ledger, turn: Record) -> None:
    rewritten(
        ledger,
        turn,
        lambda latest: replace(latest, body={**latest.body, "not_before": 0, "attempts": 0, "refused_names": {}}),
    )


def _lane(ledger: Ledger, turn: Record) -> Lane:
    due = ledger.scan(places.due(turn.key.sk), _MOST)
    timed = [places.minute_of(entry.key.sk) for entry in due if "#" in entry.key.sk]
    refusal = turn.body.get("refusal")
    return Lane(
        turn.key.sk,
        len(due),
        min(timed, default=None),
        turn.body.get("succeeded_at"),
        Refusal(**refusal) if refusal else None,
    )


def _parked(record: Record) -> Parked:
    lane, _, what = record.key.sk.partition("#")
    return Parked(lane, what, record.body["reason"])
