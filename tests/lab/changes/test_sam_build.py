"""What ``sam build`` makes of two commits is the truth: no unit whose artifact or definition differs is missed."""

from __future__ import annotations

import copy
import sys
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import pytest

from kuroshio.changes.detection import detect
from tests.fakes.python_trees import Interpreter
from tests.fakes.repository import MemoryRepository
from tests.fakes.script_trees import installed
from tests.oracles import truth
from tests.oracles.built import Sam, build
from tests.oracles.edits import edit
from tests.oracles.tally import Tally
from tests.oracles.worlds import BUILDABLE, world

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    interpreter = Interpreter()
    yield interpreter
    interpreter.close()


@pytest.fixture(scope="module")
def sam(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sam]:
    sam = Sam(tmp_path_factory.mktemp("home"), installed().parent)
    yield sam
    sam.close()


def _search(seeds: range, sam: Sam, interpreter: Interpreter, place: Path) -> tuple[Tally, int]:
    """Build a few commits of each repository, and hold the plans of all pairs of them against what was built."""
    tally, unbuilt = Tally(), 0
    for seed in seeds:
        chance = Random(seed)  # noqa: S311 - no secret
        made = world(chance, BUILDABLE)
        repository = MemoryRepository()
        commits = []
        for step in range(5):
            before = replace(made, documents=copy.deepcopy(made.documents), files=dict(made.files))
            edits = [edit(made) for _ in range(chance.choice([1, 1, 2]) if step else 0)]
            made.settings.pop("templates", None)
            files = made.tree()
            built = build(files, sam, interpreter, place / f"{seed}-{step}")
            if built is None:
                made, unbuilt = before, unbuilt + 1
                continue
            parents = [commits[-1][0]] if commits else []
            commits.append((repository.make_commit(files, *parents), built, edits))
        for at, (base, was, _) in enumerate(commits):
            for head, now, edits in commits[at + 1 :]:
                tally.add(detect(repository, base, head), truth.different(was, now), len(now.units()), (seed, edits))
    return tally, unbuilt


@pytest.mark.search
def test_no_unit_that_sam_builds_otherwise_is_missed(sam: Sam, interpreter: Interpreter, tmp_path: Path) -> None:
    tally, unbuilt = _search(range(5), sam, interpreter, tmp_path)
    assert unbuilt < 10, sam.output
    assert tally.changed > 20
    assert tally.needless - tally.in_doubt < tally.flagged / 2, str(tally)


@pytest.mark.soak
@pytest.mark.parametrize("portion", range(10))
def test_no_unit_that_sam_builds_otherwise_is_missed_in_a_long_search(
    portion: int, sam: Sam, interpreter: Interpreter, tmp_path: Path
) -> None:
    tally, unbuilt = _search(range(1000 + portion * 20, 1000 + (portion + 1) * 20), sam, interpreter, tmp_path)
    sys.stdout.write(f"{tally}; {unbuilt} commits could not be built\n")
