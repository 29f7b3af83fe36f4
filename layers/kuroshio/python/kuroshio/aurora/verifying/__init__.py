"""The function ``verify_clone``: is a clone what its source is? Planned, compared by many at once, concluded, repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora import request as requests
from kuroshio.aurora.steps import dispatch
from kuroshio.aurora.verification.choosing import Rates
from kuroshio.aurora.verification.items import Item
from kuroshio.aurora.verifying.comparing import Comparer, answer
from kuroshio.aurora.verifying.concluding import Concluder
from kuroshio.aurora.verifying.places import Place
from kuroshio.aurora.verifying.planning import Planner
from kuroshio.aurora.verifying.repairing import Repairer
from kuroshio.errors import NotCaughtUp, NotFound, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.verifying.ports import Databases, Figures, Work

_CONCURRENCY = 4
_MOST_CONCURRENCY = 1_000


class Verifying:
    """Each step may be repeated at any moment, and finds what it did."""

    def __init__(
        self,
        databases: Databases,
        kept: tuple[Work, Ledger, Figures],
        time: tuple[Callable[[], datetime], Callable[[], float], Callable[[float], None]],
        rates: Rates | None = None,
    ) -> None:
        (work, ledger, figures), (now, clock, sleep) = kept, time
        self._databases, self._work = databases, work
        self._planner = Planner(work, ledger, now, rates or Rates())
        self._comparer = Comparer(work, clock, sleep)
        self._concluder = Concluder(work, ledger, figures, now)
        self._repairer = Repairer(work, ledger, clock)

    def run(self, event: object) -> dict[str, Any]:
        """Do a step: plan, compare, conclude, ask, repair."""
        steps = {
            "plan": self._plan,
            "compare": self._compare,
            "conclude": self._conclude,
            "ask": self._ask,
            "repair": self._repair,
        }
        try:
            return dispatch(steps, event)
        except NotCaughtUp as error:
            raise ServiceUnavailable(str(error)) from error  # so that the state machine asks again

    def _plan(self, event: dict[str, Any]) -> dict[str, Any]:
        request = requests.parse(event.get("request"))
        place = Place.of(event, request.clone)
        try:
            plan = self._work.read(place.plan)
        except NotFound:
            with self._databases.both(request) as servers:
                plan = self._planner.plan(request, event.get("proof") or request.verify, place, servers)
        return {
            "proof": plan["proof"],
            "reason": plan["reason"],
            "since": plan["since"],
            "items": plan["items"],
            "bucket": self._work.bucket,
            "key": plan["items_key"],
            "concurrency": min(max(int(event.get("concurrency") or _CONCURRENCY), 1), _MOST_CONCURRENCY),
        }

    def _compare(self, event: dict[str, Any]) -> dict[str, Any]:
        request, item = requests.parse(event.get("request")), Item.of(event["item"])
        place, turn = Place.of(event, request.clone), int(event.get("turn") or 0)
        found = self._comparer.found(item.number, turn, place)
        if found is None:
            with self._databases.both(request) as servers:
                found = self._comparer.compare(item, turn, place, servers)
        return answer(found)

    def _conclude(self, event: dict[str, Any]) -> dict[str, Any]:
        request = requests.parse(event.get("request"))
        record = self._concluder.conclude(Place.of(event, request.clone))
        names = ("equal", "differences", "unsettled", "unknown", "rows", "proof", "verification", "report")
        return {name: record[name] for name in names}

    def _ask(self, event: dict[str, Any]) -> dict[str, Any]:
        request = requests.parse(event.get("request"))
        with self._databases.both(request) as (source, _, _), self._databases.repairs(request) as repairs:
            task = (request.clone, str(event.get("verification")))
            return self._repairer.asked(task, source.tables(), repairs)

    def _repair(self, event: dict[str, Any]) -> dict[str, Any]:
        request, done = requests.parse(event.get("request")), int(event.get("repaired") or 0)
        with self._databases.both(request) as (source, _, follower), self._databases.repairs(request) as repairs:
            task = (request.clone, str(event.get("verification")))
            return self._repairer.repair(task, done, source.tables(), (repairs, follower))
