"""One side of a verification, asked in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Server
from kuroshio.aurora.verification import fingerprint, spans
from kuroshio.aurora.verification.ports import Sum
from kuroshio.aurora.verification.tables import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.verification.spans import Bound, Span
    from kuroshio.aurora.verification.tables import Table

_ANSWER_S = 600  # a table without a key is summed up in one go


class SqlSide:
    """Implements ``verification.ports.Side`` on one connection of its own."""

    def __init__(self, login: Login) -> None:
        self._server = Server(login, session=fingerprint.SESSION, answer_s=_ANSWER_S)

    def sum_of_span(self, table: Table, span: Span) -> Sum:
        """Sum up a span."""
        return self._sum(table, spans.where(table, span))

    def sum_of_keys(self, table: Table, keys: Sequence[Bound]) -> Sum:
        """Sum up the rows of these keys."""
        return self._sum(table, spans.among(table, keys))

    def rows_of_span(self, table: Table, span: Span) -> dict[Bound, str]:
        """The key and the digest of each row of a span."""
        return self._rows(table, spans.where(table, span))

    def rows_of_keys(self, table: Table, keys: Sequence[Bound]) -> dict[Bound, str]:
        """The key and the digest of each of these rows that is there."""
        return self._rows(table, spans.among(table, keys))

    def nth_key(self, table: Table, span: Span, rows: int) -> Bound | None:
        """The key of the row of that number in the span."""
        found = self._server.rows(spans.nth_key(table, span, rows))
        return _bound(found[0]) if found else None

    def extent(self, table: Table) -> tuple[int, int] | None:
        """The least and the greatest number in the first column of the key."""
        column = quoted(table.key[0])
        low, high = self._server.rows(f"SELECT MIN({column}), MAX({column}) FROM {table.sql}")[0]  # noqa: S608
        return None if low is None else (int(low), int(high))

    def close(self) -> None:
        """End the connection."""
        self._server.close()

    def _sum(self, table: Table, where: str) -> Sum:
        rows, value = self._server.rows(f"SELECT {fingerprint.fingerprint(table)} FROM {table.sql}{where}")[0]  # noqa: S608
        return Sum(int(rows), int(value))

    def _rows(self, table: Table, where: str) -> dict[Bound, str]:
        columns = f"{fingerprint.digest(table)}, {spans.key_literals(table)}"
        found = self._server.rows(f"SELECT {columns} FROM {table.sql}{where}")  # noqa: S608 - made of quoted names and the server's own literals
        return {_bound(row[1:]): _text(row[0]) for row in found}


def _bound(row: Sequence[object]) -> Bound:
    return tuple(_text(value) for value in row)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
