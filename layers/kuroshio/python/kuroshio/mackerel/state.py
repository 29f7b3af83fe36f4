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
    """The state of one lane. ``waiting`` counts to ten thousand, ``lost`` all that turns ever found lost.

    ``oldest``, ``succeeded_at`` and ``next_turn`` are epoch seconds.
    """

    name: str
    waiting: int
    oldest: int | None
    succeeded_at: int | None
    refusal: Refusal | None
    next_turn: int = 0
    lost: int = 0

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


def redrive(ledger: Ledger, lane: str = "", reason: str = "") -> int:
    """Let what was set aside be tried again, and its lanes at once; returns how many things there were.

    Of one lane, where it is named, and only what was refused for a reason that has this text in it. What could not be
    read at all stays where it is.
    """
    again = [record for record in ledger.scan(places.PARKED, _MOST) if _comes_back(record, lane, reason)]
    for record in again:
        # Due first, then no longer parked: killed between the two, it is only tried once more.
        ledger.touch(Key(places.due(record.body["lane"]), record.body["sk"]), record.expires_at)
        resolved(ledger, record)
    concerned = {record.body["lane"] for record in again} if reason else {lane} if lane else None
    for turn in ledger.scan(places.TURNS, _MOST):
        if concerned is None or turn.key.sk in concerned:
            _free(ledger, turn)
    return len(again)


def redrivable(ledger: Ledger, lane: str = "", reason: str = "") -> list[Parked]:
    """What ``redrive`` would let be tried again."""
    return [_parked(record) for record in ledger.scan(places.PARKED, _MOST) if _comes_back(record, lane, reason)]


def _comes_back(record: Record, lane: str, reason: str) -> bool:
    return "sk" in record.body and lane in {"", record.body["lane"]} and reason in record.body["reason"]


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
        int(max(turn.body.get("not_before", 0), turn.body.get("until", 0))),
        turn.body.get("lost", 0),
    )


def _succeeded(lane: Lane, now: float) -> float:
    """When it last moved; for a lane that never did, since when it should have."""
    if lane.succeeded_at is not None:
        return lane.succeeded_at
    return lane.refusal.since if lane.refusal else min(lane.oldest or now, now)


def _parked(record: Record) -> Parked:
    lane, _, what = record.key.sk.partition("#")
    return Parked(lane, what, record.body["reason"])
