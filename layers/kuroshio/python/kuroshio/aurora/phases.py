"""Which phase a step begins. It is noted before the step is done, so that a step that was killed is known to have begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.aurora import request as requests
from kuroshio.aurora.follow import State
from kuroshio.aurora.records import STATE, Phase
from kuroshio.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from kuroshio.aurora.records import Ledger

PREPARING: Mapping[str, Phase] = {
    "binlog_on": Phase.BINLOG,
    "reboot": Phase.BINLOG,
    "account": Phase.ACCOUNT,
    "retention": Phase.ACCOUNT,
}
CLONING: Mapping[str, Phase] = {
    "clone": Phase.CLONING,
    "instance": Phase.CLONING,
    "seed": Phase.SEEDING,
    "upgrade": Phase.UPGRADING,
}
FOLLOWING: Mapping[str, Phase] = {"configure": Phase.FOLLOWING, "start": Phase.FOLLOWING}


class Function(Protocol):
    """What a handler calls."""

    def run(self, event: object) -> dict[str, Any]:
        """Do a step."""


class Phased:
    """A function of ``replicate_cluster`` whose steps begin phases. The others are none of its business."""

    def __init__(
        self, function: Function, ledger: Ledger, phases: Mapping[str, Phase], clock: Callable[[], datetime]
    ) -> None:
        self._function, self._ledger, self._phases, self._clock = function, ledger, phases, clock

    def run(self, event: object) -> dict[str, Any]:
        """Note the phase, and do the step.

        Raises RequestRefused where another run works at the clone by now: this one was thought to have ended.
        """
        step = event.get("step") if isinstance(event, dict) else None
        if not isinstance(event, dict) or not isinstance(step, str) or step not in (*self._phases, "watch"):
            return self._function.run(event)
        request = requests.parse(event.get("request"))
        state = self._ledger.read(request.clone, STATE) or {}
        if step == "watch":
            return self._watched(request.clone, state, event)
        run, worker = str(event.get("run", "")), str(state.get("run", ""))
        if worker not in ("", run):
            raise RequestRefused(f"the run {worker} works at {request.clone} by now, and not {run}, which ends here")
        phase = self._phases[step]
        if state.get("phase") != phase:
            self._ledger.phase(request.clone, phase, self._clock())
        return self._function.run(event)

    def _watched(self, clone: str, state: Mapping[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        answer = self._function.run(event)
        if answer.get("state") == State.CAUGHT_UP and state.get("phase") == Phase.FOLLOWING:
            self._ledger.phase(clone, Phase.CAUGHT_UP, self._clock())
        return answer


class Verified:
    """``verify_clone``: within a run of ``replicate_cluster`` it begins a phase; a clone that is ready stays so."""

    def __init__(self, function: Function, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._function, self._ledger, self._clock = function, ledger, clock

    def run(self, event: object) -> dict[str, Any]:
        """Note the phase, and do the step."""
        if isinstance(event, dict) and event.get("step") == "plan":
            clone = requests.parse(event.get("request")).clone
            if (self._ledger.read(clone, STATE) or {}).get("phase") in (Phase.FOLLOWING, Phase.CAUGHT_UP):
                self._ledger.phase(clone, Phase.VERIFYING, self._clock())
        return self._function.run(event)
