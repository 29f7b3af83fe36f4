"""What the closure asks of the world. ``kuroshio.changes.ports.Repository`` and ``kuroshio.changes.tree`` fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kuroshio.changes.imports.analysis import Analysis


class Entry(Protocol):
    """What a path is in a commit: git's mode and object id."""

    @property
    def mode(self) -> str: ...

    @property
    def oid(self) -> str: ...


class Blob(Protocol):
    """The content of a file, or its beginning where it is larger than was asked for."""

    @property
    def content(self) -> bytes: ...

    @property
    def is_whole(self) -> bool: ...


class Contents(Protocol):
    """The way to read files by their object ids."""

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the contents of the blobs by id, one at a time, each up to ``max_bytes``."""


class Analyses(Protocol):
    """Analyses of files that were made before. A key names language, version and blob."""

    def get(self, keys: Iterable[str]) -> Mapping[str, Analysis]:
        """Return what is known of these keys."""

    def put(self, analyses: Mapping[str, Analysis]) -> None:
        """Keep what was found out."""


class NoAnalyses:
    """Remembers nothing."""

    def get(self, keys: Iterable[str]) -> Mapping[str, Analysis]:  # noqa: ARG002 - a port
        """Know of no file."""
        return {}

    def put(self, analyses: Mapping[str, Analysis]) -> None:
        """Forget."""
