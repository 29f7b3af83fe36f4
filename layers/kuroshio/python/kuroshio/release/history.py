"""What became of each deployment after a merge: one record, written when it begins and again when it ends."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

_REVERTED = re.compile(r"This reverts commit ([0-9a-f]{40})")
_MOST_COMMITS = 250
_MOST_DIGESTS = 1_000  # an item of the ledger holds 400 KB


@dataclass(frozen=True)
class Deployment:
    """One attempt to bring a commit's units live on a target. ``ended`` is None while it runs, and for ever if it was cut off.

    ``merged`` is when the commit came onto its branch, ``commits`` what came with it, ``reverts`` what these take back.
    """

    target: str
    commit: str
    started: datetime
    units: tuple[str, ...]
    merged: datetime | None = None
    commits: tuple[str, ...] = ()
    reverts: tuple[str, ...] = ()
    ended: datetime | None = None
    deployed: Mapping[str, str] = field(default_factory=dict)  # unit -> digest, or nothing where the command said none

    @property
    def key(self) -> str:
        """What it is kept under: in the order of time, and once however often it is written."""
        return f"{self.started.isoformat(timespec='milliseconds')}#{self.target}#{self.commit}"

    @property
    def left(self) -> tuple[str, ...]:
        """Units that were to be deployed and are not known to be."""
        return tuple(unit for unit in self.units if unit not in self.deployed)

    @property
    def succeeded(self) -> bool:
        """Whether it ended with every unit live."""
        return self.ended is not None and not self.left

    def to_json(self) -> dict[str, Any]:
        """The document of its record."""
        digests = len(self.units) <= _MOST_DIGESTS
        return {
            "target": self.target,
            "commit": self.commit,
            "started": self.started.isoformat(),
            "units": list(self.units),
            "merged": self.merged.isoformat() if self.merged else None,
            "commits": list(self.commits),
            "reverts": list(self.reverts),
            "ended": self.ended.isoformat() if self.ended else None,
            "deployed": {unit: digest if digests else "" for unit, digest in self.deployed.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Deployment:
        """Read what ``to_json`` wrote."""
        return cls(
            document["target"],
            document["commit"],
            datetime.fromisoformat(document["started"]),
            tuple(document["units"]),
            _time(document.get("merged")),
            tuple(document["commits"]),
            tuple(document["reverts"]),
            _time(document.get("ended")),
            dict(document["deployed"]),
        )


class History(Protocol):
    """The records of all deployments of an environment."""

    def keep(self, deployment: Deployment) -> None:
        """Write the record, over an earlier one of the same key."""

    def since(self, time: datetime) -> list[Deployment]:
        """Those that began then or later, in the order in which they began."""


def begun(event: Mapping[str, Any], target: str, units: tuple[str, ...], now: datetime) -> Deployment:
    """The record of a deployment that a push begins. ``event`` is GitHub's; what it lacks is left unknown.

    The time of the head commit is that of the merge: GitHub makes the commit when it merges.
    """
    head = event.get("head_commit") or {}
    commits = [each for each in event.get("commits") or [] if isinstance(each, dict)]
    reverts = [sha for each in [*commits, head] for sha in _REVERTED.findall(str(each.get("message") or ""))]
    return Deployment(
        target,
        str(event["after"]),
        now,
        units,
        _time(head.get("timestamp")),
        tuple(str(each["id"]) for each in commits if each.get("id"))[-_MOST_COMMITS:],
        tuple(dict.fromkeys(reverts))[:_MOST_COMMITS],
    )


def _time(text: Any) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
