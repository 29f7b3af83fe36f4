"""The files of one commit as git lists them: a hundred thousand at a time, of which few are ever looked at."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING

from kuroshio.changes.tree import SUBMODULE, SYMLINK, TEMPLATES, Entry, Overview, Tree, is_among, may_be_read

if TYPE_CHECKING:
    from collections.abc import Sequence

_MODE = itemgetter(slice(0, 6))
_END = itemgetter(slice(-3, None))
_SUFFIXES = frozenset(suffix.removeprefix(".") for suffix in TEMPLATES)


class Listing(Mapping[str, Entry]):
    """What ``git ls-tree -r -z`` wrote, taken in by parts. Of most files no more is kept than a path, and the text."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._begins: list[int] = []  # how many paths stand before each text
        self._paths: list[str] = []
        self._notable: dict[str, Entry] = {}
        self._submodules: set[str] = set()
        self._ends = _Ends()
        self._at_hand: tuple[int, list[str]] = (-1, [])

    def add(self, text: str) -> None:
        """Take in the next records, each "<mode> <type> <object id>", TAB, path, NUL."""
        records = _records(text)
        modes = set(map(_MODE, records))
        if SUBMODULE in modes:  # its type is longer than that of others, so not all paths begin in one column
            paths = [record.partition("\t")[2] for record in records]
            self._submodules.update(path for path, _ in _of_mode(SUBMODULE, paths, records))
        else:
            column = text.find("\t") + 1
            paths = [record[column:] for record in records]
        self._texts.append(text)
        self._begins.append(len(self._paths))
        self._paths += paths
        notable = self._may_be_read(paths, records)
        if SYMLINK in modes:
            notable += _of_mode(SYMLINK, paths, records)
        self._notable |= {path: entry for path, record in notable if (entry := _entry(record)).mode != SUBMODULE}

    def tree(self) -> Tree:
        """Return the files as a tree, after all were taken in."""
        return Tree(self, Overview(self._sorted[0], self._notable, self._submodules))

    def __getitem__(self, path: str) -> Entry:
        paths, places = self._sorted
        at = bisect_right(paths, path) - 1
        if at < 0 or paths[at] != path:
            raise KeyError(path)
        return _entry(self._record(places[at]))

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and is_among(self._sorted[0], path)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def _record(self, place: int) -> str:
        at = bisect_right(self._begins, place) - 1
        if at != self._at_hand[0]:  # what is asked for next lies near by
            self._at_hand = at, _records(self._texts[at])
        return self._at_hand[1][place - self._begins[at]]

    @cached_property
    def _sorted(self) -> tuple[list[str], Sequence[int]]:
        """The paths, sorted, and where each stands: as git has them, unless it did not make the tree, or not in UTF-8."""
        if self._paths == sorted(self._paths):
            return self._paths, range(len(self._paths))
        places = sorted(range(len(self._paths)), key=self._paths.__getitem__)
        return [self._paths[place] for place in places], places

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


def _records(text: str) -> list[str]:
    return text.split("\0")[:-1]


def _entry(record: str) -> Entry:
    mode, _, oid = record.partition("\t")[0].split(" ")
    return Entry(mode, oid)


def _of_mode(mode: str, paths: list[str], records: list[str]) -> list[tuple[str, str]]:
    return [(path, record) for path, record in zip(paths, records, strict=True) if record.startswith(mode)]
