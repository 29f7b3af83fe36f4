"""What the ledger keeps of a clone: one record of how far it is, and what was found, done and asked on the way.

=========================  ====================================================================================
``state``                  phase, request, run, started, by, source: how far it is now
``preflight``              the whole judgement
``seed``                   where the clone begins in its source's binlog: created once, never written over
``account``                user, secret (its ARN), and the source on which the account is
``group``                  the clone's parameter group, and ``as_source``: what a clone that takes over must have again
``fence``, ``told``        how far the source was before it was cloned, and what the event told: ``seed`` rests on both
``instance``, ``upgrade``  what was asked of RDS, and when
``skip#<n>``               a transaction that was skipped, with its content
``verification#<iso>``     a proof, or what differs
``approval#<name>``        what was asked of a person, and the answer
``cutover#<iso>``          a cut-over, or its return
``check``                  the conditions of a cut-over, as they were when they were last looked at
``switch#<n>``              an attempt to cut over; ``decision#``, ``left#``, ``end#``: what became of it
``event#<iso>#<random>``   something that happened (``note``)
``lag#<iso>#<random>``     how far it was behind (``note``); kept for a month
=========================  ====================================================================================

What was changed on a source is kept under ``source/<its name>``, which no clone can be called: ``before#…`` is how it was,
``need#…#<clone>`` which clones need the change still.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

STATE = "state"
# Noted every few seconds while a clone catches up.
KEPT_FOR: Mapping[str, timedelta] = {"lag": timedelta(days=30)}


class Phase(StrEnum):
    """How far a clone is, in the order in which it gets there."""

    PREFLIGHT = "preflight"
    BINLOG = "binlog"
    ACCOUNT = "account"
    CLONING = "cloning"
    SEEDING = "seeding"
    FOLLOWING = "following"
    CAUGHT_UP = "caught-up"
    VERIFYING = "verifying"
    UPGRADING = "upgrading"
    READY = "ready"
    CUTTING_OVER = "cutting-over"
    DONE = "done"  # it took over
    ABORTED = "aborted"
    FAILED = "failed"


# It follows its source, and somebody has to look at it.
WATCHED = frozenset({Phase.FOLLOWING, Phase.CAUGHT_UP, Phase.VERIFYING, Phase.READY})
# It is the source now, or about to be.
TAKEN_OVER = frozenset({Phase.CUTTING_OVER, Phase.DONE})
# Its name is free for another.
ENDED = frozenset({Phase.DONE, Phase.ABORTED})


class Ledger(Protocol):
    """The records of all clones. A clone is named by its cluster identifier."""

    def note(self, clone: str, kind: str, document: Mapping[str, Any], at: datetime) -> None:
        """Keep one more record of this kind; ``at`` is put into it."""

    def create(self, clone: str, key: str, document: Mapping[str, Any]) -> bool:
        """Keep a record that is never written over. False, and nothing is changed, where there is one."""

    def put(self, clone: str, key: str, document: Mapping[str, Any]) -> None:
        """Keep a record, over an earlier one."""

    def read(self, clone: str, key: str) -> dict[str, Any] | None:
        """Return a record; None where there is none."""

    def all(self, clone: str, prefix: str) -> list[dict[str, Any]]:
        """Return the records whose keys begin so, in the order of their keys, which is that of time for what was noted."""

    def delete(self, clone: str, key: str) -> None:
        """Remove a record, if there is one: ``seed``, when its clone is gone and another may be called so."""

    def phase(self, clone: str, phase: Phase, at: datetime, **more: Any) -> None:
        """Change the phase, and what else is named, in ``state``; the rest of it stays. Noted as an ``event`` too."""

    def claim(self, clone: str, run: str, instead_of: str = "") -> bool:
        """Make this run the one that works at the clone; it stays in ``state`` as ``run``.

        False, and nothing is changed, where another run than these two does. Of two at once only one succeeds.
        """

    def clones(self) -> list[dict[str, Any]]:
        """Return the ``state`` of every clone, each with its ``clone``, in the order of their names."""


def of_this_clone(ledger: Ledger, clone: str, prefix: str) -> list[dict[str, Any]]:
    """Return the records whose keys begin so, without those of a clone that was called so before and was removed.

    Whoever decides by records decides by these: a proof of another clone proves nothing of this one.
    """
    since = moment(ledger.read(clone, STATE) or {}, "since")
    return [record for record in ledger.all(clone, prefix) if is_of(record, since)]


def is_of(record: Mapping[str, Any], since: datetime | None) -> bool:
    """Whether a record is of the clone that is made since then; one without a time is."""
    at = moment(record)
    return since is None or at is None or at >= since


def moment(record: Mapping[str, Any], name: str = "at") -> datetime | None:
    """A field that is a time, in UTC; None where it is missing or no time."""
    try:
        found = datetime.fromisoformat(str(record.get(name, "")))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def noted_key(kind: str, at: datetime, salt: str) -> str:
    """Keys of one kind sort by time; the salt keeps two of one microsecond apart."""
    return f"{kind}#{at.isoformat(timespec='microseconds')}#{salt}"
