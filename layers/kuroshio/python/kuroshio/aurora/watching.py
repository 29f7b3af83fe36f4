"""Look at a clone that follows: how far it is behind, whether it moves, and what mends it where that is safe.

A server that is away is waited for. What ``mending`` does not mend is told with what to do.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from kuroshio.aurora import follow, lag, replica, skipping, trouble
from kuroshio.aurora import request as requests
from kuroshio.aurora.follow import Judgement, Observation, State, Work
from kuroshio.aurora.lag import Lag
from kuroshio.aurora.mending import Look, Mending
from kuroshio.aurora.position import Position
from kuroshio.errors import RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kuroshio.aurora.binlog.glance import Waiting
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.sides import Figures, Sides, Source

Seen = tuple["Mapping[str, Any] | None", Work]  # a clone's status and what it applies
_SILENT_AFTER_S = 600  # a server that does not answer for so long is not coming back by itself
_STALE_S, _APART_S = 90, 1
_STRANGE = "strange"  # the record of what was written on the clone itself


class Watching:
    """The step ``watch``."""

    def __init__(
        self,
        sides: Sides,
        ledger: Ledger,
        figures: Figures,
        clock: Callable[[], datetime],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._sides, self._ledger, self._figures, self._clock, self._pause = sides, ledger, figures, clock, pause
        self._mending = Mending(sides, ledger, clock)

    def watch(self, event: dict[str, Any]) -> dict[str, Any]:
        """Look once, mend what is safe to mend, and note how far it is. A server that is away is waited for."""
        request = requests.parse(event.get("request"))
        before = lag.earlier(self._ledger, request.clone, self._clock())
        if not before:
            found = lag.last(self._ledger, request.clone, self._clock())
            before = [found] if found else []
        try:
            with self._sides.clone(request) as clone:
                look = Look(request, event, clone, before)
                seen, strange = self._lag(look), self._strange(look)
        except ServiceUnavailable as error:
            return self._absent(request, error, before)
        self._ledger.note(request.clone, "lag", seen.document(), lag.moment(seen.seen.at))
        self._tell(request, event, seen, strange)
        return self._answer(request, seen, strange)

    def _answer(self, request: ReplicateRequest, seen: Lag, strange: int) -> dict[str, Any]:
        now, said = seen.seen, seen.judgement
        found = now.trouble
        skipped = skipping.count(self._ledger, request.clone, now.done) if found else 0
        return {
            "state": str(said.state),
            **seen.figures(),
            "reason": said.reason,
            "trouble": {"number": found.number, "message": found.message, "of_apply": found.of_apply}
            if found
            else None,
            "may_skip": bool(found and said.state is State.BROKEN and trouble.may_skip(found, request.errors, skipped)),
            "strange": strange,
            "wait_s": self._wait(request, said),
        }

    def _absent(self, request: ReplicateRequest, error: Exception, before: Sequence[Observation]) -> dict[str, Any]:
        """The clone does not answer: it restarts, fails over, or is gone. Nothing is noted of what nobody saw."""
        now = self._clock()
        away = now.timestamp() - before[-1].at if before else 0.0
        state = State.STALLED if away >= _SILENT_AFTER_S else State.RECONNECTING
        said = Judgement(state, f"the clone does not answer: {error}", before[-1].behind if before else 0)
        return {
            "state": str(state),
            "behind_bytes": said.behind,
            "behind_transactions": None,
            "behind_s": None,
            "ready_in_s": None,
            "reason": said.reason,
            "trouble": None,
            "may_skip": False,
            "strange": 0,
            "wait_s": self._wait(request, said),
        }

    def _wait(self, request: ReplicateRequest, said: Judgement) -> int:
        kept, now = self._ledger.read(request.clone, replica.RECORD), self._clock()
        since = datetime.fromisoformat(kept["at"]) if kept else now
        return lag.wait_s(said.state, since, now, said.ready_in_s)

    def _tell(self, request: ReplicateRequest, event: Mapping[str, Any], seen: Lag, strange: int) -> None:
        said = seen.judgement
        values: dict[str, float | None] = {
            "behind_bytes": said.behind,
            "behind_transactions": seen.waiting.transactions if seen.waiting else None,
            "behind_seconds": seen.seconds,
            "applied_bytes_per_second": said.applied_per_s,
            "following": float(said.state in (State.FOLLOWING, State.CAUGHT_UP)),
            "strange_changes": strange,
        }
        told = {name: value for name, value in values.items() if value is not None}
        self._figures.tell(request.clone, f"{event.get('run', '')}/{seen.seen.at}", told)

    def _lag(self, look: Look) -> Lag:
        """Judge what is seen now beside what was seen before."""
        # The clone first: what the source writes meanwhile then counts as still to be done, and never the other way round.
        clone = look.clone.status(), look.clone.work()
        try:
            with self._sides.source(look.request) as source:
                return self._both(look, source, self._seen(clone, source))
        except ServiceUnavailable as error:
            return self._alone(look, clone, error)

    def _both(self, look: Look, source: Source, now: Observation) -> Lag:
        if self._mending.mended(look, now):
            now = self._seen((look.clone.status(), look.clone.work()), source)
        seen = follow.remembering([*look.before, now])
        if not look.before or now.at - look.before[-1].at > _STALE_S:
            # Whether it has caught up is told by two looks, and of what was written long ago it says nothing.
            self._pause(_APART_S)
            again = self._seen((look.clone.status(), look.clone.work()), source)
            seen = follow.remembering([*seen, again])
            now = again
        judgement = follow.judge(seen)
        waiting, seconds = None, None
        if now.done is not None:
            try:
                waiting = source.waiting(now.done, now.behind)
            except RequestRefused as error:  # purged: what the clone says of it is judged, and this is why
                judgement = replace(judgement, reason=f"{judgement.reason}. {error}")
            else:
                seconds = _age(waiting, source) if now.behind else 0.0
        return Lag(seen[-1], judgement, waiting, seconds)

    def _seen(self, clone: Seen, source: Source) -> Observation:
        status, work = clone
        return follow.observe(status, source.position(), source.logs(), at=self._clock().timestamp(), work=work)

    def _alone(self, look: Look, clone: Seen, error: ServiceUnavailable) -> Lag:
        """The source does not answer: judge the clone by what the source had written when it was last seen."""
        status, work = clone
        done = replica.done_of(status) if status is not None else None
        known = look.before[-1].written if look.before else done
        if known is None:
            raise error
        at = self._clock().timestamp()
        now = follow.observe(status, known, {known.file: known.offset}, at=at, work=work)
        seen = follow.remembering([*look.before, now])
        judgement = follow.judge(seen)
        earlier = look.before[-1].away_since if look.before else None
        since = at if earlier is None else earlier
        away = at - since
        if judgement.state in (State.FOLLOWING, State.CAUGHT_UP, State.RECONNECTING):
            state = State.STALLED if away >= _SILENT_AFTER_S else State.RECONNECTING
            words = f"the source has not answered for {away:.0f} s: {error}"
            judgement = replace(judgement, state=state, ready_in_s=None, reason=words)
        return Lag(replace(seen[-1], away_since=since), judgement)

    def _strange(self, look: Look) -> int:
        """How many changes were seen so far that the clone took from somebody else than its source."""
        clone, ledger = look.request.clone, self._ledger
        following = ledger.read(clone, replica.RECORD)
        if following is None or not following.get("own"):
            return 0
        begun = {"upto": following["own"], "changes": 0, "first": None, "servers": []}
        kept = ledger.read(clone, _STRANGE) or begun
        servers = sorted({*kept["servers"], look.clone.number()})
        try:
            found = look.clone.strange(Position.parse(kept["upto"]), frozenset(servers))
        except RequestRefused:  # its own binlog was purged: what was found before is what can be known
            return int(kept["changes"])
        changes = int(kept["changes"]) + found.changes
        if str(found.upto) != kept["upto"]:
            first = kept["first"] or (str(found.first) if found.first else None)
            ledger.put(
                clone, _STRANGE, {"upto": str(found.upto), "changes": changes, "first": first, "servers": servers}
            )
        if found.changes and not kept["changes"]:
            words = f"somebody writes on the clone itself: {found.changes} changes, the first ends at {found.first}"
            replica.note(ledger, clone, look.event, words, self._clock())
        return changes


def _age(waiting: Waiting, source: Source) -> float | None:
    return None if waiting.since is None else source.time() - waiting.since
