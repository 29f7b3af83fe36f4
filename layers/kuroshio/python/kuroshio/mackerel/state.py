"""What the outbox holds, for people and for CloudWatch; and the way back for what was set aside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.mackerel import places
from kuroshio.mackerel.ports import Answer, Key
from kuroshio.mackerel.shelf import resolved, rewritten
from kuroshio.mackerel.verdicts import Refusal, Verdict, verdict

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

    @property
    def is_parked(self) -> bool:
        """Whether nothing of it can pass until somebody changes the key, the host or the service."""
        return self.refusal is not None and verdict(Answer(self.refusal.status)) in (Verdict.PARK, Verdict.SPLIT)


@dataclass(frozen=True)
class Standing:
    """What the outbox holds at a moment. Times are in seconds; ``depth`` counts what waits in all lanes."""

    depth: int
    age: int
    lanes_parked: int
    since_success: int


@dataclass(frozen=True)
class Parked:
    """Something that was set aside, and why."""

    lane: str
    what: str
    reason: str


def lanes(ledger: Ledger) -> list[Lane]:
    """Every lane that was ever used."""
    return [_lane(ledger, turn) for turn in ledger.scan(places.TURNS, _MOST)]


def standing(ledger: Ledger, now: float) -> Standing:
    """What is worth an alarm. A lane that has nothing to send succeeds every minute, so silence is never success."""
    found = lanes(ledger)
    oldest = min((lane.oldest for lane in found if lane.oldest is not None), default=now)
    succeeded = min((_succeeded(lane, now) for lane in found), default=now)
    return Standing(
        depth=sum(lane.waiting for lane in found),
        age=max(0, int(now - oldest)),
        lanes_parked=sum(lane.is_parked for lane in found),
        since_success=max(0, int(now - succeeded)),
    )


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


def _succeeded(lane: Lane, now: float) -> float:
    """When it last moved; for a lane that never did, since when it should have."""
    if lane.succeeded_at is not None:
        return lane.succeeded_at
    return lane.refusal.since if lane.refusal else min(lane.oldest or now, now)


def _parked(record: Record) -> Parked:
    lane, _, what = record.key.sk.partition("#")
    return Parked(lane, what, record.body["reason"])
