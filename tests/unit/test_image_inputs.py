"""What only people and Actions start is no input of a function: detection itself says so of this repository."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from kuroshio.changes import dockerignore
from kuroshio.changes.detection import detect
from tests.fakes.repository import MemoryRepository

ROOT = Path(__file__).parents[2]
Checkout = tuple[MemoryRepository, str, dict[str, bytes]]


@pytest.fixture(scope="module")
def checkout() -> Checkout:
    """This checkout as a commit: what an image could be made of, and the templates."""
    wanted = ["template.yaml", ".dockerignore", "functions", "layers", "statemachines", "requirements"]
    listed = subprocess.run(["git", "ls-files", "-z", *wanted], cwd=ROOT, capture_output=True, check=True).stdout
    files = {path: (ROOT / path).read_bytes() for path in listed.decode().split("\0") if path}
    repository = MemoryRepository()
    return repository, repository.make_commit(files), files


def flagged(checkout: Checkout, *paths: str) -> set[str]:
    repository, base, files = checkout
    changed = {path: files[path] + b"\n# changed\n" for path in paths}
    plan = detect(repository, base, repository.make_commit(files | changed, base))
    assert plan.complete
    return {unit.id for unit in plan.units}


def test_a_change_of_what_is_left_out_flags_no_function_and_any_other_flags_them(checkout: Checkout) -> None:
    patterns = dockerignore.patterns((ROOT / ".dockerignore").read_bytes())
    left_out = [path for path in checkout[2] if path.startswith("layers") and dockerignore.excludes(patterns, path)]
    assert len(left_out) > 30
    assert flagged(checkout, *left_out) == set()
    assert "template.yaml#DetectChangesFunction" in flagged(
        checkout, "layers/kuroshio/python/kuroshio/wiring/__init__.py"
    )
