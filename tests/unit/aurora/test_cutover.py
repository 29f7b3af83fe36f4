"""A cut-over in which every call fails in turn, before or after it had its effect: nothing is lost, never two are open."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from kuroshio.aurora.cutover import Switch
from kuroshio.aurora.position import Position
from kuroshio.errors import CutOverReturned, NotCaughtUp, ServiceUnavailable

DEADLINE_S = 5.0


@dataclass
class Stage:
    """Both servers, the name, and a client that writes to whatever the name leads to at every moment."""

    fails: dict[int, str] = field(default_factory=dict)  # which call, and whether before or after its effect
    for_good: bool = False
    slow: int = -1  # the call after which the deadline has passed
    source_open: bool = True
    target_open: bool = False
    follows: bool = True
    name: str = "source"
    source_writes: list[int] = field(default_factory=list)
    target_writes: list[int] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)
    now: float = 0.0
    leaks: bool = False  # somebody writes past the fence
    _number: int = 0

    def act(self, name: str, effect) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        call = len(self.calls)
        self.calls.append(name)
        self.write()
        fault = self.fails.get(call) or ("before" if self.for_good and self.fails and call > min(self.fails) else None)
        self.now += DEADLINE_S + 1 if call == self.slow else 0.001
        if fault == "before":
            raise ServiceUnavailable(f"{name} did not happen")
        effect()
        self.write()
        assert not (self.source_open and self.target_open), f"both are open after {self.calls}"
        if fault == "after":
            raise ServiceUnavailable(f"{name} happened, the answer is lost")

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

    # Source

    def fence(self) -> None:
        self.act("fence", lambda: self.set(source_open=self.leaks and len(self.calls) < 3))

    def unfence(self) -> None:
        self.act("unfence", lambda: self.set(source_open=True))

    # Name

    def move(self) -> None:
        self.act("move", lambda: self.set(name="target"))

    def move_back(self) -> None:
        self.act("move_back", lambda: self.set(name="source"))

    def position(self) -> Position:
        self.act("position", lambda: None)
        return Position("b.000001", len(self.source_writes))


@dataclass
class Target:
    stage: Stage

    def wait(self, position: Position, within_s: float) -> None:
        assert within_s > 0
        self.stage.act("wait", self._catch_up)
        if len(self.stage.target_writes) < position.offset:
            raise NotCaughtUp("too slow")

    def _catch_up(self) -> None:
        if self.stage.follows:
            self.stage.target_writes = list(self.stage.source_writes)

    def position(self) -> Position:
        self.stage.act("target position", lambda: None)
        return Position("c.000009", 4)

    def detach(self) -> None:
        self.stage.act("detach", lambda: self.stage.set(follows=False))

    def attach(self, position: Position) -> None:
        assert len(self.stage.target_writes) == position.offset
        self.stage.act("attach", lambda: self.stage.set(follows=True))

    def open(self) -> None:
        self.stage.act("open", lambda: self.stage.set(target_open=True))

    def is_open(self) -> bool:
        self.stage.act("is open", lambda: None)
        return self.stage.target_open

    def close(self) -> None:
        self.stage.act("close", lambda: self.stage.set(target_open=False))


def run(stage: Stage) -> str:
    """The end: ``over``, or the reason for which it was given up."""
    switch = Switch(stage, Target(stage), stage, lambda: stage.now, DEADLINE_S)
    try:
        switch.run()
    except CutOverReturned as error:
        return str(error)
    return "over"


CALLS = ["fence", "position", "wait", "position", "target position", "detach", "move", "open"]


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
        assert stage.name == "target"
        assert not stage.source_open
        assert stage.target_writes == stage.acknowledged, said
    else:
        assert (stage.name, stage.source_open, stage.follows) == ("source", True, True), said
        assert stage.source_writes == stage.acknowledged, said


@pytest.mark.parametrize("call", range(len(CALLS)), ids=lambda call: f"{call}-{CALLS[call]}")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_call_that_fails_once_ends_in_one_of_two_whole_states(call: int, moment: str) -> None:
    stage = Stage({call: moment})
    said = run(stage)
    whole(stage, said)
    assert (said == "over") == stage.target_open == (CALLS[call] == "open")


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(range(14), 2)), ids=str)
@pytest.mark.parametrize("moments", list(itertools.product(["before", "after"], repeat=2)), ids="-".join)
def test_two_calls_that_fail_end_in_one_of_two_whole_states(first: int, second: int, moments: tuple[str, str]) -> None:
    stage = Stage({first: moments[0], second: moments[1]})
    whole(stage, run(stage))


@pytest.mark.parametrize("call", range(len(CALLS) - 1), ids=lambda call: f"{call}-{CALLS[call]}")
def test_a_deadline_that_passes_anywhere_sends_everything_back(call: int) -> None:
    stage = Stage(slow=call)
    said = run(stage)
    assert "deadline" in said or "too slow" in said
    whole(stage, said)
    assert stage.source_open


@pytest.mark.parametrize("call", range(len(CALLS)), ids=lambda call: f"{call}-{CALLS[call]}")
@pytest.mark.parametrize("moment", ["before", "after"])
def test_where_nothing_answers_any_more_the_message_says_what_to_do(call: int, moment: str) -> None:
    stage = Stage({call: moment}, for_good=True)
    said = run(stage)
    assert said != "over" or CALLS[call] == "open"
    if said != "over":
        assert "by hand" in said or "look at the target" in said


def test_a_target_that_will_not_open_is_closed_before_the_source_is_opened() -> None:
    stage = Stage(dict.fromkeys(range(7, 12), "before"))
    assert "did not open" in run(stage)
    assert stage.calls[-4:] == ["close", "move_back", "attach", "unfence"]
    whole(stage, "")


def test_a_source_that_goes_on_behind_its_fence_is_noticed() -> None:
    stage = Stage(leaks=True)
    original = stage.position
    looks = iter((5, 6))

    def position() -> Position:
        original()
        return Position("b.000001", next(looks))

    stage.position = position  # type: ignore[method-assign]
    target = Target(stage)
    target.wait = lambda position, within_s: None  # type: ignore[method-assign]
    target.attach = lambda position: stage.set(follows=True)  # type: ignore[method-assign]
    with pytest.raises(CutOverReturned, match="past the fence"):
        Switch(stage, target, stage, lambda: stage.now, DEADLINE_S).run()
    assert stage.source_open


def test_the_record_tells_each_step_to_the_millisecond() -> None:
    stage = Stage()
    record = Switch(stage, Target(stage), stage, lambda: stage.now, DEADLINE_S).run().document()
    assert [step["step"] for step in record["steps"]] == ["fenced", "reached", "detached", "moved", "opened"]
    assert record["back_from"] == "c.000009:4"
    times = [step["at_ms"] for step in record["steps"]]
    assert times == sorted(times)
