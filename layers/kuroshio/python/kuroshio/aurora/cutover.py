"""The moment in which the clone becomes the source: in order, with a deadline, and back by itself where anything fails.

1. *fence* the source: nobody writes there any more, and whoever was connected has to connect again,
2. read its position, only now: read earlier, it would leave out what was written in between,
3. wait until the target has done exactly that, and look at the source a second time,
4. note the target's own position: from here the way back begins,
5. detach the target from the source,
6. move the name,
7. open the target.

At no time can both be written to. Before the last step everything is undone where something fails or the deadline passes:
the name goes back, the target follows again from the very position at which it stood, the source is opened. The last
step decides: once it was asked for, there is no way back but ``cut_back``, and it is asked for until it is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kuroshio.errors import CutOverReturned, KuroshioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from kuroshio.aurora.position import Position

_TRIES = 5  # to undo a step, and to open the target


class Source(Protocol):
    """The server that is written to now. Every call may be repeated without harm."""

    def fence(self) -> None:
        """Refuse writes of everybody, and end the connections of applications."""

    def unfence(self) -> None:
        """Let them write again."""

    def position(self) -> Position:
        """How far its binlog reaches."""


class Target(Protocol):
    """The server that is to take over. Every call may be repeated without harm."""

    def wait(self, position: Position, within_s: float) -> None:
        """Return when it has done all up to there. Raises NotCaughtUp."""

    def position(self) -> Position:
        """How far its own binlog reaches."""

    def detach(self) -> None:
        """Follow the source no longer, and forget it."""

    def attach(self, position: Position) -> None:
        """Follow the source again, from that position on."""

    def open(self) -> None:
        """Let applications write."""

    def is_open(self) -> bool:
        """Whether they may."""

    def close(self) -> None:
        """Let them write no longer, whatever was asked of it before."""


class Name(Protocol):
    """What applications connect to."""

    def move(self) -> None:
        """Let it lead to the target. Repeated without harm."""

    def move_back(self) -> None:
        """Let it lead to the source. Repeated without harm."""


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
    """One cut-over. ``clock`` counts seconds; the deadline is for the time in which nobody can write."""

    source: Source
    target: Target
    name: Name
    clock: Callable[[], float]
    deadline_s: float
    record: CutOver = field(default_factory=CutOver)
    _begun: float = 0.0
    _undo: list[tuple[str, Callable[[], None]]] = field(default_factory=list)

    def run(self) -> CutOver:
        """Cut over, or be as before.

        Raises CutOverReturned with the reason when everything was undone, and with what could not be undone where even
        that failed; then a person must look, and the message says at what.
        """
        self._begun = self.clock()
        try:
            self._prepare()
        except Exception as error:
            raise self._returned(error) from error
        self._open()
        return self.record

    def _prepare(self) -> None:
        self._undo.append(("opening the source", self.source.unfence))
        self._step("fenced", self.source.fence)
        position = self.source.position()
        self.record.position = position
        self.target.wait(position, self._left())
        self._note("reached")
        again = self.source.position()
        if again != position:
            raise CutOverReturned(
                f"the source went on from {position} to {again} although it was fenced: somebody may write past the fence"
            )
        self.record.back_from = self.target.position()
        self._undo.append(("following the source again", lambda: self.target.attach(position)))
        self._step("detached", self.target.detach)
        self._undo.append(("moving the name back", self.name.move_back))
        self._step("moved", self.name.move)
        self._left()  # the last moment at which the deadline can still send everything back

    def _open(self) -> None:
        for _ in range(_TRIES):
            try:
                self.target.open()
            except KuroshioError:
                # Perhaps it was done and only the answer was lost. To go back now could leave two that are written to.
                continue
            self._note("opened")
            return
        raise self._undecided()

    def _undecided(self) -> CutOverReturned:
        """The target did not confirm that it is open: back only once it is known to be closed, and to stay so."""
        try:
            if self.target.is_open():
                self._note("opened")
                return CutOverReturned("the target is open; only its answer was lost. Resume to finish")
            # What was asked for may still be on its way and be done late: closing comes after it.
            self.target.close()
        except KuroshioError as error:
            return CutOverReturned(
                f"the target was told to open and cannot be asked whether it did ({error}). The source stays fenced, the name "
                "leads to the target: look at the target, then resume, or open the source if the target is read-only"
            )
        return self._returned(CutOverReturned(f"the target did not open in {_TRIES} tries"))

    def _step(self, name: str, act: Callable[[], None]) -> None:
        self._left()
        act()
        self._note(name)

    def _note(self, step: str) -> None:
        self.record.steps.append((step, (self.clock() - self._begun) * 1_000))

    def _left(self) -> float:
        left = self._begun + self.deadline_s - self.clock()
        if left <= 0:
            raise CutOverReturned(f"the deadline of {self.deadline_s:g} s passed")
        return left

    def _returned(self, error: Exception) -> CutOverReturned:
        """Undo what was done, the last first, each step whatever became of the others."""
        undone = [(name, _insisted(act)) for name, act in reversed(self._undo)]
        self._note("returned")
        failed = [f"{name} failed ({said})" for name, said in undone if said]
        if failed:
            return CutOverReturned(f"{error}; and {', '.join(failed)}: do that by hand, in this order")
        return CutOverReturned(f"{error}; the source is open as before, and the target follows it")


def _insisted(act: Callable[[], None]) -> str:
    said = ""
    for _ in range(_TRIES):
        try:
            act()
        except KuroshioError as error:
            said = str(error)
        else:
            return ""
    return said
