"""How a run ended, in one word that never says more than is known, and a sentence that says why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """The words. Rising: of several instances the gravest is the run's (``gravest``)."""

    SUCCEEDED = "succeeded"
    SKIPPED = "skipped"  # on purpose: an overlap or a freeze
    DID_NOT_RUN = "did-not-run"
    UNREACHABLE = "unreachable"  # the instance is not managed, or has lost its connection
    UNDELIVERED = "undelivered"  # it was sent, and whether it began is not known
    KILLED = "killed"  # by a signal or by somebody who cancelled it
    TIMED_OUT = "timed-out"
    FAILED = "failed"

    @property
    def may_be_repeated(self) -> bool:
        """Whether a task that is declared idempotent may be tried again.

        Never what is undelivered: SSM calls a command so whose script ran to its end on an instance that could not say it
        (amazon-ssm-agent, issue 316), and the copy may still be on its way.
        """
        return self in (Outcome.FAILED, Outcome.KILLED, Outcome.TIMED_OUT, Outcome.UNREACHABLE)


@dataclass(frozen=True)
class Verdict:
    """``reason``: a sentence for the engineer who reads it at night."""

    outcome: Outcome
    reason: str

    def __post_init__(self) -> None:
        """Refuse a verdict without a reason: it is the half that people act upon."""
        if not self.reason.strip():
            raise ValueError(f"the verdict {self.outcome} has no reason")

    def document(self) -> dict[str, str]:
        """As the ledger keeps it."""
        return {"outcome": str(self.outcome), "reason": self.reason}


_GRAVITY = {outcome: gravity for gravity, outcome in enumerate(Outcome)}


def gravest(outcomes: list[Outcome]) -> Outcome:
    """The outcome that stands for all of them, at least one."""
    return max(outcomes, key=_GRAVITY.__getitem__)
