"""Making a bundle: commits, trees, and of files' contents only what detection reads."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.adapters.git import BOUNDARY, REFS, Git
from kuroshio.changes.footprint import Footprint, footprint

if TYPE_CHECKING:
    from collections.abc import Iterable

# gitformat-bundle(5). The filter tells git that contents are missing on purpose: it neither asks for them nor clones this.
_HEADER = "# v3 git bundle\n@object-format=sha1\n@filter=blob:none\n"


@dataclass(frozen=True)
class Parcel:
    """What a bundle holds: its bytes, and how many commits, trees and blobs."""

    size: int
    commits: int
    trees: int
    blobs: int

    def __str__(self) -> str:
        """Say it in a line."""
        parts = f"{self.commits:,} commits, {self.trees:,} folders, contents of {self.blobs:,} files"
        return f"{self.size:,} bytes ({parts})"


def write(git: Git, file: Path, base: str, head: str, *, whole: bool = False) -> Parcel:
    """Write a bundle of two commits from which detection gives the plan that it gives from the repository.

    It holds the commits between them and their merge bases, the trees that detection lists and the blobs that it reads.
    ``Git.unbundle`` finds in it where the history was cut, so that nothing earlier is missed. ``whole`` puts in all that
    these commits hold, for a reader of another version that reads more. Raises what ``detect`` raises.
    """
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        scratch = _Scratch(Path(folder), git)
        commits, boundary = scratch.history(base, head)
        refs = {"base": base, "head": head} | {f"{BOUNDARY}{commit}": commit for commit in boundary}
        read = Footprint(frozenset(commits), scratch.files(commits)) if whole else footprint(git, base, head)
        trees = scratch.trees(read.commits)
        with file.open("wb") as bundle:
            listed = "".join(f"{oid} {REFS}{name}\n" for name, oid in refs.items())
            bundle.write(f"{_HEADER}{listed}\n".encode())
            with scratch.pack([*commits, *trees, *sorted(read.blobs)]).open("rb") as pack:
                shutil.copyfileobj(pack, bundle)
    return Parcel(file.stat().st_size, len(commits), len(trees), len(read.blobs))


class _Scratch(Git):
    """An empty repository that sees the objects of another, and its history as far as that knows it."""

    def __init__(self, folder: Path, other: Git) -> None:
        super().__init__(folder)
        self._init()
        (folder / "objects" / "info").mkdir(exist_ok=True)
        (folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(other.objects.resolve()) + b"\n")
        self._shallow = other.shallow_commits()
        self._cut_at(self._shallow)

    def history(self, base: str, head: str) -> tuple[list[str], list[str]]:
        """Return the commits that show which merge bases these two have, and those of them at which history is cut.

        What lies between them and a merge base may hang on older commits, too, as a branch does that its base was merged
        into. Cut there, these would look like merge bases of their own; so all is taken from where they all come from.
        """
        _, border = self._between(base, head, self.merge_bases(base, head)[:1])
        commits, border = self._between(base, head, self._origin(border))
        commits = [*commits, *border]
        return commits, sorted({*border, *self._shallow.intersection(commits)})

    def _between(self, base: str, head: str, known: Iterable[str]) -> tuple[list[str], list[str]]:
        """Return the commits that lead to these two and not to the known ones, and the parents that are left out."""
        listed = (
            self._run("rev-list", "--boundary", base, head, *(f"^{each}" for each in known)).stdout.decode().split()
        )
        return [each for each in listed if each[0] != "-"], [each[1:] for each in listed if each[0] == "-"]

    def _origin(self, commits: list[str]) -> list[str]:
        if len(commits) < 2:  # noqa: PLR2004 - one is its own origin
            return commits
        return self._run("merge-base", "--octopus", *commits, ok=(0, 1)).stdout.decode().split()

    def trees(self, commits: Iterable[str]) -> list[str]:
        """Return the trees of these commits, each with its path after it."""
        listed = self._listed(commits, "--objects", "--no-walk", "--filter=blob:none")
        return listed[len(set(commits)) :]

    def files(self, commits: Iterable[str]) -> frozenset[str]:
        """Return the blobs of these commits."""
        trees = {each[:40] for each in self.trees(commits)}
        listed = self._listed(commits, "--objects", "--no-walk")[len(set(commits)) :]
        return frozenset(each for each in listed if each[:40] not in trees)

    def pack(self, objects: Iterable[str]) -> Path:
        """Pack these objects. A path after an object tells git which others it may resemble."""
        wanted = "".join(f"{each}\n" for each in objects)
        where = os.fspath(self._path / "parcel")
        done = self._run("pack-objects", "--quiet", "--delta-base-offset", where, stdin=wanted)
        return Path(f"{where}-{done.stdout.decode().strip()}.pack")

    def _listed(self, commits: Iterable[str], *options: str) -> list[str]:
        named = "".join(f"{commit}\n" for commit in sorted(set(commits)))
        return os.fsdecode(self._run("rev-list", *options, "--stdin", stdin=named).stdout).split("\n")[:-1]
