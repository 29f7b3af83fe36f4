"""What an answer of Mackerel means for what was sent, and when to ask again."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from kuroshio.mackerel.points import MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Answer

    Jitter = Callable[[float], float]  # a random number between 0 and the argument

_FIRST_WAIT, _LONGEST_WAIT = 15.0, 300.0  # seconds
_PARKED_WAIT = 600.0


class Verdict(Enum):
    """What to do after an answer."""

    DELIVERED = "delivered"
    RETRY = "retry"  # nothing is wrong with what was sent
    SLOW_DOWN = "slow down"
    PARK = "park"  # the key, the address or the service is wrong: nothing of this lane can pass
    SPLIT = "split"  # something in what was sent is wrong


_BY_STATUS = {0: Verdict.RETRY, 408: Verdict.RETRY, 429: Verdict.SLOW_DOWN}
_PARKED = (401, 403, 404)
_CLASSES = {
    0: "no answer",
    401: "the key is wrong",
    403: "the key or the address may not",
    404: "unknown service or host",
}


@dataclass(frozen=True)
class Refusal:
    """Why a lane does not move, for people: kept with its turn and shown by the status."""

    status: int
    message: str
    since: float

    def __str__(self) -> str:
        kind = _CLASSES.get(self.status, f"HTTP {self.status}")
        return f"{kind}: {self.message}" if self.message else kind


def verdict(answer: Answer) -> Verdict:
    """The consequence of one answer. Mackerel documents none of this; the peers' mistakes are the reasons."""
    ok, bad_request, server_error = 200, 400, 500
    if ok <= answer.status < 300:  # noqa: PLR2004
        # Every success of Mackerel is a JSON object; a page with status 200 comes from something in between.
        return Verdict.DELIVERED if isinstance(answer.document, dict) else Verdict.RETRY
    if answer.status in _PARKED:
        return Verdict.PARK
    if answer.status >= server_error or answer.status < bad_request:
        return _BY_STATUS.get(answer.status, Verdict.RETRY)
    return _BY_STATUS.get(answer.status, Verdict.SPLIT)


def next_time(outcome: Verdict, *, attempts: int, now: float, retry_after: float | None, jitter: Jitter) -> float:
    """When the lane may be tried again, in epoch seconds.

    Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): after ``attempts`` failures in a row, any time
    up to the doubled wait. After success and after 429 not before the next minute, which is what Mackerel counts in.
    """
    next_minute = (now // MINUTE + 1) * MINUTE
    wait = jitter(min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(attempts, 10)))
    match outcome:
        case Verdict.RETRY:
            return now + wait
        case Verdict.SLOW_DOWN:
            return max(next_minute + wait, now + (retry_after or 0.0))
        case Verdict.PARK:
            return now + _PARKED_WAIT / 2 + jitter(_PARKED_WAIT / 2)
        case _:
            return next_minute
