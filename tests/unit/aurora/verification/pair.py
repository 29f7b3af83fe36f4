"""Two servers in memory: a source that is written to at every look, and a clone that follows behind."""

from __future__ import annotations

import random
import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.aurora.verification.ports import Sum
from kuroshio.aurora.verification.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kuroshio.aurora.verification.spans import Bound, Span

TABLE = Table("shop", "orders", (Column("id", "int"), Column("note", "varchar")), ("id",))

Rows = dict[int, str]


def inside(key: int, span: Span) -> bool:
    return (span.after is None or key > int(span.after[0])) and (span.upto is None or key <= int(span.upto[0]))


@dataclass
class Server:
    """Answers from its rows. ``before_each`` lets the world go on before every look."""

    rows: Rows
    before_each: Callable[[], None]
    world: threading.RLock  # both servers are asked at once
    looks: int = 0

    def sum_of_span(self, table: Table, span: Span) -> Sum:
        return self._sum(self._span(span))

    def sum_of_keys(self, table: Table, keys: Sequence[Bound]) -> Sum:
        return self._sum(self._keys(keys))

    def rows_of_span(self, table: Table, span: Span) -> dict[Bound, str]:
        return {(str(key),): note for key, note in self._span(span).items()}

    def rows_of_keys(self, table: Table, keys: Sequence[Bound]) -> dict[Bound, str]:
        return {(str(key),): note for key, note in self._keys(keys).items()}

    def nth_key(self, table: Table, span: Span, rows: int) -> Bound | None:
        keys = sorted(self._span(span))
        return (str(keys[rows - 1]),) if 0 < rows <= len(keys) else None

    def _span(self, span: Span) -> Rows:
        with self.world:
            self._look()
            return {key: note for key, note in self.rows.items() if inside(key, span)}

    def _keys(self, keys: Sequence[Bound]) -> Rows:
        wanted = {int(key[0]) for key in keys}
        with self.world:
            self._look()
            return {key: note for key, note in self.rows.items() if key in wanted}

    def _look(self) -> None:
        self.looks += 1
        self.before_each()

    @staticmethod
    def _sum(rows: Rows) -> Sum:
        value = 0
        for key, note in rows.items():
            value ^= zlib.crc32(f"{key}#{note}".encode()) * (zlib.crc32(str(key).encode()) | 1)
        return Sum(len(rows), value)


@dataclass
class World:
    """A source, its binlog, and a clone that applies it late, loses what is planted and is written to behind its back."""

    seed: int
    rows: int = 300
    hot: frozenset[int] = frozenset()  # keys that are written at almost every look
    writes: bool = True
    log: list[tuple[int, str | None]] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)  # places in the log that the clone leaves out
    applied: int = 0
    marks: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - a seed, no secret
        start = {key: f"row {key}" for key in range(self.rows)}
        lock = threading.RLock()
        self.source = Server(dict(start), self.go_on, lock)
        self.clone = Server(dict(start), self.go_on, lock)

    def write(self, key: int, note: str | None, *, lost: bool = False) -> None:
        if note is None:
            self.source.rows.pop(key, None)
        else:
            self.source.rows[key] = note
        if lost:
            self.lost.add(len(self.log))
        self.log.append((key, note))

    def apply(self, upto: int) -> None:
        while self.applied < upto:
            key, note = self.log[self.applied]
            if self.applied not in self.lost:
                if note is None:
                    self.clone.rows.pop(key, None)
                else:
                    self.clone.rows[key] = note
            self.applied += 1

    def go_on(self) -> None:
        if not self.writes:
            return
        for key in self.hot:
            if self.random.random() < 0.9:
                self.write(key, f"hot {len(self.log)}")
        for _ in range(self.random.randrange(3)):
            key = self.random.randrange(self.rows // 2, self.rows + 20)  # the lower half is never written to
            self.write(key, None if self.random.random() < 0.2 else f"write {len(self.log)}")
        self.apply(max(self.applied, len(self.log) - self.random.randrange(6)))

    # Follower

    def mark(self) -> str:
        self.marks.append(len(self.log))
        return str(len(self.log))

    def wait(self, mark: str) -> None:
        self.apply(max(self.applied, int(mark)))
