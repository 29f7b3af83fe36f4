"""The files of one commit, and what differs between two of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class FileChange:
    """One path that differs. ``counterpart`` is the other end of a rename (equal content; for display only)."""

    path: str
    old: Entry | None
    new: Entry | None
    counterpart: str = ""

    @property
    def is_of_content_alone(self) -> bool:
        """Whether the path was and is a file that detection does not read."""
        return (
            bool(self.old and self.new)
            and not any(is_notable(self.path, each) for each in (self.old, self.new) if each)
            and all(each.is_file for each in (self.old, self.new) if each)
        )

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


_SUFFIXES = frozenset(suffix.removeprefix(".") for suffix in _TEMPLATES)


class Listing(Mapping[str, Entry]):
    """Files as ``git ls-tree -z`` lists them. Entries are made when they are asked for: few of 100,000 ever are."""

    def __init__(self, records: dict[str, str]) -> None:
        self._records = records  # by path: "<mode> <type> <object id>", and what git writes after it

    @classmethod
    def parse(cls, listed: str) -> Listing:
        """Read the NUL-terminated output."""
        records = listed.split("\0")
        records.pop()
        width = listed.find("\t") + 1
        if " commit " in listed:  # a submodule, or a file that is named so: widths may differ
            return cls({record[record.index("\t") + 1 :]: record for record in records})
        return cls(dict(zip([record[width:] for record in records], records, strict=True)))

    def __getitem__(self, path: str) -> Entry:
        record = self._records[path]
        mode, _, oid = record.partition("\t")[0].split(" ")
        return Entry(mode, oid)

    def __contains__(self, path: object) -> bool:
        return path in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def before(self, changes: Iterable[FileChange]) -> Listing:
        """The files that these changes led from."""
        records = dict(self._records)
        for change in changes:
            records.pop(change.path, None)
            if change.old:
                records[change.path] = f"{change.old.mode} blob {change.old.oid}"
        return Listing(records)

    def notable(self) -> dict[str, Entry]:
        """What ``is_notable`` holds of. Most files are left out by what follows their last dot, seen once for all."""
        ends = [path[-3:] for path in self._records]
        # ".py" says all about a name; "aml" does not.
        open_ends = {end for end in set(ends) if not _is_plain(end.rpartition("."))}
        paths = [path for path, end in zip(self._records, ends, strict=True) if end in open_ends] if open_ends else []
        tails = [path.rpartition(".")[2] for path in paths]
        wanted = {tail for tail in set(tails) if self._may_matter(tail)}
        found = [path for path, tail in zip(paths, tails, strict=True) if tail in wanted]
        links = [path for path, record in self._records.items() if record.startswith(SYMLINK)]
        entries = {path: self[path] for path in dict.fromkeys((*found, *links))}
        return {path: entry for path, entry in entries.items() if is_notable(path, entry)}

    def _may_matter(self, tail: str) -> bool:
        return "/" in tail or tail in self._records or tail == "dockerignore" or tail.lower() in _SUFFIXES


def _is_plain(end: tuple[str, str, str]) -> bool:
    """Whether the last characters of a name, parted at the last dot, show that it is no template's."""
    _, dot, tail = end
    return bool(dot) and "/" not in tail and tail.lower() not in _SUFFIXES


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
        notable = dict(self.notable)
        for change in changes:
            notable.pop(change.path, None)
            if change.old and is_notable(change.path, change.old):
                notable[change.path] = change.old
        return Tree(self._entries_before(changes), notable)

    def _entries_before(self, changes: Iterable[FileChange]) -> Mapping[str, Entry]:
        if isinstance(self.entries, Listing):
            return self.entries.before(changes)
        entries = dict(self.entries)
        for change in changes:
            entries.pop(change.path, None)
            if change.old:
                entries[change.path] = change.old
        return entries

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
        if isinstance(self.entries, Listing):
            return self.entries.notable()
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

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that a change lies in, at any depth, and the changed paths themselves."""
        folders = {"", *self._paths} if self._paths else set()
        for path in self._paths:
            at = path.rfind("/")
            while at > 0 and path[:at] not in folders:
                folders.add(path[:at])
                at = path.rfind("/", 0, at)
        return frozenset(folders)

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
