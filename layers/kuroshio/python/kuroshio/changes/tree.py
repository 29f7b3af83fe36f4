"""The files of one commit, and what differs between two of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from kuroshio.changes.plan import Cause

if TYPE_CHECKING:
    from collections.abc import Sequence

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


class FileChange(NamedTuple):
    """One path that differs. ``counterpart`` is the other end of a rename (equal content; for display only)."""

    path: str
    old: Entry | None
    new: Entry | None
    counterpart: str = ""

    @property
    def is_of_content_alone(self) -> bool:
        """Whether the path was and is a file that detection does not read."""
        old, new = self.old, self.new
        return old is not None and new is not None and old.is_file and new.is_file and not may_be_read(self.path)

    @property
    def cause(self) -> Cause:
        """What happened to the path."""
        old, new = self.old, self.new
        modes = (old.mode if old else "", new.mode if new else "")
        if SUBMODULE in modes:
            return Cause.SUBMODULE
        if SYMLINK in modes:
            return Cause.SYMLINK
        if old is None or new is None:
            if self.counterpart:
                return Cause.RENAMED
            return Cause.ADDED if old is None else Cause.DELETED
        return Cause.MODE if old.oid == new.oid else Cause.CONTENT


# By name a file may be a template; only its content says whether it is one.
TEMPLATES = (".yaml", ".yml", ".json", ".template", ".tmpl", ".cfn", ".cform", ".cloudformation", ".sam", ".stack")
_LONGEST = max(map(len, TEMPLATES))


def may_be_template(path: str) -> bool:
    """Whether the name could be a template's: one of the usual suffixes, or none."""
    return path[-_LONGEST:].lower().endswith(TEMPLATES) or "." not in path[path.rfind("/") + 1 :]


def is_notable(path: str, entry: Entry) -> bool:
    """Whether detection reads the file's content."""
    if entry.mode == SYMLINK:
        return True
    return entry.mode != SUBMODULE and may_be_read(path)


def may_be_read(path: str) -> bool:
    """Whether the name alone is a reason to read a file."""
    return may_be_template(path) or path.endswith(".dockerignore")


class Overview(NamedTuple):
    """What is asked of a tree most often."""

    paths: Sequence[str]  # sorted
    notable: Mapping[str, Entry]  # the few files that are read: possible templates, symbolic links, .dockerignore files
    submodules: AbstractSet[str]  # where commits of other repositories stand

    @classmethod
    def of(cls, entries: Mapping[str, Entry]) -> Overview:
        """Look at every entry."""
        notable = {path: entry for path, entry in entries.items() if is_notable(path, entry)}
        submodules = {path for path, entry in entries.items() if entry.mode == SUBMODULE}
        return cls(sorted(entries), notable, submodules)

    def before(self, old: Mapping[str, Entry | None]) -> Overview:
        """The overview of the tree in which these paths were as they are given here."""
        notable = {path: entry for path, entry in self.notable.items() if path not in old}
        notable |= {path: entry for path, entry in old.items() if entry and is_notable(path, entry)}
        submodules = {path for path, entry in old.items() if entry and entry.mode == SUBMODULE}
        paths = self.paths
        gone = {path for path, entry in old.items() if not entry}
        back = {path for path, entry in old.items() if entry and not is_among(paths, path)}
        if gone or back:
            paths = sorted([*(path for path in paths if path not in gone), *back])
        return Overview(paths, notable, (self.submodules - old.keys()) | submodules)


class Tree:
    """The files of one commit by path, with quick questions about folders. Who knows the overview gives it."""

    def __init__(self, entries: Mapping[str, Entry], overview: Overview | None = None) -> None:
        self.entries = entries
        self.paths, self.notable, self.submodules = self._overview = overview or Overview.of(entries)

    def before(self, changes: Iterable[FileChange]) -> Tree:
        """The tree that these changes led from."""
        old = {change.path: change.old for change in changes}
        return Tree(_Before(self.entries, old), self._overview.before(old))

    @cached_property
    def pointers(self) -> Mapping[str, Entry]:
        """The symbolic links and the .dockerignore files: what they hold decides what other paths mean."""
        notable = self.notable.items()
        return {path: entry for path, entry in notable if not entry.is_file or path.endswith(".dockerignore")}

    @cached_property
    def special(self) -> Mapping[str, Entry]:
        """The symbolic links and the submodules."""
        links = {path: entry for path, entry in self.notable.items() if entry.mode == SYMLINK}
        return links | {path: self.entries[path] for path in self.submodules}

    def has_file(self, path: str) -> bool:
        """Whether ``path`` is an entry: a file, a symbolic link or a submodule."""
        return is_among(self.paths, path)

    def has_folder(self, path: str) -> bool:
        """Whether any file lies below ``path``. The whole tree ("") is a folder."""
        if not path:
            return True
        below = path + "/"
        at = bisect_left(self.paths, below)
        return at < len(self.paths) and self.paths[at].startswith(below)

    def has(self, path: str) -> bool:
        """Whether anything is at ``path``."""
        return self.has_folder(path) or self.has_file(path)

    def submodule_above(self, path: str) -> str:
        """The submodule that ``path`` lies in, or "": its content is in another repository."""
        at = path.find("/") if self.submodules else -1
        while at >= 0 and path[:at] not in self.submodules:
            at = path.find("/", at + 1)
        return path[:at] if at >= 0 else ""


def is_among(paths: Sequence[str], path: str) -> bool:
    """Whether ``path`` is one of the sorted ``paths``."""
    at = bisect_left(paths, path)
    return at < len(paths) and paths[at] == path


class _Before(Mapping[str, Entry]):
    """What entries were before some of them changed. Few did, so nothing is copied."""

    def __init__(self, after: Mapping[str, Entry], old: Mapping[str, Entry | None]) -> None:
        self._after = after
        self._old = old

    def __getitem__(self, path: str) -> Entry:
        entry = self._old[path] if path in self._old else self._after[path]
        if entry is None:
            raise KeyError(path)
        return entry

    def __iter__(self) -> Iterator[str]:
        yield from (path for path in self._after if path not in self._old)
        yield from (path for path, entry in self._old.items() if entry)

    def __len__(self) -> int:
        return sum(1 for _ in self)


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

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that a change lies in, at any depth, and the changed paths themselves."""
        return folders_of(self._paths)

    @cached_property
    def are_of_content_alone(self) -> bool:
        """Whether nothing differs that units are found by."""
        return all(change.is_of_content_alone for change in self)

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


def folders_of(paths: Collection[str]) -> frozenset[str]:
    """Return all folders that the paths lie in, at any depth, and the paths themselves."""
    folders = {"", *paths} if paths else set()
    for path in paths:
        at = path.rfind("/")
        while at > 0 and path[:at] not in folders:
            folders.add(path[:at])
            at = path.rfind("/", 0, at)
    return frozenset(folders)


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
