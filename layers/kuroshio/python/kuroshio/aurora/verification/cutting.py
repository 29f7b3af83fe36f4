"""Where tables are cut into parts for an item each, before anybody looks at their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.aurora.verification.items import Part
from kuroshio.aurora.verification.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.verification.ports import Side
    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Table

# Counting along an index reads it: a thousand million rows are some minutes of one connection.
_MOST_COUNTED = 500_000_000


def parts(side: Side, table: Table, rows: int) -> Iterator[Part]:
    """Cut a table into parts of about so many rows. Whatever is in it lies in one of them, wherever it is written.

    A part may come out larger than it should: keys that crowd, an estimate of the engine that is off. Whoever looks at it
    does so piece by piece, and leaves the rest to another turn.
    """
    number = max(table.rows // rows, 1)
    if not table.is_cut or number == 1:
        yield Part(table.label, rows=table.rows)
        return
    after: Bound | None = None
    for bound in _bounds(side, table, number):
        yield Part(table.label, Span(after, bound), rows=table.rows // number)
        after = bound
    yield Part(table.label, Span(after, None), rows=table.rows // number)


def _bounds(side: Side, table: Table, number: int) -> Iterator[Bound]:
    extent = side.extent(table) if table.key_columns[0].is_integer else None
    if extent is not None:
        low, high = extent
        # Only the first column of the key is cut: every row that begins with a bound lies before it.
        for bound in sorted({low + (high - low) * part // number for part in range(1, number)}):
            yield (str(bound),)
    elif table.rows <= _MOST_COUNTED:
        span, rows = Span(), table.rows // number
        for _ in range(1, number):
            found = side.nth_key(table, span, rows)
            if found is None:
                return
            yield found
            span = Span(found, None)
