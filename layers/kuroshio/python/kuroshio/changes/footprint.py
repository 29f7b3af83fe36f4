"""What detection reads of a repository: all that a copy must hold to give the same plan."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.changes.detection import detect
from kuroshio.errors import SettingsInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.ports import Blob, Repository
    from kuroshio.changes.tree import FileChange, Tree


@dataclass(frozen=True)
class Footprint:
    """The commits whose files are listed, and the blobs whose contents are read."""

    commits: frozenset[str]
    blobs: frozenset[str]


def footprint(repository: Repository, base: str, head: str) -> Footprint:
    """Return what ``detect`` reads, by letting it read: no rule about it is written down twice.

    Settings that cannot be followed end the reading; whoever reads the copy meets them at the same place. Raises what
    ``detect`` raises for anything else.
    """
    watched = Watched(repository)
    with suppress(SettingsInvalid):
        detect(watched, base, head)
    return Footprint(frozenset(watched.commits), frozenset(watched.read))


@dataclass(frozen=True)
class Watched:
    """A repository that keeps account of what it was asked for. Implements ``ports.Repository``."""

    repository: Repository
    commits: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    def commit(self, revision: str) -> str:
        """Return the commit."""
        return self.repository.commit(revision)

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the best common ancestors."""
        return self.repository.merge_bases(base, head)

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:
        """Whether history was cut between the commits."""
        return self.repository.is_cut(base, head, merge_base)

    def tree(self, commit: str) -> Tree:
        """Return all files of the commit."""
        self.commits.add(commit)
        return self.repository.tree(commit)

    def changes(self, old: str, new: str) -> list[FileChange]:
        """Return the paths that differ."""
        self.commits.update((old, new))
        return self.repository.changes(old, new)

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the contents of the blobs."""
        asked = list(oids)
        self.read.update(asked)
        return self.repository.blobs(asked, max_bytes)
