"""The moment in which the clone becomes the source: in order, with a deadline, and back by itself where anything fails.

1. *fence* the source: nobody writes there any more,
2. read its position, only now: read earlier, it would leave out what was written in between,
3. wait until the target has done exactly that, and look at the source a second time,
4. note the target's own position: from here the way back begins,
5. move the name, and look at the source a third time: a server that restarted has forgotten its fence,
6. decide, in the ledger, and open the target.

At no time can both be written to. Before the decision everything is undone where something fails or the deadline passes:
the name goes back, the source is opened; the target never stopped following. The decision is a record that is created
once. It has all that another run needs to finish: once it stands there is no way back but ``cut_back``, and the target is
opened by whoever comes first.

The target is detached after it was opened, for RDS's procedures that stop replication sleep for seconds, in which nobody
could write. Until then a source that is fenced sends nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.errors import CutOverReturned, KuroshioError, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.aurora.position import Position

_PAUSES_S = (0.0, 0.1, 0.3, 1.0, 3.0)  # between tries of what must be done: a server restarts within seconds


class Source(Protocol):
    """The server that is written to now. Every call may be repeated without harm."""

    def fence(self) -> None:
        """Refuse writes of everybody."""

    def unfence(self) -> None:
        """Let them write again."""

    def position(self) -> Position:
        """How far its binlog reaches. Raises CutOverReturned where it was fenced and is not any more."""


class Target(Protocol):
    """The server that is to take over. Every call may be repeated without harm."""

    def wait(self, position: Position, within_s: float) -> None:
        """Return when it has done all up to there. Raises NotCaughtUp."""

    def position(self) -> Position:
        """How far its own binlog reaches."""

    def open(self) -> None:
        """Let applications write."""


class Name(Protocol):
    """What applications connect to."""

    def prepare(self) -> None:
        """Do before the window what can be done before. May be left out."""

    def leads_to(self) -> str:
        """``source``, ``target``, or what else."""

    def settle(self) -> None:
        """Return when everybody is told: after the window."""

    def move(self, left: Callable[[], float]) -> None:
        """Let it lead to the target. Repeated without harm. ``left`` tells the seconds that are left, or raises."""

    def move_back(self) -> None:
        """Let it lead to the source. Repeated without harm."""


class Decision(Protocol):
    """Whether the target is opened: decided once, whoever asks how often."""

    def to_open(self, record: CutOver) -> bool:
        """Decide so, and keep the record. False where it was decided to return."""

    def to_return(self) -> bool:
        """Decide so. False where it was decided to open."""


@dataclass
class CutOver:
    """What happened, in milliseconds since the fence was asked for. ``back_from``: where reverse replication begins."""

    position: Position | None = None
    back_from: Position | None = None
    steps: list[tuple[str, float]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As the ledger and the report have it."""
        return {
            "position": str(self.position) if self.position else "",
            "back_from": str(self.back_from) if self.back_from else "",
            "steps": [{"step": step, "at_ms": round(at, 3)} for step, at in self.steps],
        }


@dataclass
class Switch:
    """One cut-over. ``clock`` counts seconds; the deadline is for the time in which nobody can write.

    Nothing is done any more when ``lease_s`` have passed since the begin: from then on another run may undo or finish.
    """

    source: Source
    target: Target
    name: Name
    decision: Decision
    clock: Callable[[], float]
    pause: Callable[[float], None]
    deadline_s: float
    lease_s: float
    record: CutOver = field(default_factory=CutOver)
    _begun: float | None = None

    def run(self) -> CutOver:
        """Cut over, or be as before.

        Raises CutOverReturned with the reason when everything was undone, and ServiceUnavailable where it is not known or
        could not be undone: then the source is fenced, and the next run finishes or undoes what this one began.
        """
        self._begun = self.clock()
        try:
            self._prepare()
        except Exception as error:
            raise self.returned(str(error)) from error
        if not self._decided():
            raise self.returned("another run decided to return")
        self._note("decided")
        self.open()
        return self.record

    def open(self) -> None:
        """Open the target because it was decided. Raises ServiceUnavailable where it does not say that it is open."""
        said = self._insisted(self.target.open)
        if said:
            raise ServiceUnavailable(f"the target takes over, and does not say that it is open: {said}. Run this again")
        self._note("opened")

    def returned(self, reason: str) -> KuroshioError:
        """Undo what may have been done: the name, then the fence. The error says how that went.

        Undone is only what was decided to be, or what nobody can have decided: within its lease no other run does anything,
        and after it this one does not.
        """
        if self._opens_after_all():
            return ServiceUnavailable(f"{reason}; but it was decided that the target takes over: run this again")
        undone = {"the name": self._insisted(self.name.move_back)}
        # The source is opened only with the name leading to it: nobody shall write where nobody reads.
        undone["the source"] = "its name is not back" if any(undone.values()) else self._insisted(self.source.unfence)
        self._note("returned")
        failed = [f"{what} is not as it was ({said})" for what, said in undone.items() if said]
        if failed:
            return ServiceUnavailable(f"{reason}; and {', '.join(failed)}: run this again, and it is undone first")
        return CutOverReturned(f"{reason}; the source is open as before, and the target follows it")

    def _prepare(self) -> None:
        self._step("fenced", self.source.fence)
        position = self.source.position()
        self.record.position = position
        self.target.wait(position, self._left())
        self._note("reached")
        self._look_again(position)
        self.record.back_from = self.target.position()
        self._step("moved", lambda: self.name.move(self._left))
        self._look_again(position)
        self._left()  # the last moment at which the deadline can still send everything back

    def _look_again(self, position: Position) -> None:
        again = self.source.position()
        if again != position:
            raise CutOverReturned(
                f"the source went on from {position} to {again} although it was fenced: somebody may write past the fence"
            )

    def _decided(self) -> bool:
        for pause in _PAUSES_S:
            self.pause(pause)
            try:
                return self.decision.to_open(self.record)
            except KuroshioError as error:
                said = str(error)
        # Perhaps it stands, and only the answers were lost. To return now could leave two that are written to.
        raise ServiceUnavailable(
            f"the ledger does not say whether the target takes over ({said}). Nobody can write until it does: run this again"
        )

    def _opens_after_all(self) -> bool:
        if self._is_past():
            return False
        try:
            return not self.decision.to_return()
        except KuroshioError:
            return False  # a ledger that does not answer has no decision but ours, and we made none

    def _insisted(self, act: Callable[[], None]) -> str:
        """What stopped it in the end; empty where it was done."""
        said = ""
        for pause in _PAUSES_S:
            self.pause(pause)
            if self._is_past():
                return said or "there was no time left for it"
            try:
                act()
            except KuroshioError as error:
                said = str(error)
            else:
                return ""
        return said

    def _is_past(self) -> bool:
        """Whether it may do nothing any more. Who resumes has no such end: what it does is decided."""
        return self._begun is not None and self.clock() - self._begun > self.lease_s

    def _step(self, name: str, act: Callable[[], None]) -> None:
        self._left()
        act()
        self._note(name)

    def _note(self, step: str) -> None:
        if self._begun is not None:
            self.record.steps.append((step, (self.clock() - self._begun) * 1_000))

    def _left(self) -> float:
        left = (self._begun or 0.0) + self.deadline_s - self.clock()
        if left <= 0:
            raise CutOverReturned(f"the deadline of {self.deadline_s:g} s passed")
        return left


def resume(switch: Switch) -> bool:
    """Finish what another run began and left: True where the target takes over, False where all was undone.

    Raises ServiceUnavailable where it could not be done yet.
    """
    if not switch.decision.to_return():
        switch.open()
        return True
    error = switch.returned("a run ended in the middle")
    if not isinstance(error, CutOverReturned):
        raise error
    return False
