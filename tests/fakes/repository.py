"""A git repository in memory. It passes the contract tests of the real one (tests/contract/test_repository.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1

from kuroshio.changes.ports import Blob
from kuroshio.changes.tree import SUBMODULE, SYMLINK, Entry, FileChange, Tree
from kuroshio.errors import RepositoryUnreadable


@dataclass(frozen=True)
class File:
    """What a test puts at a path."""

    content: bytes
    mode: str = "100644"

    @property
    def oid(self) -> str:
        if self.mode == SUBMODULE:
            return self.content.decode()
        return sha1(b"blob %d\0" % len(self.content) + self.content, usedforsecurity=False).hexdigest()


def executable(content: str) -> File:
    return File(content.encode(), "100755")


def link(target: str) -> File:
    return File(target.encode(), SYMLINK)


def submodule(commit: str) -> File:
    return File(commit.encode(), SUBMODULE)


Files = Mapping[str, str | bytes | File]


def as_files(files: Files) -> dict[str, File]:
    return {path: _as_file(content) for path, content in files.items()}


def _as_file(content: str | bytes | File) -> File:
    if isinstance(content, File):
        return content
    return File(content if isinstance(content, bytes) else content.encode())


class MemoryRepository:
    """Commits are made by tests; everything else is the port."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, File]] = {}
        self._parents: dict[str, tuple[str, ...]] = {}
        self._shallow: set[str] = set()

    def make_commit(self, files: Files, *parents: str) -> str:
        oid = sha1(repr((len(self._files), parents)).encode(), usedforsecurity=False).hexdigest()
        self._files[oid] = as_files(files)
        self._parents[oid] = parents
        return oid

    def cut_at(self, *commits: str) -> None:
        """Let history end at these commits, as in a shallow clone."""
        self._shallow |= set(commits)

    def commit(self, revision: str) -> str:
        if revision not in self._files:
            raise RepositoryUnreadable(f'no commit "{revision}"')
        return revision

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        common = self._ancestors(base) & self._ancestors(head)
        older = {ancestor for commit in common for ancestor in self._ancestors(commit) - {commit}}
        return tuple(sorted(common - older))

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:
        behind = self._ancestors(merge_base) if merge_base else set()
        return bool(self._shallow & ((self._ancestors(base) | self._ancestors(head)) - behind))

    def tree(self, commit: str) -> Tree:
        return Tree({path: Entry(file.mode, file.oid) for path, file in self._files[self.commit(commit)].items()})

    def changes(self, old: str, new: str) -> list[FileChange]:
        before, after = self.tree(old).entries, self.tree(new).entries
        return [
            FileChange(path, before.get(path), after.get(path))
            for path in sorted({*before, *after})
            if before.get(path) != after.get(path)
        ]

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        known = {file.oid: file for files in self._files.values() for file in files.values() if file.mode != SUBMODULE}
        for oid in oids:
            if oid not in known:
                raise RepositoryUnreadable(f"the object {oid} is missing")
            content = known[oid].content
            yield oid, Blob(content[:max_bytes], len(content))

    def _ancestors(self, commit: str) -> set[str]:
        seen, waiting = set(), [commit]
        while waiting:
            at = waiting.pop()
            if at not in seen:
                seen.add(at)
                waiting += () if at in self._shallow else self._parents[at]
        return seen
