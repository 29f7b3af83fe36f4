"""The files of one commit as git lists them: a hundred thousand at a time, of which few are ever looked at."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import compress
from operator import itemgetter

from kuroshio.changes.tree import SUBMODULE, SYMLINK, TEMPLATES, Entry, Overview, Tree, may_be_read
from kuroshio.errors import RepositoryUnreadable

_MODE = itemgetter(slice(0, 6))
_END = itemgetter(slice(-3, None))
_SUFFIXES = frozenset(suffix.removeprefix(".") for suffix in TEMPLATES)


class Listing(Mapping[str, Entry]):
    """What ``git ls-tree -r -z`` wrote, taken in by parts. Entries are made when they are asked for."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._records: list[str] = []  # "<mode> <type> <object id>" TAB "<path>"
        self._files: set[str] = set()
        self._notable: dict[str, Entry] = {}
        self._submodules: set[str] = set()
        self._ends = _Ends()

    def add(self, listed: str) -> None:
        """Take in the next records, each ended by NUL."""
        records = listed.split("\0")
        records.pop()
        modes = set(map(_MODE, records))
        if SUBMODULE in modes:  # its type is longer than that of others, so not all paths begin in one column
            paths = [record.partition("\t")[2] for record in records]
            self._submodules.update(path for path, _ in _of_mode(SUBMODULE, paths, records))
        else:
            column = listed.find("\t") + 1
            paths = [record[column:] for record in records]
        self._paths += paths
        self._records += records
        self._files.update(paths)
        notable = self._may_be_read(paths, records)
        if SYMLINK in modes:
            notable += _of_mode(SYMLINK, paths, records)
        self._notable |= {path: entry for path, record in notable if (entry := _entry(record)).mode != SUBMODULE}

    def tree(self) -> Tree:
        """Return the files as a tree, after all were taken in. Raises RepositoryUnreadable when a path is there twice."""
        if len(self._files) != len(self._paths):
            raise RepositoryUnreadable("a tree names the same path twice; git fsck refuses such trees")
        return Tree(self, Overview(self._sorted[0], self._files, self._notable, self._submodules))

    def __getitem__(self, path: str) -> Entry:
        if path not in self._files:
            raise KeyError(path)
        paths, records = self._sorted
        return _entry(records[bisect_left(paths, path)])

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    @cached_property
    def _sorted(self) -> tuple[list[str], list[str]]:
        """Paths and records, sorted: git's order, unless names are not UTF-8 or the tree was made by something else."""
        if self._paths == sorted(self._paths):
            return self._paths, self._records
        pairs = sorted(zip(self._paths, self._records, strict=True))
        return [path for path, _ in pairs], [record for _, record in pairs]

    def _may_be_read(self, paths: list[str], records: list[str]) -> list[tuple[str, str]]:
        """Return what ``tree.may_be_read`` holds of. Most names are left out by how they end, seen once per end."""
        is_open = map(self._ends.__getitem__, map(_END, paths))
        candidates = compress(zip(paths, records, strict=True), is_open)
        return [(path, record) for path, record in candidates if may_be_read(path)]


class _Ends(dict[str, bool]):
    """Whether a name that ends so may be one of a file that is read: ".py" says all about a name, "aml" does not."""

    def __missing__(self, end: str) -> bool:
        _, dot, tail = end.rpartition(".")
        self[end] = not dot or "/" in tail or tail.lower() in _SUFFIXES
        return self[end]


def _entry(record: str) -> Entry:
    mode, _, oid = record.partition("\t")[0].split(" ")
    return Entry(mode, oid)


def _of_mode(mode: str, paths: list[str], records: list[str]) -> list[tuple[str, str]]:
    return [(path, record) for path, record in zip(paths, records, strict=True) if record.startswith(mode)]
