"""The demo's pull requests are commits that are really there."""

import os
import subprocess
from pathlib import Path

import pytest

from lab.demo.history import pull_requests

WHO = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


def git(repository: Path, *arguments: str) -> str:
    command = ["git", "-C", str(repository), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **WHO}).stdout.strip()


def commit(repository: Path, subject: str, *paths: str) -> str:
    for path in paths:
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(subject)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", subject)
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    return tmp_path


def test_each_area_has_the_newest_commit_that_touches_little_else_and_one_touches_none(repository: Path) -> None:
    commit(repository, "before any template", "README.md")
    first = commit(repository, "the template", "template.yaml")
    commit(repository, "code, older", "functions/a.py")
    code = commit(repository, "code, newer", "functions/b.py")
    commit(repository, "code and much else", "functions/c.py", "docs/c.md", "tests/c.py")
    words = commit(repository, "words", "docs/a.md")
    layer = commit(repository, "a layer", "layers/a.py")

    proposals = pull_requests(repository, since="template.yaml", areas=("layers", "functions"))

    assert [p.head for p in proposals[:-1]] == [code, words, layer]
    assert (proposals[-1].base, proposals[-1].head) == (first, layer)
    assert [p.number for p in proposals] == [1, 2, 3, 4]


def test_each_single_proposal_is_a_commit_and_its_parent_and_none_comes_twice(repository: Path) -> None:
    commit(repository, "the template", "template.yaml")
    commit(repository, "both", "layers/a.py", "functions/a.py")
    commit(repository, "words", "README.md")

    *single, _branch = pull_requests(repository, since="template.yaml", areas=("layers", "functions"))

    assert [p.title for p in single] == ["both", "words"]
    assert all(git(repository, "rev-parse", f"{p.head}^") == p.base for p in single)


def test_a_history_without_a_template_gives_nothing_to_propose(repository: Path) -> None:
    commit(repository, "words", "README.md")
    assert pull_requests(repository, since="template.yaml", areas=("layers",)) == []
