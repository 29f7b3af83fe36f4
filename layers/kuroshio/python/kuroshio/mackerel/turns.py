"""Turns: one flusher per lane at a time, one turn a minute, and a longer pause after a failure.

Two flushers must never post the same cell at once: the older total could arrive last and stay. A turn is therefore a
lease that outlives its holder: nobody else posts before everything that the holder sent has been processed or is gone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from kuroshio.errors import Outpaced, PermanentError, TransientError
from kuroshio.mackerel import places
from kuroshio.mackerel.ports import Answer, Record
from kuroshio.mackerel.verdicts import Refusal, Verdict, next_time, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.mackerel.ports import Api, Ledger
    from kuroshio.mackerel.verdicts import Jitter


@dataclass(frozen=True)
class Pace:
    """How fast, and how long things may take (seconds). ``lease`` ends after the last request began by timeout and grace."""

    points_per_request: int = 100
    requests_per_turn: int = 10
    lease: float = 150.0
    request_timeout: float = 20.0
    grace: float = 40.0  # a request that we gave up may still be processed for so long
    shun: float = 3600.0  # a name that was refused twice is set aside unasked for so long


class TurnEnded(Exception):  # noqa: N818 - no failure: the way out of a turn from any depth
    """Nothing more can be sent in this turn."""

    def __init__(self, outcome: Verdict, answer: Answer | None = None) -> None:
        super().__init__(outcome.value)
        self.outcome, self.answer = outcome, answer


class Channel:
    """Mackerel's API for the length of one turn."""

    def __init__(self, api: Api, clock: Callable[[], float], until: float, pace: Pace) -> None:
        self._api, self._clock, self._pace = api, clock, pace
        self._last_start = until - pace.request_timeout - pace.grace
        self.requests = 0

    def call(self, method: str, path: str, body: Any = None, *, expected: tuple[int, ...] = ()) -> Answer:
        """The answer, where it was a success, one of ``expected``, or says that something in the body is wrong.

        Raises TurnEnded where nothing else can pass in this turn, or the turn's requests or its time are used up.
        """
        if self.requests >= self._pace.requests_per_turn or self._clock() > self._last_start:
            raise TurnEnded(Verdict.DELIVERED)
        self.requests += 1
        answer = self._answer(method, path, body)
        meaning = verdict(answer)
        if answer.status in expected or meaning in (Verdict.DELIVERED, Verdict.SPLIT):
            return answer
        raise TurnEnded(meaning, answer)

    def _answer(self, method: str, path: str, body: Any) -> Answer:
        """The API's answer; a key that cannot be had parks the lane as a wrong key does, and says why."""
        try:
            return self._api.call(method, path, body)
        except TransientError as error:
            raise TurnEnded(Verdict.RETRY, Answer(503, message=str(error))) from error
        except PermanentError as error:
            raise TurnEnded(Verdict.PARK, Answer(401, message=str(error))) from error


def take(ledger: Ledger, lane: str, *, owner: str, now: float, pace: Pace) -> Record | None:
    """The lane's turn, if it is free and its time has come."""
    key = places.turn(lane)
    record = ledger.read([key]).get(key, Record(key))
    if record.body.get("until", 0) > now or record.body.get("not_before", 0) > now:
        return None
    try:
        return ledger.write(replace(record, body={**record.body, "owner": owner, "until": now + pace.lease}))
    except Outpaced:
        return None


class RefusedNames:
    """Metric names that Mackerel refused alone. Finding one costs a turn's requests; a flood of them must not cost it all."""

    def __init__(self, known: Any, now: float, pace: Pace) -> None:
        """``known``: {name: [how often, until, reason]}, as ``to_json`` gives it."""
        self._names: dict[str, list[Any]] = {name: entry for name, entry in known.items() if entry[1] > now}
        self._until = now + pace.shun

    def add(self, name: str, reason: str) -> None:
        """It was refused, alone."""
        count = self._names.get(name, [0])[0]
        self._names[name] = [count + 1, self._until, reason]

    def reason(self, name: str) -> str | None:
        """Why a point of this name need not be tried now: its value may have been the reason once, hardly twice."""
        count, _, reason = self._names.get(name, [0, 0, ""])
        return f"{reason} (twice before; not tried)" if count > 1 else None

    def to_json(self) -> dict[str, list[Any]]:
        """The latest five hundred."""
        return dict(list(self._names.items())[-500:])


def give_back(
    ledger: Ledger, turn: Record, ended: TurnEnded, refused: RefusedNames, *, lost: int, now: float, jitter: Jitter
) -> None:
    """End the turn and say when the next one may begin. After a request without an answer the lease runs to its end.

    ``lost``: what this turn found lost. It is added up for people; what counts exactly once is the metric.
    """
    failed = ended.outcome is not Verdict.DELIVERED
    attempts = turn.body.get("attempts", 0) + 1 if failed else 0
    silent = ended.answer is not None and ended.answer.status == 0
    retry_after = ended.answer.retry_after if ended.answer else None
    body = {
        **turn.body,
        "until": turn.body["until"] if silent else 0,
        "attempts": attempts,
        "refused_names": refused.to_json(),
        "lost": turn.body.get("lost", 0) + lost,
        "not_before": next_time(ended.outcome, attempts=attempts, now=now, retry_after=retry_after, jitter=jitter),
        "refusal": asdict(_refusal(turn, ended.answer, now)) if failed and ended.answer else None,
        "succeeded_at": turn.body.get("succeeded_at") if failed else int(now),
    }
    with suppress(Outpaced):  # the lease ran out while we worked, and another has the turn
        ledger.write(replace(turn, body=body))


def _refusal(turn: Record, answer: Answer, now: float) -> Refusal:
    before = turn.body.get("refusal") or {}
    return Refusal(answer.status, answer.message, before["since"] if before.get("status") == answer.status else now)
