"""A cut-over in which every call fails in turn, before or after it had its effect, or is the last that the process does:
nothing is lost, never two are open, and another run finishes or undoes it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from kuroshio.aurora.cutover import CutOver, Switch, resume
from kuroshio.aurora.position import Position
from kuroshio.errors import CutOverReturned, NotCaughtUp, ServiceUnavailable

DEADLINE_S, LEASE_S = 5.0, 60.0


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Stage:
    """Both servers, the name, the ledger, and a client that writes to whatever the name leads to at every moment."""

    fails: dict[int, str] = field(default_factory=dict)  # which call, and whether before or after its effect
    for_good: bool = False
    killed: bool = False  # instead of failing
    slow: int = -1  # the call after which the deadline has passed
    source_open: bool = True
    target_open: bool = False
    name: str = "source"
    decided: str = ""
    source_writes: list[int] = field(default_factory=list)
    target_writes: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    now: float = 0.0
    restarts: int = -1  # the call after which the source has restarted, and forgotten its fence
    fenced: bool = False
    _number: int = 0

    def act(self, name: str, effect) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        call = len(self.calls)
        self.calls.append(name)
        self.write()
        fault = self.fails.get(call) or ("before" if self.for_good and self.fails and call > min(self.fails) else None)
        self.now += DEADLINE_S + 1 if call == self.slow else 0.001
        if fault == "before":
            raise Killed if self.killed else ServiceUnavailable(f"{name} did not happen")
        effect()
        self.write()
        assert not (self.source_open and self.target_open), f"both are open after {self.calls}"
        if call == self.restarts:
            self.source_open = True
            self.write()
        if fault == "after":
            raise Killed if self.killed else ServiceUnavailable(f"{name} happened, the answer is lost")

    def write(self) -> None:
        self._number += 1
        if self.name == "source" and self.source_open:
            self.source_writes.append(self._number)
            self.acknowledged.append(self._number)
        elif self.name == "target" and self.target_open:
            self.target_writes.append(self._number)
            self.acknowledged.append(self._number)

    def set(self, **state: object) -> None:
        for name, value in state.items():
            setattr(self, name, value)

    def pause(self, seconds: float) -> None:
        self.now += seconds

    # Source

    def fence(self) -> None:
        self.act("fence", lambda: self.set(source_open=False, fenced=True))

    def unfence(self) -> None:
        self.act("unfence", lambda: self.set(source_open=True, fenced=False))

    def position(self) -> Position:
        self.act("position", lambda: None)
        if self.source_open and self.fenced:
            raise CutOverReturned("its fence fell")
        return Position("b.000001", len(self.source_writes))

    # Name

    def move(self, left) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        assert left() > 0
        self.act("move", lambda: self.set(name="target"))

    def move_back(self) -> None:
        self.act("move_back", lambda: self.set(name="source"))

    # Decision

    def to_open(self, record: CutOver) -> bool:
        assert record.position is not None
        assert record.back_from is not None
        self.act("to_open", lambda: self.set(decided=self.decided or "open"))
        return self.decided == "open"

    def to_return(self) -> bool:
        self.act("to_return", lambda: self.set(decided=self.decided or "return"))
        return self.decided == "return"


@dataclass
class Target:
    stage: Stage

    def wait(self, position: Position, within_s: float) -> None:
        assert within_s > 0
        self.stage.act("wait", self._catch_up)
        if len(self.stage.target_writes) < position.offset:
            raise NotCaughtUp("too slow")

    def _catch_up(self) -> None:
        self.stage.target_writes = list(self.stage.source_writes)

    def position(self) -> Position:
        self.stage.act("target position", lambda: None)
        return Position("c.000009", 4)

    def open(self) -> None:
        self.stage.act("open", lambda: self.stage.set(target_open=True))


def switch(stage: Stage) -> Switch:
    return Switch(stage, Target(stage), stage, stage, lambda: stage.now, stage.pause, DEADLINE_S, LEASE_S)


def run(stage: Stage) -> str:
    """The end: ``over``, the reason for which it was undone, or why it is unfinished."""
    try:
        switch(stage).run()
    except CutOverReturned as error:
        return f"returned: {error}"
    except ServiceUnavailable as error:
        return f"unfinished: {error}"
    except Killed:
        return "unfinished: killed"
    return "over"


CALLS = ["fence", "position", "wait", "position", "target position", "move", "position", "to_open", "open"]
EVERYWHERE = pytest.mark.parametrize("call", range(len(CALLS)), ids=lambda call: f"{call}-{CALLS[call]}")
MOMENTS = pytest.mark.parametrize("moment", ["before", "after"])


def test_in_order_and_nothing_is_lost() -> None:
    stage = Stage()
    assert run(stage) == "over"
    assert stage.calls == CALLS
    stage.write()
    assert stage.target_writes == stage.acknowledged
    assert (stage.source_open, stage.target_open, stage.name) == (False, True, "target")


def whole(stage: Stage, said: str) -> None:
    """Whoever writes now writes where the name leads, and finds all that was ever acknowledged."""
    if stage.target_open:
        assert stage.name == "target", said
        assert not stage.source_open, said
        assert stage.decided == "open"
        assert stage.target_writes == stage.acknowledged, said
    else:
        assert (stage.name, stage.source_open) == ("source", True), said
        assert stage.decided != "open"
        assert stage.source_writes == stage.acknowledged, said


def finished_by_another_run(stage: Stage) -> None:
    stage.fails, stage.for_good = {}, False
    assert resume(switch(stage)) == stage.target_open
    whole(stage, "resumed")


@EVERYWHERE
@MOMENTS
def test_a_call_that_fails_once_ends_in_one_of_two_whole_states(call: int, moment: str) -> None:
    stage = Stage({call: moment})
    said = run(stage)
    assert not said.startswith("unfinished")
    whole(stage, said)
    assert (said == "over") == stage.target_open == (CALLS[call] in {"to_open", "open"})


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(range(14), 2)), ids=str)
@pytest.mark.parametrize("moments", list(itertools.product(["before", "after"], repeat=2)), ids="-".join)
def test_two_calls_that_fail_end_in_one_of_two_whole_states(first: int, second: int, moments: tuple[str, str]) -> None:
    stage = Stage({first: moments[0], second: moments[1]})
    said = run(stage)
    assert not said.startswith("unfinished")
    whole(stage, said)


@EVERYWHERE
@MOMENTS
def test_a_process_that_dies_anywhere_leaves_what_another_finishes_or_undoes(call: int, moment: str) -> None:
    stage = Stage({call: moment}, killed=True)
    assert run(stage) == "unfinished: killed"
    finished_by_another_run(stage)
    assert stage.target_open == (call > CALLS.index("to_open") or (CALLS[call], moment) == ("to_open", "after"))


@dataclass
class DyingAt(Stage):
    """The process ends at a second call, while it undoes what came before the first fault."""

    second: tuple[int, str] = (0, "")

    def act(self, name: str, effect) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        if len(self.calls) == self.second[0]:
            self.killed, self.fails = True, {**self.fails, self.second[0]: self.second[1]}
        super().act(name, effect)


@EVERYWHERE
@MOMENTS
@pytest.mark.parametrize("second", range(1, 3))
@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_dies_while_it_undoes_is_undone_by_another(call: int, moment: str, second: int, when: str) -> None:
    stage = DyingAt({call: moment}, second=(call + second, when))
    if run(stage).startswith("unfinished"):
        stage.killed, stage.second = False, (-1, "")
        finished_by_another_run(stage)
    else:
        whole(stage, "it had ended before")


@EVERYWHERE
@MOMENTS
def test_where_nothing_answers_any_more_the_next_run_finds_out(call: int, moment: str) -> None:
    stage = Stage({call: moment}, for_good=True)
    said = run(stage)
    assert (said == "over") == (CALLS[call] == "open" and moment == "after") or said.startswith("unfinished")
    if said != "over":
        assert "run this again" in said.lower()
        assert not stage.target_open or stage.decided == "open"
        finished_by_another_run(stage)


@pytest.mark.parametrize("call", range(len(CALLS) - 2), ids=lambda call: f"{call}-{CALLS[call]}")
def test_a_deadline_that_passes_anywhere_sends_everything_back(call: int) -> None:
    stage = Stage(slow=call)
    said = run(stage)
    assert "deadline" in said or "too slow" in said
    whole(stage, said)
    assert stage.source_open


@pytest.mark.parametrize("call", range(CALLS.index("to_open") - 1))
def test_a_source_that_restarts_without_its_fence_is_noticed_before_the_target_opens(call: int) -> None:
    stage = Stage(restarts=call)
    said = run(stage)
    assert said.startswith("returned")
    whole(stage, said)


def test_a_source_that_goes_on_behind_its_fence_is_noticed() -> None:
    stage = Stage()
    original, looks = stage.position, iter((5, 6))

    def position() -> Position:
        original()
        return Position("b.000001", next(looks))

    stage.position = position  # type: ignore[method-assign]
    target = Target(stage)
    target.wait = lambda position, within_s: None  # type: ignore[method-assign]
    one = switch(stage)
    one.target = target
    with pytest.raises(CutOverReturned, match="past the fence"):
        one.run()
    assert stage.source_open


def test_who_has_outlived_his_lease_does_nothing_any_more() -> None:
    stage = Stage({CALLS.index("move"): "before"})
    original = stage.act

    def act(name: str, effect) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        stage.now += LEASE_S if name == "move" else 0
        original(name, effect)

    stage.act = act  # type: ignore[method-assign]
    said = run(stage)
    assert said.startswith("unfinished")
    assert "no time left" in said
    assert stage.calls[-1] == "move"
    finished_by_another_run(stage)


def test_who_comes_after_a_decision_to_return_returns_too() -> None:
    stage = Stage(decided="return")
    assert "another run decided to return" in run(stage)
    whole(stage, "")


def test_the_source_stays_closed_while_its_name_is_not_back() -> None:
    stage = Stage({6: "before", **dict.fromkeys(range(8, 13), "before")})
    said = run(stage)
    assert "its name is not back" in said
    assert not stage.source_open
    finished_by_another_run(stage)


def test_the_record_tells_each_step_to_the_millisecond() -> None:
    record = switch(Stage()).run().document()
    assert [step["step"] for step in record["steps"]] == ["fenced", "reached", "moved", "decided", "opened"]
    assert record["back_from"] == "c.000009:4"
    times = [step["at_ms"] for step in record["steps"]]
    assert times == sorted(times)
