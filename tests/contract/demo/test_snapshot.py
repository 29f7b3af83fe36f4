"""The demo plays one state of the checkout, whatever becomes of the checkout meanwhile."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.demo.history import pull_requests
from lab.demo.snapshot import take

if TYPE_CHECKING:
    from pathlib import Path

WHO = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *WHO, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(repository: Path, *paths: str) -> str:
    for path in paths:
        (repository / path).write_text(path)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "more")
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "repository")
    return tmp_path / "repository"


def test_commits_that_come_later_are_not_played(repository: Path, tmp_path: Path) -> None:
    commit(repository, "template.yaml")
    first = commit(repository, "a.py")
    snapshot = tmp_path / "snapshot"
    take(repository, snapshot)

    commit(repository, "b.py")

    assert git(snapshot, "rev-parse", "HEAD") == first
    assert [each.head for each in pull_requests(snapshot, since="template.yaml", areas=("a.py",))][:1] == [first]
    assert not (snapshot / "b.py").exists()


def test_what_is_not_committed_is_played_and_an_older_snapshot_is_replaced(repository: Path, tmp_path: Path) -> None:
    commit(repository, "template.yaml", "gone.py")
    snapshot = tmp_path / "snapshot"
    take(repository, snapshot)
    (repository / "template.yaml").write_bytes(b"changed\r\n \x00")
    (repository / "gone.py").unlink()

    take(repository, snapshot)

    assert (snapshot / "template.yaml").read_bytes() == b"changed\r\n \x00"
    assert not (snapshot / "gone.py").exists()
    assert git(snapshot, "status", "--porcelain").split() == ["D", "gone.py", "M", "template.yaml"]
