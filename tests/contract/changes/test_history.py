"""This repository's own history: no commit, and no window of commits, whose changed units detection would miss."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.git import Git, environment
from kuroshio.changes.detection import detect
from tests.fakes.repository import SUBMODULE, File
from tests.oracles import truth
from tests.oracles.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[3]


class History:
    """A clone of this repository, with as many commits as the checkout that the tests run in has."""

    def __init__(self, place: Path, *options: str) -> None:
        env = environment(may_fetch=True) | {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_COUNT": "0"}
        command = ["git", "clone", "--quiet", "--bare", "--single-branch", *options, f"file://{ROOT}", str(place)]
        subprocess.run(command, env=env, check=True, capture_output=True)
        self.repository = Git(place)
        self._place = place
        self.commits = self._git("rev-list", "--reverse", "--first-parent", "HEAD").split()
        self._blobs: dict[str, bytes] = {}

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self._place, env=environment(), capture_output=True, check=True)
        return os.fsdecode(done.stdout)

    def files(self, commit: str) -> dict[str, File]:
        """Return a commit's files, as git itself shows each of them."""
        found: dict[str, File] = {}
        for line in filter(None, self._git("ls-tree", "-r", "-z", commit).split("\0")):
            (mode, _, oid), path = line.partition("\t")[0].split(" "), line.partition("\t")[2]
            found[path] = File(oid.encode() if mode == SUBMODULE else self._blob(oid), mode)
        return found

    def _blob(self, oid: str) -> bytes:
        if oid not in self._blobs:
            command = ["git", "cat-file", "blob", oid]
            self._blobs[oid] = subprocess.run(command, cwd=self._place, capture_output=True, check=True).stdout
        return self._blobs[oid]


def _search(history: History, pairs: Iterable[tuple[str, str]]) -> Tally:
    tally = Tally()
    for base, head in pairs:
        before, after = history.files(base), history.files(head)
        units = len(truth.Commit(after).units())
        plan = detect(history.repository, base, head)
        tally.add(plan, truth.changed(before, after), units, (base, head))
        assert plan.merge_base == base
    return tally


def _windows(commits: list[str], count: int) -> list[tuple[str, str]]:
    chance = Random(0)  # noqa: S311 - no secret
    places = [sorted(chance.sample(range(len(commits)), 2)) for _ in range(count)]
    return [(commits[at], commits[to]) for at, to in places]


@pytest.mark.search
def test_a_sample_of_this_history_is_detected_as_brute_force_sees_it(tmp_path: Path) -> None:
    """In a shallow clone, as continuous integration has it; of one commit there is nothing to compare."""
    history = History(tmp_path / "clone", "--depth", "25")
    if len(history.commits) < 2:
        pytest.skip("the checkout has one commit only: git fetch --unshallow brings a history to try")
    pairs = list(zip(history.commits, history.commits[1:], strict=False))
    tally = _search(history, [*pairs[-3:], *_windows(history.commits, 1)])
    assert tally.plans == len(pairs[-3:]) + 1


@pytest.mark.soak
def test_all_of_this_history_is_detected_as_brute_force_sees_it(tmp_path: Path) -> None:
    history = History(tmp_path / "clone")
    pairs = list(zip(history.commits, history.commits[1:], strict=False))
    single = _search(history, pairs)
    sys.stdout.write(f"each commit against its parent: {single}\n")
    sys.stdout.write(f"windows: {_search(history, _windows(history.commits, 300))}\n")
