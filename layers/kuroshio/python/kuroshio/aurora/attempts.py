"""Cut-overs in the ledger: one at a time, and what one run left is finished or undone by the next.

``switch#<number>`` is created by who begins, and says until when it is his; ``decision#<number>`` is created once, by who
opens the target, or by who finds that time has passed and returns; ``end#<number>`` when all is done or undone. None is
ever written over. A number is the one before plus one, so two that begin at the same moment want the same record, and one
gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.aurora.cutover import CutOver
from kuroshio.aurora.position import Position
from kuroshio.errors import Outpaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kuroshio.aurora.records import Ledger

OVER, RETURNED = "over", "returned"
_MARGIN_S = 5.0  # between two machines' clocks


@dataclass
class Attempt:
    """One cut-over, or one way back. Implements ``cutover.Decision``."""

    ledger: Ledger
    clone: str
    number: int
    document: dict[str, Any]

    @property
    def ended(self) -> dict[str, Any] | None:
        """How, with ``result`` ``over`` or ``returned``; None while it is neither."""
        return self.ledger.read(self.clone, _key("end", self.number))

    @property
    def run(self) -> str:
        """Whose it is."""
        return str(self.document["run"])

    @property
    def direction(self) -> str:
        """``over`` or ``back``."""
        return str(self.document["direction"])

    def side(self, side: str) -> dict[str, Any]:
        """``source`` or ``target``, as they were at the begin."""
        found: dict[str, Any] = self.document[side]
        return found

    def is_held(self, now: datetime) -> bool:
        """Whether its run may still be at it."""
        if now >= datetime.fromisoformat(self.document["until"]):
            return False
        return self.ledger.read(self.clone, _key("left", self.number)) is None

    def lease_s(self, now: datetime) -> float:
        """For how long its run may go on."""
        return (datetime.fromisoformat(self.document["until"]) - now).total_seconds() - _MARGIN_S

    def decided(self) -> dict[str, Any] | None:
        """The decision, if there is one."""
        return self.ledger.read(self.clone, self._decision)

    def to_open(self, record: CutOver) -> bool:
        """Decide so, with all that another run needs to finish."""
        return self._decide({"to": "open", **record.document()}) == "open"

    def to_return(self) -> bool:
        """Decide so."""
        return self._decide({"to": "return"}) == "return"

    def record(self) -> CutOver:
        """What stands in the decision to open."""
        kept = self.decided() or {}
        steps = [(str(step["step"]), float(step["at_ms"])) for step in kept.get("steps", [])]
        return CutOver(_position(kept.get("position")), _position(kept.get("back_from")), steps)

    def leave(self, reason: str) -> None:
        """The run ends here and does nothing more: the next need not wait."""
        self.ledger.create(self.clone, _key("left", self.number), {"reason": reason})

    def end(self, result: str, document: Mapping[str, Any]) -> dict[str, Any]:
        """It is over, or everything is as before. Returns what stands there: another run may have been first."""
        whole = {**document, "result": result}
        key = _key("end", self.number)
        if self.ledger.create(self.clone, key, whole):
            return whole
        return self.ledger.read(self.clone, key) or whole

    def _decide(self, decision: Mapping[str, Any]) -> str:
        # Created or not, what stands there counts: an answer may be lost, and botocore repeats the call by itself.
        if self.ledger.create(self.clone, self._decision, decision):
            return str(decision["to"])
        return str((self.decided() or {})["to"])

    @property
    def _decision(self) -> str:
        return _key("decision", self.number)


@dataclass
class Attempts:
    """Of one clone."""

    ledger: Ledger
    clone: str
    now: Callable[[], datetime]

    def last(self) -> Attempt | None:
        """The latest."""
        return next(iter(self.all_back()), None)

    def all_back(self) -> list[Attempt]:
        """All, the latest first."""
        found = self.ledger.all(self.clone, "switch#")
        return [Attempt(self.ledger, self.clone, number, each) for number, each in enumerate(found, 1)][::-1]

    def begin(self, lease_s: float, document: Mapping[str, Any], last: Attempt | None) -> Attempt:
        """Another after ``last``, which is ours for that long. Raises Outpaced where somebody else began one since.

        ``last`` is what the decision to begin rests on: an attempt that began and ended in between has changed who is who.
        """
        if last is not None and last.ended is None:
            raise Outpaced(f"another run is cutting over {self.clone}: {last.run}")
        at = self.now()
        until = at + timedelta(seconds=lease_s + _MARGIN_S)
        whole = {**document, "at": at.isoformat(), "until": until.isoformat()}
        attempt = Attempt(self.ledger, self.clone, (last.number if last else 0) + 1, whole)
        key = _key("switch", attempt.number)
        # A create that botocore repeated finds its own record.
        if not self.ledger.create(self.clone, key, whole) and self.ledger.read(self.clone, key) != whole:
            raise Outpaced(f"another run began to cut over {self.clone} since this one looked")
        return attempt


def _key(kind: str, number: int) -> str:
    return f"{kind}#{number:06d}"


def _position(text: Any) -> Position | None:
    return Position.parse(str(text)) if text else None
