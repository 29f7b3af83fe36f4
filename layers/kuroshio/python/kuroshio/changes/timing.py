"""How long each part of a detection takes, for its operator: measured around the ports, so that no rule knows of it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kuroshio.changes.ports import Blob, Repository
    from kuroshio.changes.tree import FileChange, Tree


@dataclass
class Stopwatch:
    """Seconds by part. Parts may lie within one another, and go on at the same time."""

    clock: Callable[[], float] = time.perf_counter
    seconds: dict[str, float] = field(default_factory=dict)

    def reset(self) -> None:
        """Begin again with no parts."""
        self.seconds = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Add what the block takes to a part, whether or not it succeeds."""
        begun = self.clock()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0) + self.clock() - begun


@dataclass(frozen=True)
class TimedRepository:
    """A repository whose answers are timed: merge_base, list, diff, and contents. Implements ``ports.Repository``."""

    repository: Repository
    watch: Stopwatch

    def commit(self, revision: str) -> str:
        """Return the commit."""
        with self.watch.part("merge_base"):
            return self.repository.commit(revision)

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the best common ancestors."""
        with self.watch.part("merge_base"):
            return self.repository.merge_bases(base, head)

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:
        """Whether history was cut between the commits."""
        with self.watch.part("merge_base"):
            return self.repository.is_cut(base, head, merge_base)

    def tree(self, commit: str) -> Tree:
        """Return all files of the commit."""
        with self.watch.part("list"):
            return self.repository.tree(commit)

    def changes(self, old: str, new: str) -> list[FileChange]:
        """Return the paths that differ."""
        with self.watch.part("diff"):
            return self.repository.changes(old, new)

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the contents of the blobs. What is done with each before the next is asked for is timed with it."""
        with self.watch.part("read_and_analyse"):
            yield from self.repository.blobs(oids, max_bytes)
