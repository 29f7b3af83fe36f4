"""A span looked at in pieces, each as large as takes about a set time: short ones hold nobody up and meet few writes.

Where the key is one number and most numbers are taken, the next bound is computed. Elsewhere the server counts rows along
its index to find it, which reads them once more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.aurora.verification.spans import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.aurora.verification.pace import Pace
    from kuroshio.aurora.verification.ports import Side
    from kuroshio.aurora.verification.tables import Table

# Twenty numbers for a row: beyond that a computed piece may meet a crowd, and last for minutes.
_SPARSE = 20


@dataclass(frozen=True)
class Sizes:
    """``target_s`` for a piece. ``first``, ``least`` and ``most``: rows."""

    target_s: float = 0.05
    first: int = 10_000
    least: int = 200
    most: int = 1_000_000


class Pieces:
    """Cuts spans, and keeps what of a span was not reached before ``until``, by ``clock``: see ``rest``."""

    def __init__(
        self, side: Side, pace: Pace, clock: Callable[[], float], until: float, sizes: Sizes | None = None
    ) -> None:
        self._side, self._pace, self._clock, self._until = side, pace, clock, until
        self._sizes = sizes or Sizes()
        self.rest: Span | None = None

    def of(self, table: Table, span: Span) -> Iterator[Span]:
        """Yield the span's pieces in order. The caller looks at each before it asks for the next: that time is measured."""
        self.rest = None
        rows, after = self._sizes.first, span.after
        following = self._following(table, span)
        while True:
            upto = following(after, rows)
            piece = Span(after, span.upto if upto is None else upto)
            began = self._clock()
            yield piece
            if upto is None:
                return
            after = upto
            rows = self._next(rows, self._clock() - began)
            self._pace.rest(self._until)
            if self._clock() >= self._until:
                self.rest = Span(after, span.upto)
                return

    def _next(self, rows: int, took_s: float) -> int:
        wanted = rows * self._sizes.target_s / max(took_s, 1e-6)
        # One look says little: a piece that was in memory is followed by one that is on disk.
        return int(min(max(wanted, rows / 4, self._sizes.least), rows * 2, self._sizes.most))

    def _following(self, table: Table, span: Span) -> Callable[[tuple[str, ...] | None, int], tuple[str, ...] | None]:
        """What finds the end of the piece of so many rows after a bound; None where the span ends before."""
        extent = self._side.extent(table) if len(table.key) == 1 and table.key_columns[0].is_integer else None
        if extent is None or (extent[1] - extent[0]) > _SPARSE * max(table.rows, self._sizes.first):
            return lambda after, rows: self._counted(table, Span(after, span.upto), rows)
        low, high = extent
        end = high if span.upto is None else int(span.upto[0])
        each = max((high - low) // max(table.rows, 1), 1)  # numbers for a row

        def computed(after: tuple[str, ...] | None, rows: int) -> tuple[str, ...] | None:
            upto = (low - 1 if after is None else int(after[0])) + rows * each
            return (str(upto),) if upto < end else None

        return computed

    def _counted(self, table: Table, span: Span, rows: int) -> tuple[str, ...] | None:
        found = self._side.nth_key(table, span, rows)
        return None if found == span.upto else found
