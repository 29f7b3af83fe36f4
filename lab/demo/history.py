"""Pull requests for the demo, taken from this repository's own history."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SEPARATOR = "\x1e"


@dataclass(frozen=True)
class PullRequest:
    """One commit, or a run of them, as if it had been proposed: what it would change is not known yet."""

    number: int
    title: str
    base: str
    head: str


@dataclass(frozen=True)
class _Commit:
    sha: str
    parent: str
    subject: str
    areas: frozenset[str]  # first components of the paths that it touches


def pull_requests(repository: Path, *, since: str, areas: tuple[str, ...]) -> list[PullRequest]:
    """Proposals from the newest history: for each of the ``areas`` (first components of paths) the newest of the commits
    that touch it and as little else as possible, one commit that touches none of them, and one long branch.

    Only commits that already have the file ``since`` count: before the first template there is nothing to deploy.
    """
    commits = list(_commits(repository, since))
    chosen: list[_Commit] = []
    for area in (*areas, None):
        left = [c for c in commits if c not in chosen and (area in c.areas if area else not c.areas & set(areas))]
        chosen += sorted(left, key=lambda commit: len(commit.areas))[:1]
    chosen.sort(key=commits.index, reverse=True)
    proposals = [PullRequest(number, c.subject, c.parent, c.sha) for number, c in enumerate(chosen, start=1)]
    if len(commits) > 1:
        title = f"A branch of {len(commits)} commits: {commits[0].subject}"
        proposals.append(PullRequest(len(proposals) + 1, title, commits[-1].parent, commits[0].sha))
    return proposals


def _commits(repository: Path, since: str) -> Iterator[_Commit]:
    """Newest first, along the first parents, without those that came before ``since`` did."""
    first = _git(repository, "log", "--first-parent", "--diff-filter=A", "--format=%H", "--", since).split()
    if not first:
        return
    form = f"--format={_SEPARATOR}%H %P%n%s"
    log = _git(repository, "log", "--first-parent", "-m", "--name-only", "-200", form, f"{first[-1]}..HEAD")
    for record in log.split(_SEPARATOR)[1:]:
        ids, subject, *paths = record.splitlines()
        sha, parent, *_ = ids.split()
        yield _Commit(sha, parent, subject, frozenset(path.split("/")[0] for path in paths if path))


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *arguments], check=True, capture_output=True, text=True)
    return done.stdout
