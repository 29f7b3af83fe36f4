"""The build files of one commit, read in few requests, and what was found out about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.paths import parent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.imports.ports import Contents
    from kuroshio.changes.tree import Tree

# Build files beyond it are machine-made; they count as computed.
MAX_BYTES = 512 * 1024
# Relations are followed from project to project; no real build comes near.
MAX_PROJECTS = 2_000


@dataclass(frozen=True)
class Relation:
    """A file or folder that a build reads. ``through``: the build file that says so; ``note``: why all of a folder."""

    path: str
    through: str
    note: str = ""


class Texts:
    """Reads build files as text. ``kept`` outlives one commit: most files are the same in both."""

    def __init__(self, tree: Tree, contents: Contents, kept: dict[str, str | None]) -> None:
        self.tree = tree
        self._contents = contents
        self._kept = kept

    def load(self, paths: Iterable[str]) -> None:
        """Read several files at once."""
        entries = [entry for path in paths if (entry := self.tree.entries.get(path)) and entry.is_file]
        wanted = sorted({entry.oid for entry in entries} - self._kept.keys())
        for oid, blob in self._contents.blobs(wanted, MAX_BYTES) if wanted else ():
            self._kept[oid] = blob.content.decode("utf-8", "replace") if blob.is_whole else None

    def get(self, path: str) -> str | None:
        """Return a file's text; None where there is none, or where it is too large to be one that people wrote."""
        self.load([path])
        entry = self.tree.entries.get(path)
        return self._kept.get(entry.oid) if entry and entry.is_file else None

    def has(self, path: str) -> bool:
        """Whether the tree has such a file or folder."""
        return path in self.tree.entries or self.tree.has_folder(path)


def upwards(folder: str) -> Iterator[str]:
    """Yield ``folder`` and all folders above it, the root last."""
    while folder:
        yield folder
        folder = parent(folder)
    yield ""


def within(folder: str, name: str) -> str:
    """Join two paths that are known to be plain."""
    return f"{folder}/{name}" if folder and name else folder or name
