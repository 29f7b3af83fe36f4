"""Whether two servers agree, while one is written to and the other follows, without a lock on either.

A clone is always a little behind, so a difference that is seen once says nothing. It is looked at again in rounds:

1. take the source's position,
2. look at the source: a state that it had at that position or after it,
3. wait until the clone has passed the position,
4. look at both.

The clone agrees when it is as the source was in step 2 or is in step 4. A state that the source had *before* the position
is no agreement: a change that the clone lost would look just like it. What stays different is cut in halves, down to
single rows.

A row that changes faster than it can be looked at may never be seen in the same state on both sides. It is reported as
unsettled: not known is not the same as equal.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from kuroshio.aurora.verification.spans import Bound, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

    from kuroshio.aurora.verification.ports import Follower, Side, Sum
    from kuroshio.aurora.verification.tables import Table

T = TypeVar("T")


class Kind(StrEnum):
    """How a row differs."""

    MISSING = "missing"  # on the clone
    EXTRA = "extra"
    DIFFERENT = "different"
    UNSETTLED = "unsettled"  # it changed each time we looked


class Finding(NamedTuple):
    """A row on which the two do not agree. ``key``: SQL literals."""

    key: Bound
    kind: Kind


@dataclass(frozen=True)
class Patience:
    """How often and how finely a difference is looked at before it is one."""

    rounds: int = 6  # looks at a single row
    halvings: int = 2  # looks at a span before it is cut in two
    window: int = 100  # rows of a span that are looked at one by one
    batch: int = 2_000  # keys summed up in one query: a busy server answers late, however little is asked
    ahead: int = 2  # spans that the source may be looked at before the clone


@dataclass
class Agreement:
    """Compares spans and keys of tables on two sides. What it finds equal was equal at ``since`` or later."""

    source: Side
    clone: Side
    follower: Follower
    patience: Patience = field(default_factory=Patience)
    since: str = ""
    rows: int = 0  # of the source that were looked at
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "clone"))

    def __post_init__(self) -> None:
        self.since = self.follower.mark()
        self.follower.wait(self.since)

    def of_spans(self, table: Table, spans: Iterable[Span]) -> Iterator[Finding]:
        """Look at every row of the spans, and yield those that differ in the end."""
        doubtful = list(self._doubtful(spans, lambda side, span: side.sum_of_span(table, span)))
        yield from self._of_rows(table, self._narrowed(table, doubtful))

    def of_keys(self, table: Table, keys: Sequence[Bound]) -> Iterator[Finding]:
        """Look at the rows of the keys, and yield those that differ in the end."""
        doubtful = self._doubtful(self._batches(keys), lambda side, batch: side.sum_of_keys(table, batch))
        yield from self._of_rows(table, [key for batch in doubtful for key in batch])

    def of_whole(self, table: Table) -> Iterator[Finding]:
        """Look at a table that cannot be cut by its key. Without any key, one finding with an empty one says that it differs."""
        theirs, ours = self._sums(table, Span())
        self.rows += theirs.rows
        seen: set[Sum] = {theirs}
        for _ in range(self.patience.rounds):
            if theirs == ours:
                return
            mark = self.follower.mark()
            before = self.source.sum_of_span(table, Span())
            self.follower.wait(mark)
            theirs, ours = self._sums(table, Span())
            seen = {before, theirs}
            if ours in seen:
                return
        if theirs == ours:
            return
        if table.key:
            rows, copies = self._both(lambda side: side.rows_of_span(table, Span()))
            yield from self._of_rows(table, [key for key in {**rows, **copies} if rows.get(key) != copies.get(key)])
        else:
            yield Finding((), Kind.UNSETTLED if len(seen) > 1 else Kind.DIFFERENT)

    def _doubtful(self, units: Iterable[T], look: Callable[[Side, T], Sum]) -> Iterator[T]:
        """Those of the units that differ at a first look. The clone may be some behind, so that neither waits at each."""
        looks: deque[tuple[T, Sum, Future[Sum]]] = deque()
        for unit in units:
            ours = self._pool.submit(look, self.clone, unit)
            looks.append((unit, look(self.source, unit), ours))
            if len(looks) > self.patience.ahead:
                yield from self._settled(*looks.popleft())
        for each in looks:
            yield from self._settled(*each)

    def _settled(self, unit: T, theirs: Sum, ours: Future[Sum]) -> list[T]:
        self.rows += theirs.rows
        return [] if theirs == ours.result() else [unit]

    def _narrowed(self, table: Table, doubtful: list[Span]) -> list[Bound]:
        """The keys of the rows in those spans that do not agree when they are looked at again, and cut."""
        suspects: list[Bound] = []
        looks = 0
        while doubtful:
            doubtful = self._again(table, doubtful)
            looks += 1
            if looks % self.patience.halvings == 0:
                parts = [(span, self._parts(table, span)) for span in doubtful]
                suspects += [key for span, halves in parts if not halves for key in self._keys(table, span)]
                doubtful = [half for _, halves in parts for half in halves]
        return suspects

    def _again(self, table: Table, doubtful: list[Span]) -> list[Span]:
        mark = self.follower.mark()
        before = [self.source.sum_of_span(table, span) for span in doubtful]
        self.follower.wait(mark)
        left = []
        for span, early in zip(doubtful, before, strict=True):
            late, ours = self._sums(table, span)
            if ours not in (early, late):
                left.append(span)
        return left

    def _parts(self, table: Table, span: Span) -> list[Span]:
        """Its halves; none where it is small enough to look at its rows one by one."""
        rows = max(each.rows for each in self._sums(table, span))
        middle = self._middle(table, span, rows // 2) if rows > self.patience.window else None
        return [] if middle is None else [Span(span.after, middle), Span(middle, span.upto)]

    def _middle(self, table: Table, span: Span, rows: int) -> Bound | None:
        """A key that parts the span; None where neither side has that many rows any more."""
        found = (side.nth_key(table, span, rows) for side in (self.source, self.clone))
        return next((middle for middle in found if middle not in (None, span.upto)), None)

    def _keys(self, table: Table, span: Span) -> list[Bound]:
        theirs, ours = self._both(lambda side: side.rows_of_span(table, span))
        return list(dict.fromkeys([*theirs, *ours]))

    def _of_rows(self, table: Table, keys: Sequence[Bound]) -> Iterator[Finding]:
        left = list(keys)
        states: dict[Bound, set[str | None]] = {}
        ours: dict[Bound, str] = {}
        for _ in range(self.patience.rounds):
            if not left:
                return
            mark = self.follower.mark()
            early = self._rows(self.source, table, left)
            self.follower.wait(mark)
            late, ours = self._rows_of_both(table, left)
            states = {key: {early.get(key), late.get(key)} for key in left}
            left = [key for key in left if ours.get(key) not in (early.get(key), late.get(key))]
        for key in left:
            yield Finding(key, _kind(states[key], ours.get(key)))

    def _rows(self, side: Side, table: Table, keys: Sequence[Bound]) -> dict[Bound, str]:
        found: dict[Bound, str] = {}
        for batch in self._batches(keys):
            found |= side.rows_of_keys(table, batch)
        return found

    def _batches(self, keys: Sequence[Bound]) -> Iterator[Sequence[Bound]]:
        for first in range(0, len(keys), self.patience.batch):
            yield keys[first : first + self.patience.batch]

    def _sums(self, table: Table, span: Span) -> tuple[Sum, Sum]:
        return self._both(lambda side: side.sum_of_span(table, span))

    def _rows_of_both(self, table: Table, keys: Sequence[Bound]) -> tuple[dict[Bound, str], dict[Bound, str]]:
        return self._both(lambda side: self._rows(side, table, keys))

    def _both(self, look: Callable[[Side], T]) -> tuple[T, T]:
        """Both sides at once: each on a server of its own, so neither waits for the other."""
        ours = self._pool.submit(look, self.clone)
        return look(self.source), ours.result()


def _kind(theirs: set[str | None], ours: str | None) -> Kind:
    if len(theirs) > 1:
        return Kind.UNSETTLED
    if ours is None:
        return Kind.MISSING
    return Kind.EXTRA if theirs == {None} else Kind.DIFFERENT
