"""The files of one commit, and what differs between two of them."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.changes.plan import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

SYMLINK = "120000"
SUBMODULE = "160000"


class Entry(NamedTuple):
    """What a path is in a commit: git's mode and object id. A tuple, because trees have a hundred thousand of them."""

    mode: str
    oid: str

    @property
    def is_file(self) -> bool:
        """Neither a symbolic link nor a submodule."""
        return self.mode not in (SYMLINK, SUBMODULE)


@dataclass(frozen=True)
class FileChange:
    """One path that differs. ``counterpart`` is the other end of a rename (equal content; for display only)."""

    path: str
    old: Entry | None
    new: Entry | None
    counterpart: str = ""

    @property
    def cause(self) -> Cause:
        """What happened to the path."""
        modes = {entry.mode for entry in (self.old, self.new) if entry}
        if SUBMODULE in modes:
            return Cause.SUBMODULE
        if SYMLINK in modes:
            return Cause.SYMLINK
        if self.old is None or self.new is None:
            if self.counterpart:
                return Cause.RENAMED
            return Cause.ADDED if self.old is None else Cause.DELETED
        return Cause.MODE if self.old.oid == self.new.oid else Cause.CONTENT


# By name a file may be a template; only its content says whether it is one.
_TEMPLATES = (".yaml", ".yml", ".json", ".template", ".tmpl", ".cfn", ".cform", ".cloudformation", ".sam", ".stack")
_LONGEST = max(map(len, _TEMPLATES))


def may_be_template(path: str) -> bool:
    """Whether the name could be a template's: one of the usual suffixes, or none."""
    return path[-_LONGEST:].lower().endswith(_TEMPLATES) or "." not in path[path.rfind("/") + 1 :]


def is_notable(path: str, entry: Entry) -> bool:
    """Whether detection reads the file's content."""
    if entry.mode == SYMLINK:
        return True
    return entry.mode != SUBMODULE and (may_be_template(path) or path.endswith(".dockerignore"))


class Tree:
    """The files of one commit by path, with quick questions about folders."""

    def __init__(self, entries: Mapping[str, Entry], notable: Mapping[str, Entry] | None = None) -> None:
        self.entries = entries
        self._notable = notable

    @cached_property
    def paths(self) -> Sequence[str]:
        """All paths, sorted."""
        return sorted(self.entries)

    def before(self, changes: Iterable[FileChange]) -> Tree:
        """The tree that these changes led from. Its notable files are not looked for again in the whole tree."""
        entries, notable = dict(self.entries), dict(self.notable)
        for change in changes:
            entries.pop(change.path, None)
            notable.pop(change.path, None)
            if change.old:
                entries[change.path] = change.old
                if is_notable(change.path, change.old):
                    notable[change.path] = change.old
        return Tree(entries, notable)

    def has_folder(self, path: str) -> bool:
        """Whether any file lies below ``path``. The whole tree ("") is a folder."""
        if not path:
            return True
        at = bisect_left(self.paths, path + "/")
        return at < len(self.paths) and self.paths[at].startswith(path + "/")

    def submodule_above(self, path: str) -> str:
        """The submodule that ``path`` lies in, or "": its content is in another repository."""
        parents = path.split("/")
        for depth in range(1, len(parents)):
            parent = "/".join(parents[:depth])
            entry = self.entries.get(parent)
            if entry and entry.mode == SUBMODULE:
                return parent
        return ""

    @cached_property
    def notable(self) -> Mapping[str, Entry]:
        """The few files that are read: possible templates, symbolic links, .dockerignore files."""
        if self._notable is not None:
            return self._notable
        return {path: entry for path, entry in self.entries.items() if is_notable(path, entry)}


class ChangedFiles:
    """The changed files of a comparison, quick to ask for one folder's."""

    def __init__(self, changes: Iterable[FileChange]) -> None:
        self._changes = {change.path: change for change in pair_renames(changes)}
        self._paths = sorted(self._changes)

    def __len__(self) -> int:
        return len(self._paths)

    def __iter__(self) -> Iterator[FileChange]:
        return (self._changes[path] for path in self._paths)

    def get(self, path: str) -> FileChange | None:
        """The change of exactly this path."""
        return self._changes.get(path)

    def below(self, path: str) -> Iterator[FileChange]:
        """The changes of ``path`` itself and of all that lies below it, sorted by path."""
        if not path:
            yield from self
            return
        if path in self._changes:
            yield self._changes[path]
        prefix = path + "/"
        for changed in islice(self._paths, bisect_left(self._paths, prefix), None):
            if not changed.startswith(prefix):
                return
            yield self._changes[changed]


def pair_renames(changes: Iterable[FileChange]) -> list[FileChange]:
    """Give the two ends of each rename without edit each other's path. Both ends stay changes of their own."""
    changes = list(changes)
    gone: dict[Entry, list[str]] = {}
    for change in sorted(changes, key=lambda change: change.path, reverse=True):
        if change.old and not change.new:
            gone.setdefault(change.old, []).append(change.path)
    pairs: dict[str, str] = {}
    for change in sorted(changes, key=lambda change: change.path):
        if change.new and not change.old and gone.get(change.new):
            source = gone[change.new].pop()
            pairs[source], pairs[change.path] = change.path, source
    return [
        FileChange(change.path, change.old, change.new, pairs[change.path]) if change.path in pairs else change
        for change in changes
    ]
