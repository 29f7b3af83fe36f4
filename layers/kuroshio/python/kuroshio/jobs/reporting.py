"""Reports of jobs leave through a spool: what cannot be sent is sent by the next run, and counted once it is too old."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from kuroshio.errors import KuroshioError, RequestRefused
from kuroshio.mackerel import flush, reports
from kuroshio.mackerel.messages import Parcel, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.mackerel.ports import Outbox


class Spool(Protocol):
    """Where messages wait on this machine, each with the name of the job that it is about."""

    def keep(self, job: str, message: str) -> str:
        """Keep it and return its name; the oldest are given up where there are too many."""

    def waiting(self) -> Sequence[str]:
        """The names of all that wait, oldest first."""

    def read(self, name: str) -> tuple[str, str]:
        """The job and the message; two empty texts where it is gone or cannot be read."""

    def drop(self, name: str) -> None:
        """It is no longer needed."""

    def give_up(self, job: str, count: int) -> None:
        """Count what was given up."""

    def given_up(self, job: str) -> int:
        """How much was ever given up."""


@dataclass(frozen=True)
class Outcome:
    """What came of sending: how many messages left, how many wait still, how much was too old, and what was wrong."""

    sent: int = 0
    waiting: int = 0
    expired: int = 0
    wrong: KuroshioError | None = None


def deliver(spool: Spool, outbox: Outbox) -> Outcome:
    """Send all that waits, oldest first, and stop where nothing can pass. Messages have keys: sent twice is harmless."""
    outcome = Outcome()
    names = spool.waiting()
    for place, name in enumerate(names):
        job, message = spool.read(name)
        parcel, expired = _fresh(message, time.time()) if message else (Parcel(), 0)
        try:
            if parcel != Parcel():
                outbox.send(packed(parcel))
                outcome = replace(outcome, sent=outcome.sent + 1)
        except RequestRefused as error:  # this one alone is wrong: it waits until it is too old
            outcome = replace(outcome, waiting=outcome.waiting + 1, wrong=error)
            continue
        except KuroshioError as error:
            return replace(outcome, waiting=outcome.waiting + len(names) - place, wrong=error)
        # First counted, then dropped: killed between the two, it is counted twice, but never missing.
        if expired:
            spool.give_up(job, expired)
        spool.drop(name)
        outcome = replace(outcome, expired=outcome.expired + expired)
    return outcome


def _fresh(message: str, now: float) -> tuple[Parcel, int]:
    """What of the message Mackerel would not ignore in silence, and how much it would."""
    whole = unpacked(message, now)
    points = tuple(point for point in whole.points if point.minute > now - flush.EXPIRY)
    checks = tuple(report for report in whole.reports if report.occurred_at > now - reports.EXPIRY)
    expired = len(whole.points) - len(points) + len(whole.reports) - len(checks) + len(whole.refused)
    return replace(whole, points=points, reports=checks, refused=()), expired
