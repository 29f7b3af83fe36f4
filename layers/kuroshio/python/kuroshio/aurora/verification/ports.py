"""What verification asks of two servers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kuroshio.aurora.verification.spans import Bound, Span
    from kuroshio.aurora.verification.tables import Table


class Sum(NamedTuple):
    """Rows and their fingerprint, as ``fingerprint`` has them summed up."""

    rows: int
    value: int


class Side(Protocol):
    """One server. Each answer is of one moment of it, and each moment is later than those of answers before."""

    def sum_of_span(self, table: Table, span: Span) -> Sum:
        """Sum up a span."""

    def sum_of_keys(self, table: Table, keys: Sequence[Bound]) -> Sum:
        """Sum up the rows of these keys."""

    def rows_of_span(self, table: Table, span: Span) -> dict[Bound, str]:
        """The key and the digest of each row of a span."""

    def rows_of_keys(self, table: Table, keys: Sequence[Bound]) -> dict[Bound, str]:
        """The key and the digest of each of these rows that is there."""

    def nth_key(self, table: Table, span: Span, rows: int) -> Bound | None:
        """The key of the row of that number in the span, counted from 1; None where it has fewer."""

    def extent(self, table: Table) -> tuple[int, int] | None:
        """The least and the greatest number in the first column of the key; None where there are no rows."""


class Follower(Protocol):
    """The replication between the two."""

    def mark(self) -> str:
        """The position that the source has reached."""

    def wait(self, mark: str) -> None:
        """Return when the clone has done all up to there. Raises NotCaughtUp when that takes longer than it may."""
