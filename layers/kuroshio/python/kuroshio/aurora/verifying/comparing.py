"""The step ``compare``: one turn of one item. What it found is kept before it is told, and found again by a repeat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora.verification.agreement import Agreement
from kuroshio.aurora.verification.items import Item, Part
from kuroshio.aurora.verification.pace import Pace
from kuroshio.aurora.verification.pieces import Pieces
from kuroshio.aurora.verification.scale import TURN_S
from kuroshio.errors import NotFound, PermanentError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.verification.agreement import Finding
    from kuroshio.aurora.verification.ports import Follower
    from kuroshio.aurora.verification.tables import Table
    from kuroshio.aurora.verifying.places import Place
    from kuroshio.aurora.verifying.ports import Server, Work


class Comparer:
    """Looks at the parts of an item, for as long as a turn may take."""

    def __init__(
        self, work: Work, clock: Callable[[], float], sleep: Callable[[float], None], turn_s: float = TURN_S
    ) -> None:
        self._work, self._clock, self._sleep, self._turn_s = work, clock, sleep, turn_s

    def compare(self, item: Item, turn: int, place: Place, servers: tuple[Server, Server, Follower]) -> dict[str, Any]:
        """Return the result of the turn: what was found, and the parts that are left for the next."""
        source, clone, follower = servers
        tables = {table.label: table for table in source.tables()}
        agreement = Agreement(source.side, clone.side, follower)
        began = self._clock()
        until = began + self._turn_s
        pace = Pace(source.load, self._clock, self._sleep)
        pieces = Pieces(source.side, pace, self._clock, until)
        parts: list[dict[str, Any]] = []
        left = list(item.parts)
        while left and (not parts or self._clock() < until):
            part = left.pop(0)
            parts.append(self._part(part, tables.get(part.table), agreement, pieces))
            if pieces.rest is not None:
                left.insert(0, Part(part.table, pieces.rest, rows=part.rows))
                pieces.rest = None
        document = {
            "item": item.number,
            "turn": turn,
            "since": agreement.since,
            "parts": parts,
            "left": [part.document() for part in left],
            "seconds": round(self._clock() - began, 3),
            "paused_s": round(pace.paused_s, 3),
            "paused_for": pace.reason,
        }
        self._work.create(place.result(item.number, turn), document)
        return self.found(item.number, turn, place) or document

    def found(self, item: int, turn: int, place: Place) -> dict[str, Any] | None:
        """The result of a turn that was done before."""
        try:
            return self._work.read(place.result(item, turn))  # type: ignore[no-any-return]
        except NotFound:
            return None

    def _part(self, part: Part, table: Table | None, agreement: Agreement, pieces: Pieces) -> dict[str, Any]:
        before = agreement.rows
        unknown = ""
        findings: list[Finding] = []
        try:
            findings = list(self._findings(part, table, agreement, pieces))
        except PermanentError as error:  # such as a column that is gone by now: others can still be proven
            unknown = str(error)
        return {
            "table": list(part.table),
            "rows": agreement.rows - before,
            "findings": [[list(finding.key), str(finding.kind)] for finding in findings],
            "unknown": unknown,
        }

    def _findings(self, part: Part, table: Table | None, agreement: Agreement, pieces: Pieces) -> Iterator[Finding]:
        if table is None:
            raise NotFound("it was dropped or renamed while it was verified")
        if part.keys:
            return agreement.of_keys(table, [tuple(key) for key in self._work.read(part.keys)])
        if not table.is_cut:
            return agreement.of_whole(table)
        return agreement.of_spans(table, pieces.of(table, part.span))


def answer(result: dict[str, Any]) -> dict[str, Any]:
    """What the state machine is told: what is left of the item for another turn, never what was found."""
    return {
        "item": {"item": result["item"], "parts": result["left"]},
        "turn": result["turn"] + 1,
        "rows": sum(part["rows"] for part in result["parts"]),
        "findings": sum(len(part["findings"]) for part in result["parts"]),
        "done": not result["left"],
    }
