"""Random repositories under random pull requests: no changed unit is missed, by the brute force of tests/oracles."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from random import Random

import pytest

from kuroshio.changes.detection import detect
from tests.fakes.repository import MemoryRepository
from tests.oracles import truth
from tests.oracles.edits import edit
from tests.oracles.tally import Tally
from tests.oracles.worlds import world

ORACLES = Path(truth.__file__).parent


@pytest.mark.parametrize("name", ["truth", "templates", "docker", "imports"])
def test_the_brute_force_shares_nothing_with_the_detector(name: str) -> None:
    body = ast.parse((ORACLES / f"{name}.py").read_text()).body  # not what is imported for types alone
    modules = [node.module for node in body if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    assert modules
    assert [module for module in modules if str(module).startswith(("kuroshio", "tests.fakes"))] == []


def _search(seeds: range) -> Tally:
    tally = Tally()
    for seed in seeds:
        chance = Random(seed)  # noqa: S311 - no secret
        made = world(chance)
        repository = MemoryRepository()
        trees = [made.tree()]
        commits = [repository.make_commit(trees[0])]
        edits = []
        for _ in range(chance.choice([1, 1, 2, 3, 6])):
            edits += [edit(made) for _ in range(chance.choice([1, 1, 1, 2, 4]))]
            trees.append(made.tree())
            commits.append(repository.make_commit(trees[-1], commits[-1]))
        at = chance.randrange(len(commits) - 1)  # a window of one commit or several
        plan = detect(repository, commits[at], commits[-1])
        units = len(truth.Commit(trees[-1]).units())
        tally.add(plan, truth.changed(trees[at], trees[-1]), units, (seed, edits))
    return tally


@pytest.mark.search
def test_no_unit_is_missed_in_random_repositories() -> None:
    tally = _search(range(400))
    assert tally.changed > 400
    assert tally.needless - tally.in_doubt < tally.flagged / 4, str(tally)


@pytest.mark.soak
@pytest.mark.parametrize("portion", range(10))
def test_no_unit_is_missed_in_a_long_search(portion: int) -> None:
    tally = _search(range(1_000_000 + portion * 2_000, 1_000_000 + (portion + 1) * 2_000))
    sys.stdout.write(f"{tally}\n")
