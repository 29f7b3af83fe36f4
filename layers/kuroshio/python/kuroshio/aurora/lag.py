"""How far a clone was behind, as the ledger keeps it: a function that looks needs no memory of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.follow import Observation, State, Work
from kuroshio.aurora.position import Position
from kuroshio.aurora.records import of_this_clone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.binlog.glance import Waiting
    from kuroshio.aurora.follow import Judgement
    from kuroshio.aurora.records import Ledger

_WINDOW = 30  # looks that paces are taken from
_TEN_MINUTES = len("2026-11-21T10:1")  # of a key's time; longer ago than these, rates say nothing of now
_SHARE, _SHORTEST_S, _LONGEST_S = 0.05, 1, 60


@dataclass(frozen=True)
class Lag:
    """One look. ``seconds``: the age of the oldest change that the clone has not done, by the source's clock."""

    seen: Observation
    judgement: Judgement
    waiting: Waiting | None = None
    seconds: float | None = None

    def document(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        now, said = self.seen, self.judgement
        return {
            **self.figures(),
            "state": str(said.state),
            "reason": said.reason,
            "applied_per_s": said.applied_per_s,
            "written_per_s": said.written_per_s,
            "seen": {
                "at": now.at,
                "written": str(now.written),
                "done": str(now.done) if now.done else None,
                "fetched": str(now.fetched) if now.fetched else None,
                "behind": now.behind,
                "rows": now.work.rows,
                "still_since": now.still_since,
                "reached": now.reached,
                "away_since": now.away_since,
                "claimed_seconds": now.claimed_seconds,
            },
        }

    def figures(self) -> dict[str, Any]:
        """What people ask for first."""
        return {
            "behind_bytes": self.judgement.behind,
            "behind_transactions": self.waiting.transactions if self.waiting else None,
            "behind_s": None if self.seconds is None else round(max(self.seconds, 0.0), 3),
            "ready_in_s": None if self.judgement.ready_in_s is None else round(self.judgement.ready_in_s, 1),
        }


def earlier(ledger: Ledger, clone: str, now: datetime) -> list[Observation]:
    """The last looks, the oldest first. Times in keys have a form whose beginning names ten minutes."""
    prefixes = [f"lag#{moment.isoformat()[:_TEN_MINUTES]}" for moment in (now - timedelta(minutes=10), now)]
    found = [record for prefix in prefixes for record in of_this_clone(ledger, clone, prefix)]
    return [_observation(record["seen"]) for record in found[-_WINDOW:]]


def last(ledger: Ledger, clone: str, now: datetime) -> Observation | None:
    """The last look of the last two days; None where there is none."""
    for days in (0, 1):
        found = of_this_clone(ledger, clone, f"lag#{(now - timedelta(days=days)).date().isoformat()}")
        if found:
            return _observation(found[-1]["seen"])
    return None


def _observation(kept: Mapping[str, Any]) -> Observation:
    return Observation(
        at=float(kept["at"]),
        written=Position.parse(kept["written"]),
        done=Position.parse(kept["done"]) if kept["done"] else None,
        fetched=Position.parse(kept["fetched"]) if kept["fetched"] else None,
        behind=int(kept["behind"]),
        work=Work(rows=kept["rows"]),
        still_since=kept["still_since"],
        reached=int(kept["reached"]),
        away_since=kept["away_since"],
    )


def wait_s(state: State, since: datetime, now: datetime, ready_in_s: float | None) -> int:
    """Seconds until the next look: the longer it has taken, the less a look more often would save."""
    if state in (State.BROKEN, State.STOPPED, State.DETACHED):
        return _SHORTEST_S
    longest = min(_LONGEST_S, (now - since).total_seconds() * _SHARE)
    return max(_SHORTEST_S, round(longest if ready_in_s is None else min(longest, ready_in_s)))


def moment(at: float) -> datetime:
    """Epoch seconds as the ledger writes times."""
    return datetime.fromtimestamp(at, UTC)
