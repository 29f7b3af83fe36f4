"""The function ``cut_over_cluster``: prove, switch, set up the way back, and the same the other way.

Whatever is called again finds what it did. A run that ended in the middle is finished or undone by the next, whichever it
was decided; see ``attempts``.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.aurora import conditions
from kuroshio.aurora.attempts import OVER, RETURNED, Attempts
from kuroshio.aurora.cutover import Switch, resume
from kuroshio.aurora.cutover_request import parse
from kuroshio.aurora.records import STATE, Phase
from kuroshio.aurora.steps import dispatch
from kuroshio.errors import (
    CutOverRefused,
    CutOverReturned,
    InvalidRequest,
    KuroshioError,
    NotCaughtUp,
    Outpaced,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from kuroshio.adapters.mysql import Login
    from kuroshio.adapters.switch_sides import SwitchedSource, SwitchedTarget
    from kuroshio.aurora.attempts import Attempt
    from kuroshio.aurora.conditions import SwitchFacts
    from kuroshio.aurora.cutover import Name
    from kuroshio.aurora.cutover_request import CutOverRequest
    from kuroshio.aurora.records import Ledger

FORWARD, BACK = "over", "back"
_CAUGHT_UP_WITHIN_S = 30.0
_LIFE_S = 890.0  # of a Lambda


class Servers(Protocol):
    """Where the two are, and connections to them. A side is ``instance``, ``cluster``, ``host``, ``port``, ``role``."""

    def side(self, request: CutOverRequest, role: str) -> dict[str, Any]:
        """Of ``source`` or ``clone``, by what it is called now. Raises NotFound."""

    def source(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedSource:
        """At its writer, whatever its cluster is called by now."""

    def target(self, request: CutOverRequest, side: dict[str, Any]) -> SwitchedTarget:
        """The same for who takes over."""

    def name(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]) -> Name:
        """What applications connect by."""

    def keep(self, source: dict[str, Any], target: dict[str, Any], *, events: bool) -> list[str]:
        """Let what was switched outlive a restart. Returns what is left to be done by hand."""

    def replication(self, request: CutOverRequest, side: dict[str, Any]) -> Login:
        """The account for replication, at the endpoint of that side's cluster."""

    def facts(self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any], run: str) -> SwitchFacts:
        """All that ``check`` asks of the two, and of the ledger."""


@dataclass(frozen=True)
class _Hands:
    """What a switch is made with."""

    attempt: Attempt
    source: SwitchedSource
    target: SwitchedTarget
    name: Name


@dataclass(frozen=True)
class Switching:
    """``clock`` counts seconds for the window; ``now`` is the time of day."""

    ledger: Ledger
    servers: Servers
    now: Callable[[], datetime]
    clock: Callable[[], float]
    pause: Callable[[float], None]

    def run(self, event: object) -> dict[str, Any]:
        """Do one step. Raises what the step raises, and InvalidRequest."""
        steps = {"check": self._check, "switch": self._over, "reverse": self._reverse, "cut_back": self._back}
        return dispatch(steps, event)

    # check -------------------------------------------------------------------------------------------------------------

    def _check(self, event: dict[str, Any]) -> dict[str, Any]:
        request, direction = parse(event.get("request")), _direction(event)
        last = self._attempts(request).last()
        ended = last.ended if last else None
        if last and ended and (last.direction, ended["result"]) == (direction, OVER):
            return _only("switched", f"it was switched at {last.document['at']}; only what is left is done")
        if last and not ended and not last.is_held(self.now()):
            return _only("resumed", f"the run {last.run} ended in the middle; what it began is finished or undone")
        source, target = self._sides(request, direction, last)
        found = conditions.judge(request, self.servers.facts(request, source, target, str(event.get("run", ""))))
        if event.get("before_approval"):
            found = [each for each in found if each.name != "approved"]
        answer = {"conditions": [each.document() for each in found], "holds": conditions.all_hold(found)}
        at = self.now()
        self.ledger.put(request.clone, "check", {**answer, "at": at.isoformat(), "direction": direction})
        missing = [f"{each.name} ({each.reason})" for each in found if not each.holds and not each.accepted]
        self.ledger.note(request.clone, "event", {"what": f"cut-{direction} checked", "missing": missing}, at)
        if missing and not request.dry_run:
            raise CutOverRefused(f"{request.clone} is not cut {direction}: {'; '.join(missing)}")
        return {**answer, "state": "ready"}

    # switch ------------------------------------------------------------------------------------------------------------

    def _over(self, event: dict[str, Any]) -> dict[str, Any]:
        return self._switch(event, FORWARD)

    def _back(self, event: dict[str, Any]) -> dict[str, Any]:
        return self._switch(event, BACK)

    def _switch(self, event: dict[str, Any], direction: str) -> dict[str, Any]:
        request, run = parse(event.get("request")), str(event.get("run", ""))
        attempts = self._attempts(request)
        last = attempts.last()
        ended = last.ended if last else None
        if last is not None and ended is None:
            return self._resumed(request, last)
        if last is not None and ended is not None and last.direction == direction:
            if ended["result"] == OVER:
                return ended
            if last.run == run:
                raise CutOverReturned(str(ended["reason"]))
        source, target = self._sides(request, direction, last)
        before = (self.ledger.read(request.clone, STATE) or {}).get("phase", Phase.READY)
        asked = {"direction": direction, "run": run, "source": source, "target": target}
        more = {
            "conditions": list(event.get("conditions", [])),
            "name": request.name.document(),
            "phase_before": Phase.READY if before == Phase.CUTTING_OVER else before,
        }
        # Whoever loses does so here, by the record, before any server is spoken to.
        attempt = attempts.begin(min(2.0 * request.deadline_s + 30, _LIFE_S), asked | more, last)
        return self._begun(request, attempt)

    def _begun(self, request: CutOverRequest, attempt: Attempt) -> dict[str, Any]:
        sides = attempt.side("source"), attempt.side("target")
        with self._connected(request, *sides) as (source, target):
            hands = _Hands(attempt, source, target, self.servers.name(request, *sides))
            try:
                self.ledger.phase(request.clone, Phase.CUTTING_OVER, self.now())
                source.prepare()
                target.prepare()
                target.shut()
                hands.name.prepare()
            except KuroshioError as error:
                # The source was not touched, and nothing is undone; the clone goes on refusing writes.
                self._returned(request, hands, {"reason": str(error)})
                raise
            return self._finished(request, hands, self._switched(request, hands))

    def _switched(self, request: CutOverRequest, hands: _Hands) -> dict[str, Any]:
        switch = self._switch_of(request, hands)
        try:
            return switch.run().document()
        except CutOverReturned as error:
            self._returned(request, hands, {**switch.record.document(), "reason": str(error)})
            raise
        except KuroshioError as error:
            with suppress(KuroshioError):  # the lease ends by itself
                hands.attempt.leave(str(error))
            raise

    def _resumed(self, request: CutOverRequest, attempt: Attempt) -> dict[str, Any]:
        decision = attempt.decided()
        if attempt.is_held(self.now()) and (decision is None or decision["to"] != "open"):
            raise Outpaced(f"the run {attempt.run} has until {attempt.document['until']} to cut over or to return")
        sides = attempt.side("source"), attempt.side("target")
        with self._connected(request, *sides) as (source, target):
            hands = _Hands(attempt, source, target, self.servers.name(request, *sides))
            if resume(self._switch_of(request, hands)):
                return self._finished(request, hands, attempt.record().document())
            reason = (
                f"the run {attempt.run} ended in the middle; the source is open as before, and the target follows it"
            )
            self._returned(request, hands, {"reason": reason})
            raise CutOverReturned(reason)

    def _switch_of(self, request: CutOverRequest, hands: _Hands) -> Switch:
        lease_s = hands.attempt.lease_s(self.now())
        parts = hands.source, hands.target, hands.name, hands.attempt
        return Switch(*parts, self.clock, self.pause, request.deadline_s, lease_s)

    def _finished(self, request: CutOverRequest, hands: _Hands, record: dict[str, Any]) -> dict[str, Any]:
        """The target is open. What is left takes its time without anybody waiting; each part can be repeated."""
        ended = hands.source.end_all()
        hands.target.detach()
        hands.name.settle()
        events = hands.source.runs_events()
        left = self.servers.keep(hands.attempt.side("source"), hands.attempt.side("target"), events=events)
        if sleeping := hands.target.sleeping_events():
            left.append(f"Events that came by replication run nowhere until they are enabled: {', '.join(sleeping)}.")
        connections = [{"who": who, "connections": count} for who, count in sorted(ended.items())]
        return self._ended(request, hands, OVER, {**record, "connections": connections, "left": left})

    def _returned(self, request: CutOverRequest, hands: _Hands, record: dict[str, Any]) -> None:
        with suppress(KuroshioError):  # whoever watches the clone tells what it is at
            hands.target.go_on()
        self._ended(request, hands, RETURNED, record)
        self.ledger.phase(
            request.clone, Phase(hands.attempt.document["phase_before"]), self.now(), reason=record["reason"]
        )

    def _ended(self, request: CutOverRequest, hands: _Hands, result: str, record: dict[str, Any]) -> dict[str, Any]:
        attempt = hands.attempt
        sides = {"from": attempt.side("source")["cluster"], "to": attempt.side("target")["cluster"]}
        kept = {each: attempt.document[each] for each in ("direction", "run", "at", "name", "conditions")}
        found = attempt.end(result, {**kept, **sides, **record})
        self.ledger.put(request.clone, f"cutover#{attempt.document['at']}", found)
        return found

    # reverse -----------------------------------------------------------------------------------------------------------

    def _reverse(self, event: dict[str, Any]) -> dict[str, Any]:
        request, direction = parse(event.get("request")), _direction(event)
        last = self._attempts(request).last()
        ended = last.ended if last else None
        if last is None or ended is None or (last.direction, ended["result"]) != (direction, OVER):
            raise InvalidRequest(f"{request.clone} was not cut {direction}: there is nothing to reverse")
        phase = Phase.DONE if direction == FORWARD else Phase.READY
        answer: dict[str, Any] = {"state": "none"}
        if request.way_back:
            back_from = last.record().back_from
            if back_from is None:
                raise InvalidRequest(f"the switch of {last.document['at']} kept no position to go back from")
            with self._connected(request, last.side("source"), last.side("target")) as (source, target):
                source.follow(self.servers.replication(request, last.side("target")), back_from)
                try:
                    source.instance.wait(target.position(), _CAUGHT_UP_WITHIN_S)
                except NotCaughtUp as error:
                    raise ServiceUnavailable(f"the way back is not there yet: {error}") from error
            answer = {"state": "following", "from": str(back_from)}
        answer["left"] = ended["left"]
        if (self.ledger.read(request.clone, STATE) or {}).get("phase") != phase:
            self.ledger.phase(request.clone, phase, self.now(), way_back=answer["state"])
        return answer

    # Both --------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _connected(
        self, request: CutOverRequest, source: dict[str, Any], target: dict[str, Any]
    ) -> Iterator[tuple[SwitchedSource, SwitchedTarget]]:
        one, other = self.servers.source(request, source), self.servers.target(request, target)
        try:
            yield one, other
        finally:
            one.close()
            other.close()

    def _attempts(self, request: CutOverRequest) -> Attempts:
        return Attempts(self.ledger, request.clone, self.now)

    def _sides(
        self, request: CutOverRequest, direction: str, last: Attempt | None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Source and target. The way back is between those of the last switch, whatever they are called now."""
        if direction == FORWARD:
            return self.servers.side(request, "source"), self.servers.side(request, "clone")
        over = next((each for each in self._attempts(request).all_back() if _is_over(each)), None)
        if over is None or last is None:
            raise InvalidRequest(f"{request.clone} was never cut over: there is no way back")
        return over.side("target"), over.side("source")


def _is_over(attempt: Attempt) -> bool:
    ended = attempt.ended
    return attempt.direction == FORWARD and ended is not None and ended["result"] == OVER


def _direction(event: dict[str, Any]) -> str:
    direction = event.get("direction", FORWARD)
    if direction not in {FORWARD, BACK}:
        raise InvalidRequest(f"direction is {ascii(direction)[:120]}; it must be over or back")
    return str(direction)


def _only(name: str, reason: str) -> dict[str, Any]:
    return {"conditions": [conditions.Condition(name, True, reason).document()], "holds": True, "state": name}
