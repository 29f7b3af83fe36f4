"""The seed position: where in the source's binlog a clone begins.

Aurora tells it once, in an event of the clone's writer instance. It tells the same of every later start that is like a
recovery from a crash, then about the *clone's own* binlog; so the first event after the instance was made counts, and
never a later one. Nothing here guesses: a position that is missing, stale, ambiguous or impossible is refused, each with
a message of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position
from kuroshio.errors import InvalidRequest, SeedRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.aurora.cluster import Event

# No id and no category goes with it, so only the text tells it from other events (Aurora user guide, "Upgrading").
_TEXT = re.compile(r"Binlog position from crash recovery is (\S+\.\d+) (\d+)\.?")
# After a blue/green switchover the position is told so; that of a crash recovery is then another story.
_SWITCHOVER = re.compile(r"Binlog coordinates in green environment after switchover")


@dataclass(frozen=True)
class Seed:
    """A position, and the event that told it."""

    position: Position
    told_at: datetime
    message: str

    def document(self) -> dict[str, Any]:
        """As the ledger keeps it."""
        return {"position": str(self.position), "told_at": self.told_at.isoformat(), "message": self.message}

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Seed:
        """Read what the ledger kept."""
        told_at = datetime.fromisoformat(document["told_at"])
        return cls(Position.parse(document["position"]), told_at, document["message"])


def told(events: Iterable[Event], instance: str, created: datetime) -> Seed | None:
    """The seed position that the instance's events tell; None while they tell none.

    Raises SeedRefused where they tell of two, or of a time before the instance was made.
    """
    found = [_seed(event) for event in events if event.source == instance and _TEXT.fullmatch(event.message.strip())]
    if not found:
        return None
    stale = [seed for seed in found if seed.told_at < created]
    fresh = sorted((seed for seed in found if seed.told_at >= created), key=lambda seed: seed.told_at)
    if not fresh:
        raise SeedRefused(
            f"the position {stale[0].position} was told at {stale[0].told_at:%F %T}, before {instance} was made at "
            f"{created:%F %T}: it is that of an earlier instance of this name. Give the clone another name"
        )
    others = {str(seed.position) for seed in fresh[1:]} - {str(fresh[0].position)}
    if others:
        raise SeedRefused(
            f"{instance} told of {fresh[0].position} and later of {', '.join(sorted(others))} before the first was kept: "
            "it recovered twice, and a later position may be one of its own binlog. Remove the clone and make it again"
        )
    return fresh[0]


def _seed(event: Event) -> Seed:
    match = _TEXT.fullmatch(event.message.strip())
    if match is None:
        raise InvalidRequest(f"{event.message!r} tells no position")
    return Seed(Position(match[1], int(match[2])), event.at, event.message)


def never_told(instance: str, waited_s: float, messages: Iterable[str]) -> SeedRefused:
    """Why there is no seed position after all that time, as far as can be known."""
    texts = list(messages)
    if any(_SWITCHOVER.search(text) for text in texts):
        return SeedRefused(
            f"{instance} was made by a blue/green switchover, which tells its position otherwise: "
            "clone from the cluster as it is now"
        )
    seen = f"; it told {len(texts)} other events" if texts else "; it told no event at all"
    return SeedRefused(
        f"{instance} told no binlog position within {waited_s:.0f} s{seen}. The source's binlog was off when it was cloned, or "
        "the event was lost. Remove the clone, make sure that log_bin is on, and make it again"
    )


def check(seed: Seed, logs: Mapping[str, int], *, log_bin: bool, enhanced: bool) -> None:
    """Hold the position against the source. ``logs``: its binlog files with their sizes in bytes.

    Raises SeedRefused where the source cannot have been at that position when it was cloned.
    """
    position = seed.position
    if not log_bin:
        raise SeedRefused(f"the source writes no binlog, so {position} is a position of a time when it did")
    if enhanced:
        raise SeedRefused(
            f"the source has enhanced binlog, whose files a clone does not have: {position} may be one of the clone's own"
        )
    if position.file not in logs:
        kept = f"{min(logs)} to {max(logs)}" if logs else "none"
        raise SeedRefused(
            f"the source has no {position.file} any more (it has {kept}): purged, or the position is not the source's. "
            "Raise the binlog retention and make the clone again"
        )
    if position.offset > logs[position.file]:
        raise SeedRefused(
            f"{position} lies beyond the end of that file, {logs[position.file]}: the position is not the source's"
        )


def check_fence(seed: Seed, fence: Position) -> None:
    """Hold the position against where the source was before anybody asked for the clone.

    Raises SeedRefused for an earlier one: the clone has all that was written by then, and would do a part of it twice.
    """
    if seed.position < fence:
        raise SeedRefused(
            f"{seed.position} is early: the source had written up to {fence} before the clone was asked for, so the clone has "
            "more than that position says. Remove the clone and make it again"
        )
