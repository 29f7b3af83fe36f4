"""What detection asks of the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from kuroshio.changes.analysis import Analysis
    from kuroshio.changes.plan import Plan
    from kuroshio.changes.request import DetectRequest
    from kuroshio.changes.rest import Reach
    from kuroshio.changes.tree import FileChange, Tree


@dataclass(frozen=True)
class Blob:
    """The content of a file, or its beginning where it is larger than was asked for."""

    content: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether ``content`` is all of it."""
        return len(self.content) == self.size


class Repository(Protocol):
    """A git repository, read only. Commits and blobs are named by their full object ids."""

    def commit(self, revision: str) -> str:
        """Return the id of the commit that ``revision`` names. Raises RepositoryUnreadable when there is none."""

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the best common ancestors, the one that git prefers first. Empty: the commits share no history."""

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:
        """Whether a shallow clone ends the history between these commits, so that the merge base may be another."""

    def tree(self, commit: str) -> Tree:
        """Return all files of the commit."""

    def changes(self, old: str, new: str) -> list[FileChange]:
        """Return the paths that differ between the trees of two commits, renames as a removal and an addition."""

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the contents of the blobs by id, one at a time, each up to ``max_bytes``.

        Raises RepositoryUnreadable when one is not at hand, as in a partial clone.
        """


class Bundles(Protocol):
    """Git bundles that were handed in."""

    def opened(self, key: str) -> AbstractContextManager[Repository]:
        """Give the repository in the bundle; nothing of it is left on disk afterwards.

        Raises NotFound, LimitExceeded when the bundle is larger than is read, RepositoryUnreadable when it is damaged.
        """


class Plans(Protocol):
    """Published plans. What was written stays as it was written."""

    def create(self, key: str, content: bytes, content_type: str) -> None:
        """Write ``content`` under ``key``. The same content again is success; another raises PlanConflict."""

    def read(self, key: str) -> bytes:
        """Return what was written. Raises NotFound."""


class Journal(Protocol):
    """What a person and an alarm can see of detection."""

    def planned(self, request: DetectRequest, plan: Plan) -> None:
        """Tell of a plan that was published."""

    def timed(self, request: DetectRequest, seconds: Mapping[str, float]) -> None:
        """Tell how long the parts of a detection took."""


class Analyses(Protocol):
    """Analyses of templates that were made before, by blob id. None: the blob is known to be no template."""

    def get(self, oids: Iterable[str]) -> Mapping[str, Analysis | None]:
        """Return what is known of these blobs."""

    def reaches(self, oids: Iterable[str]) -> Mapping[str, Reach]:
        """Return how far the units of those that are known to be templates reach: a small part of their analyses."""

    def put(self, analyses: Mapping[str, Analysis | None]) -> None:
        """Keep what was found out."""


class NoAnalyses:
    """Remembers nothing."""

    def get(self, oids: Iterable[str]) -> Mapping[str, Analysis | None]:  # noqa: ARG002 - a port
        """Know of no blob."""
        return {}

    def reaches(self, oids: Iterable[str]) -> Mapping[str, Reach]:  # noqa: ARG002 - a port
        """Know of no template."""
        return {}

    def put(self, analyses: Mapping[str, Analysis | None]) -> None:
        """Forget."""


class Notes(Protocol):
    """Texts that outlast a run, by key: one collection for each repository and edition of our code.

    They may be lost, never wrong: whoever cannot read or write them says so elsewhere and goes on without.
    """

    def read(self, repository: str, edition: str) -> Mapping[str, str]:
        """Return what was written last; nothing where that is not known."""

    def write(self, repository: str, edition: str, notes: Mapping[str, str]) -> None:
        """Replace what was written."""


class NoNotes:
    """Keeps nothing."""

    def read(self, repository: str, edition: str) -> Mapping[str, str]:  # noqa: ARG002 - a port
        """Know of nothing."""
        return {}

    def write(self, repository: str, edition: str, notes: Mapping[str, str]) -> None:
        """Forget."""
