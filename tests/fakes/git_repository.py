"""A real git repository that tests fill as they fill the one in memory."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from kuroshio.adapters.git import Git, environment
from tests.fakes.repository import Files, as_files

if TYPE_CHECKING:
    from pathlib import Path


class GitRepository(Git):
    """A real repository with the builder's methods of the fake: commits come in through ``git fast-import``."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.path = path
        self.git("init", "--quiet", "--bare", ".")
        self._count = 0

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        env = environment() | {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_COUNT": "0"}
        done = subprocess.run(["git", *arguments], cwd=self.path, env=env, input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def make_commit(self, files: Files, *parents: str) -> str:
        self._count += 1
        name = f"refs/heads/c{self._count}"
        lines = [
            b"commit %s\ncommitter A <a@example> %d +0000\ndata 0\n" % (name.encode(), 1_000_000_000 + self._count)
        ]
        for word, parent in zip(("from", *("merge",) * len(parents)), parents, strict=False):
            lines.append(f"{word} {parent}\n".encode())
        lines.append(b"deleteall\n")
        for path, file in as_files(files).items():
            quoted = b'"' + b"".join(b"\\%03o" % byte for byte in os.fsencode(path)) + b'"'
            where = f"M {file.mode} ".encode()
            if file.mode == "160000":
                lines.append(where + file.content + b" " + quoted + b"\n")
            else:
                lines.append(where + b"inline " + quoted + b"\ndata %d\n" % len(file.content) + file.content + b"\n")
        self.git("fast-import", "--quiet", "--force", stdin=b"".join(lines))
        return self.git("rev-parse", name)

    def cut_at(self, *commits: str) -> None:
        (self.path / "shallow").write_text("".join(f"{commit}\n" for commit in commits))
