"""The checkout as it was when the demo began."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def take(repository: Path, target: Path) -> None:
    """Make ``target`` a checkout of its own of the commit that is checked out, with the changes that are not committed.

    Image, tag and history are asked for one after the other, minutes apart: whoever commits or switches branches meanwhile would
    have the demo push an image that it never built. New files that git was not told of stay behind.
    """
    shutil.rmtree(target, ignore_errors=True)
    commit = _git(repository, "rev-parse", "HEAD").decode().strip()
    changes = _git(repository, "diff", "--binary", commit)
    _git(repository, "clone", "--quiet", "--shared", "--no-checkout", str(repository), str(target))
    _git(target, "checkout", "--quiet", "--detach", commit)
    if changes:
        _git(target, "apply", "--whitespace=nowarn", given=changes)


def _git(repository: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, input=given)
    return done.stdout
