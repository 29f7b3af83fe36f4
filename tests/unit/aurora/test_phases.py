"""The phase is known before its step is done, and a run that was taken over does nothing any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from kuroshio.aurora import phases
from kuroshio.aurora.phases import Phased, Verified
from kuroshio.aurora.records import Phase
from kuroshio.errors import InvalidRequest, RequestRefused
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
REQUEST = {"schema": "kuroshio.replicate-request/1", "source": "shop", "clone": "shop-next"}


class Steps:
    """A function that tells which phase it saw."""

    def __init__(self, ledger: InMemoryAuroraLedger, **answer: Any) -> None:
        self._ledger, self._answer = ledger, answer
        self.saw: list[str] = []

    def run(self, event: object) -> dict[str, Any]:
        self.saw.append((self._ledger.read("shop-next", "state") or {}).get("phase", ""))
        return self._answer


@pytest.fixture
def ledger() -> InMemoryAuroraLedger:
    made = InMemoryAuroraLedger()
    made.phase("shop-next", Phase.PREFLIGHT, AT, run="arn:1")
    return made


def event(step: str, run: str = "arn:1") -> dict[str, Any]:
    return {"step": step, "request": REQUEST, "run": run}


@pytest.mark.parametrize(
    ("step", "phase"), [*phases.PREPARING.items(), *phases.CLONING.items(), *phases.FOLLOWING.items()]
)
def test_a_step_finds_its_phase_noted_and_notes_it_once(ledger: InMemoryAuroraLedger, step: str, phase: Phase) -> None:
    steps = Steps(ledger)
    of_all = {**phases.PREPARING, **phases.CLONING, **phases.FOLLOWING}
    function = Phased(steps, ledger, of_all, lambda: AT)
    function.run(event(step))
    function.run(event(step))
    assert steps.saw == [phase, phase]
    assert [each["phase"] for each in ledger.all("shop-next", "event#")] == ["preflight", phase]


def test_other_steps_change_no_phase(ledger: InMemoryAuroraLedger) -> None:
    steps = Steps(ledger, gone=True)
    assert Phased(steps, ledger, phases.CLONING, lambda: AT).run(event("remove", "arn:2")) == {"gone": True}
    assert steps.saw == ["preflight"]


def test_a_run_that_was_taken_over_does_nothing_any_more(ledger: InMemoryAuroraLedger) -> None:
    steps = Steps(ledger)
    with pytest.raises(RequestRefused, match="the run arn:1 works at shop-next by now, and not arn:0"):
        Phased(steps, ledger, phases.CLONING, lambda: AT).run(event("clone", "arn:0"))
    assert steps.saw == []


@pytest.mark.parametrize(
    ("before", "state", "after"),
    [
        (Phase.FOLLOWING, "caught-up", Phase.CAUGHT_UP),
        (Phase.FOLLOWING, "following", Phase.FOLLOWING),
        (Phase.READY, "caught-up", Phase.READY),
        (Phase.FAILED, "caught-up", Phase.FAILED),
    ],
)
def test_a_clone_that_follows_is_noted_when_it_has_caught_up(
    ledger: InMemoryAuroraLedger, before: Phase, state: str, after: Phase
) -> None:
    ledger.phase("shop-next", before, AT)
    Phased(Steps(ledger, state=state), ledger, phases.FOLLOWING, lambda: AT).run(event("watch", "arn:watching"))
    assert (ledger.read("shop-next", "state") or {})["phase"] == after


@pytest.mark.parametrize(
    ("before", "after"),
    [(Phase.CAUGHT_UP, Phase.VERIFYING), (Phase.FOLLOWING, Phase.VERIFYING), (Phase.READY, Phase.READY)],
)
def test_a_proof_begins_a_phase_only_before_the_clone_is_ready(
    ledger: InMemoryAuroraLedger, before: Phase, after: Phase
) -> None:
    ledger.phase("shop-next", before, AT)
    Verified(Steps(ledger), ledger, lambda: AT).run(event("plan", "arn:proof"))
    Verified(Steps(ledger), ledger, lambda: AT).run(event("compare", "arn:proof"))
    assert (ledger.read("shop-next", "state") or {})["phase"] == after


def test_an_event_of_another_form_is_left_to_the_function(ledger: InMemoryAuroraLedger) -> None:
    assert Phased(Steps(ledger, a=1), ledger, phases.CLONING, lambda: AT).run(None) == {"a": 1}
    with pytest.raises(InvalidRequest):
        Phased(Steps(ledger), ledger, phases.CLONING, lambda: AT).run({"step": "clone", "request": {}})
