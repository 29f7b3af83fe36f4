"""Git, read only, as if every repository were hostile.

Only plumbing is run: commands that start no hook, filter, textconv, external diff, pager or editor. What a repository's
own configuration could still make git run or fetch is overridden, and the configuration of the machine is not read.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import IO, TYPE_CHECKING

from kuroshio.changes.listing import Listing
from kuroshio.changes.ports import Blob
from kuroshio.changes.tree import Entry, FileChange
from kuroshio.errors import LimitExceeded, RepositoryUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.tree import Tree

TIMEOUT_S = 120
MAX_FILES = 1_000_000
_CHUNK = 1 << 18
_LARGE_CHUNK = 1 << 20
_NO_OID = "0" * 40
_LACKING = "a partial clone must fetch it first, and a bundle of another version of Kuroshio be made with --whole"
# The refs of a bundle of ours (adapters/bundling.py): base, head, and the commits at which its history was cut.
REFS = "refs/kuroshio/"
BOUNDARY = "boundary/"

# Read after the repository's own configuration, so these win.
_OVERRIDES = {
    "core.askPass": "",
    # Larger objects are streamed, never held: a bundle of a megabyte can inflate to gigabytes.
    "core.bigFileThreshold": "16m",
    "core.attributesFile": os.devnull,
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.sshCommand": "false",
    "core.useReplaceRefs": "false",
    "diff.ignoreSubmodules": "none",
    "diff.renames": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    # The caller names the repository; what another owner's configuration could do is switched off above.
    "safe.directory": "*",
}


def environment(*, may_fetch: bool = False) -> dict[str, str]:
    """Return the whole environment of a git process: nothing of the machine's or the user's configuration is in it."""
    overrides = {key: value for key, value in _OVERRIDES.items() if not (may_fetch and key == "protocol.allow")}
    env = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_ASKPASS": "false",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_PROTOCOL_FROM_USER": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(overrides)),
    }
    for at, (key, value) in enumerate(overrides.items()):
        env |= {f"GIT_CONFIG_KEY_{at}": key, f"GIT_CONFIG_VALUE_{at}": value}
    if not may_fetch:
        # A partial clone would fetch what is missing while it is read; older gits know only the second variable.
        env |= {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}
    return env


class Git:
    """The repository at ``path``: a working tree, a linked worktree or a bare one. Implements ``changes.ports.Repository``.

    ``may_fetch`` lets git fetch what a partial clone lacks.
    """

    def __init__(self, path: Path, *, timeout_s: float = TIMEOUT_S, may_fetch: bool = False) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._env = environment(may_fetch=may_fetch)

    def commit(self, revision: str) -> str:
        """Return the commit that ``revision`` names."""
        if revision.startswith("-") or not revision:
            raise RepositoryUnreadable(f'"{revision}" is no revision')
        done = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", ok=(0, 1, 128)
        )
        if done.returncode != 0:
            self._run("rev-parse", "--git-dir")  # says so if it is no repository at all
            raise RepositoryUnreadable(f'{self._path} has no commit "{revision}"; fetch it, or name another revision')
        return done.stdout.decode().strip()

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the best common ancestors. Exit 1 means that there is none; 128 that git cannot tell."""
        done = self._run("merge-base", "--all", base, head, ok=(0, 1))
        return tuple(done.stdout.decode().split())

    def first_parents(self, old: str, new: str, limit: int) -> list[str]:
        """Return the commits by which a branch went from ``old`` to ``new``, the oldest of the newest ``limit`` first."""
        done = self._run("rev-list", "--first-parent", f"--max-count={limit}", new, f"^{old}")
        return done.stdout.decode().split()[::-1]

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:
        """Whether a shallow boundary lies on the way from base or head to their merge base."""
        boundary = self.shallow_commits()
        if not boundary:
            return False
        limit = [f"^{merge_base}"] if merge_base else []
        on_the_way = self._run("rev-list", base, head, *limit).stdout.decode().split()
        return not boundary.isdisjoint(on_the_way)

    def tree(self, commit: str) -> Tree:
        """Return all files of the commit, submodules and links included."""
        listing = Listing()
        for records in self._records(MAX_FILES, "ls-tree", "-r", "-z", "--full-tree", commit):
            listing.add(records)  # while git makes the next
        return listing.tree()

    def changes(self, old: str, new: str) -> list[FileChange]:
        """Return the paths that differ between two commits."""
        listed = self._records(
            2 * MAX_FILES,
            "diff-tree",
            *("-r", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv"),
            *("--ignore-submodules=none", old, new, "--"),
        )
        records = (record for some in listed for record in some.removesuffix("\0").split("\0"))
        return [_change(meta, next(records)) for meta in records]

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the blobs' contents; of larger ones the rest is read and thrown away, never held."""
        with tempfile.TemporaryFile() as wanted:
            wanted.write("".join(f"{oid}\n" for oid in oids).encode())
            if not wanted.tell():
                return
            wanted.seek(0)
            with self._stream("cat-file", "--batch", "--buffer", stdin=wanted) as stdout:
                while header := stdout.readline():
                    yield _blob(header, stdout, max_bytes)

    @property
    def objects(self) -> Path:
        """Where the repository keeps its objects."""
        return self._path / os.fsdecode(self._run("rev-parse", "--git-path", "objects").stdout.rstrip(b"\n"))

    def unbundle(self, bundle: Path) -> None:
        """Unpack a bundle into this folder as a new bare repository, with the bundle's refs.

        Raises RepositoryUnreadable for a damaged bundle, and for one that builds on commits which it does not carry.
        """
        self._init()
        listed = self._run("bundle", "unbundle", os.fspath(bundle.resolve())).stdout.decode("utf-8", "replace")
        refs = {name: oid for oid, _, name in (line.partition(" ") for line in listed.splitlines())}
        self._cut_at({oid for name, oid in refs.items() if name.startswith(REFS + BOUNDARY)})
        kept = [name for name in refs if name.startswith(("refs/heads/", "refs/tags/", "refs/remotes/", REFS))]
        self._run("update-ref", "--stdin", stdin="".join(f"create {name} {refs[name]}\n" for name in kept))

    def _init(self) -> None:
        self._run("init", "--quiet", "--bare", "--template=", ".")

    def _cut_at(self, boundary: set[str]) -> None:
        if boundary:
            (self._path / "shallow").write_text("".join(f"{commit}\n" for commit in sorted(boundary)))

    def shallow_commits(self) -> set[str]:
        """Return the commits at which a shallow clone ends."""
        if self._run("rev-parse", "--is-shallow-repository").stdout.strip() != b"true":
            return set()
        file = Path(os.fsdecode(self._run("rev-parse", "--git-path", "shallow").stdout.rstrip(b"\n")))
        return set((self._path / file).read_text("ascii").split())

    def _run(self, *arguments: str, ok: tuple[int, ...] = (0,), stdin: str = "") -> subprocess.CompletedProcess[bytes]:
        try:
            done = subprocess.run(
                self._command(*arguments),
                env=self._env,
                capture_output=True,
                input=os.fsencode(stdin),
                timeout=self._timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise LimitExceeded(f"git {arguments[0]} took longer than {self._timeout_s} s") from None
        except FileNotFoundError:
            raise RepositoryUnreadable("git is not installed, or not on PATH") from None
        if done.returncode not in ok:
            raise RepositoryUnreadable(_complaint(self._path, arguments[0], done.stderr))
        return done

    def _command(self, *arguments: str) -> list[str]:
        return ["git", "--no-pager", "--literal-pathspecs", "-C", os.fspath(self._path), *arguments]

    @contextmanager
    def _stream(self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> Iterator[IO[bytes]]:
        """Run git and give its output as it comes. The process ends with the block, or when the time is up."""
        with tempfile.TemporaryFile() as stderr:
            process = subprocess.Popen(
                self._command(*arguments),
                env=self._env,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=stderr,
                pipesize=_LARGE_CHUNK,  # with the 64 KiB of a pipe, git waits for us and we for git
            )
            timer = Timer(self._timeout_s, process.kill)
            timer.start()
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for
            returncode = -1
            try:
                yield process.stdout
                returncode = process.wait()
            except RepositoryUnreadable:
                if not timer.finished.is_set():  # else the answer broke off because the time was up
                    raise
            finally:
                is_late = timer.finished.is_set()
                timer.cancel()
                process.kill()
                process.stdout.close()
                process.wait()
            if is_late:
                raise LimitExceeded(f"git {arguments[0]} took longer than {self._timeout_s} s")
            if returncode != 0:
                stderr.seek(0)
                raise RepositoryUnreadable(_complaint(self._path, arguments[0], stderr.read(_CHUNK)))

    def _records(self, limit: int, *arguments: str) -> Iterator[str]:
        """Yield git's output as it comes: whole records, each ended by NUL."""
        rest, count = b"", 0
        with self._stream(*arguments) as stdout:
            while chunk := stdout.read(_CHUNK):
                count += chunk.count(b"\0")
                if count > limit:
                    raise LimitExceeded(f"git {arguments[0]} lists more than {MAX_FILES:,} files")
                end = chunk.rfind(b"\0") + 1
                if end:
                    yield os.fsdecode(rest + chunk[:end])
                rest = chunk[end:] if end else rest + chunk


def _change(meta: str, path: str) -> FileChange:
    old_mode, new_mode, old_oid, new_oid, _ = meta.removeprefix(":").split(" ")
    old = None if old_oid == _NO_OID else Entry(old_mode, old_oid)
    new = None if new_oid == _NO_OID else Entry(new_mode, new_oid)
    return FileChange(path, old, new)


def _blob(header: bytes, stdout: IO[bytes], max_bytes: int) -> tuple[str, Blob]:
    oid, _, rest = header.decode("ascii", "replace").strip().partition(" ")
    kind, _, size = rest.partition(" ")
    if kind != "blob" or not size.isdecimal():
        raise RepositoryUnreadable(f"the object {oid} is {kind or 'cut off'}; {_LACKING}")
    left = int(size)
    content = stdout.read(min(left, max_bytes))
    left -= len(content)
    while left > 0:
        skipped = stdout.read(min(left, _CHUNK))
        if not skipped:
            raise RepositoryUnreadable(f"git ended in the middle of the object {oid}")
        left -= len(skipped)
    stdout.read(1)  # the newline that ends each object
    return oid, Blob(content, int(size))


def _complaint(path: Path, command: str, stderr: bytes) -> str:
    said = stderr.decode("utf-8", "replace").strip().splitlines()
    return f"git {command} in {path}: {said[-1] if said else 'failed without a word'}"
