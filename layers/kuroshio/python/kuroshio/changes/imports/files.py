"""The files of one commit as imports see them: which paths are there, and where symbolic links lead."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from kuroshio.changes.paths import parent, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.changes.imports.ports import Contents, Entry

_SYMLINK = "120000"
_SUBMODULE = "160000"
_MAX_TARGET = 4096


def is_below(path: str, folder: str) -> bool:
    """Whether ``path`` lies in ``folder``, at any depth; everything lies in the root."""
    return not folder or path.startswith(folder + "/")


class Files:
    """Answers whether there is a file or a folder at a path, following symbolic links as the file system would.

    ``special`` are the symbolic links and submodules among the entries, from who knows them: otherwise all are looked at.
    """

    def __init__(
        self, entries: Mapping[str, Entry], contents: Contents, special: Mapping[str, Entry] | None = None
    ) -> None:
        self._entries = entries
        self._contents = contents
        self._special = entries if special is None else special

    def oid(self, path: str) -> str:
        """The blob id of the file at a real path."""
        return self._entries[path].oid

    def file(self, path: str | None) -> str | None:
        """Return the real path of the file at ``path``; None when there is none."""
        if path is None:
            return None
        real = self.real(path) if self._links else path
        entry = self._entries.get(real) if real is not None else None
        return real if entry is not None and entry.mode not in (_SYMLINK, _SUBMODULE) else None

    def folder(self, path: str | None) -> str | None:
        """Return the real path of the folder at ``path``; None when there is none."""
        if path is None:
            return None
        real = self.real(path) if self._links else path
        return real if real is not None and (not real or real in self._folders) else None

    def real(self, path: str) -> str | None:
        """Follow the links on the way to ``path``; None where they leave the tree or go in a circle."""
        return resolve(path, self._links)[0]

    def links(self, path: str) -> tuple[str, ...]:
        """Return the links that are followed on the way to ``path``: changing one of them changes what lies there."""
        return resolve(path, self._links)[1]

    def submodule(self, path: str | None) -> str | None:
        """Return the submodule that ``path`` is or lies in: its content is in another repository."""
        if path is None or not self._submodules:
            return None
        return next((each for each in _prefixes(path) if each in self._submodules), None)

    def below(self, folder: str) -> Iterator[str]:
        """Yield the files in a folder, at any depth, links not followed."""
        prefix = f"{folder}/" if folder else ""
        for path in islice(self._paths, bisect_left(self._paths, prefix), None):
            if not path.startswith(prefix):
                return
            if self._entries[path].mode not in (_SYMLINK, _SUBMODULE):
                yield path

    def children(self, folder: str) -> list[str]:
        """Return the files that lie directly in a folder."""
        return self._folders.get(folder, [])

    def named(self, *endings: str) -> Iterator[str]:
        """Yield the files whose paths end so."""
        return (path for path in self._entries if path.endswith(endings))

    def read(self, paths: list[str], max_bytes: int) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of files by real path; None for those that are larger than ``max_bytes``."""
        wanted: dict[str, list[str]] = {}
        for path in paths:
            wanted.setdefault(self.oid(path), []).append(path)
        for oid, blob in self._contents.blobs(wanted, max_bytes) if wanted else ():
            for path in wanted[oid]:
                yield path, blob.content if blob.is_whole else None

    @cached_property
    def _submodules(self) -> frozenset[str]:
        return frozenset(path for path, entry in self._special.items() if entry.mode == _SUBMODULE)

    @cached_property
    def _paths(self) -> list[str]:
        return sorted(self._entries)

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        """The files directly in each folder; a folder that holds nothing but folders has an empty list."""
        folders: dict[str, list[str]] = {}
        for path in self._entries:
            at = parent(path)
            known = folders.get(at)
            if known is not None:
                known.append(path)
                continue
            folders[at] = [path]
            while at and (at := parent(at)) not in folders:
                folders[at] = []
        return folders

    @cached_property
    def _links(self) -> dict[str, str]:
        paths = {path: entry.oid for path, entry in self._special.items() if entry.mode == _SYMLINK}
        if not paths:
            return {}
        targets = {oid: blob.content for oid, blob in self._contents.blobs(set(paths.values()), _MAX_TARGET)}
        return {path: targets.get(oid, b"/").decode("utf-8", "surrogateescape") for path, oid in paths.items()}


def _prefixes(path: str) -> Iterator[str]:
    at = path.find("/")
    while at >= 0:
        yield path[:at]
        at = path.find("/", at + 1)
    yield path
