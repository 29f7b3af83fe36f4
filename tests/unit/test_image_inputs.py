"""The functions' image holds what functions can import; what only people and Actions start is no input of a function."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kuroshio.changes import dockerignore
from kuroshio.changes.detection import detect
from tests.fakes.repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / "layers/kuroshio/python"
MODULES = {
    ".".join(path.relative_to(PYTHON).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PYTHON.glob("kuroshio/**/*.py")
}
PATTERNS = dockerignore.patterns((ROOT / ".dockerignore").read_bytes())


def named(path: Path) -> Iterator[str]:
    """Every module that a file names: by an import that runs, late or not, or in a text such as the command line's verbs."""
    tree = ast.parse(path.read_text())
    blocks = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    for_types = [node.body for node in blocks if getattr(node.test, "id", "") == "TYPE_CHECKING"]
    idle = {id(node) for body in for_types for statement in body for node in ast.walk(statement)}
    for node in ast.walk(tree):
        if id(node) in idle:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("kuroshio."):
            yield node.value.partition(":")[0]


def reached(starts: Iterable[Path]) -> set[str]:
    found: set[str] = set()
    waiting = [name for path in starts for name in named(path)]
    while waiting:
        parts = waiting.pop().split(".")
        for name in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
            if name in MODULES and name not in found:
                found.add(name)
                waiting += named(MODULES[name])
    return found


BY_FUNCTIONS = reached(ROOT.glob("functions/*/handler.py"))
ROOTS = [*PYTHON.glob("kuroshio/cli/**/*.py"), *PYTHON.glob("kuroshio/actions/*.py")]
BY_PEOPLE = reached(ROOTS) | {name for name, path in MODULES.items() if path in ROOTS}


def is_left_out(module: str) -> bool:
    return dockerignore.excludes(PATTERNS, str(MODULES[module].relative_to(ROOT)))


def test_nothing_that_a_function_can_import_is_left_out_of_the_image() -> None:
    assert "kuroshio.changes.detection" in BY_FUNCTIONS
    assert sorted(filter(is_left_out, BY_FUNCTIONS)) == []


def test_what_only_people_and_actions_start_is_left_out_of_the_image() -> None:
    """Else each change there would redeploy every function: add it to .dockerignore."""
    assert "kuroshio.actions.detect" in BY_PEOPLE
    assert sorted(name for name in BY_PEOPLE - BY_FUNCTIONS if not is_left_out(name)) == []


@pytest.fixture(scope="module")
def checkout() -> tuple[MemoryRepository, str, dict[str, bytes]]:
    """This checkout as a commit: what an image could be made of, and the templates."""
    wanted = ["template.yaml", ".dockerignore", "functions", "layers", "statemachines", "requirements"]
    listed = subprocess.run(["git", "ls-files", "-z", *wanted], cwd=ROOT, capture_output=True, check=True).stdout
    files = {path: (ROOT / path).read_bytes() for path in listed.decode().split("\0") if path}
    repository = MemoryRepository()
    return repository, repository.make_commit(files), files


def flagged(checkout: tuple[MemoryRepository, str, dict[str, bytes]], *paths: str) -> set[str]:
    repository, base, files = checkout
    changed = {path: files[path] + b"\n# changed\n" for path in paths}
    plan = detect(repository, base, repository.make_commit(files | changed, base))
    assert plan.complete
    return {unit.id for unit in plan.units}


def test_a_change_of_what_is_left_out_flags_no_function_and_any_other_flags_them(
    checkout: tuple[MemoryRepository, str, dict[str, bytes]],
) -> None:
    left_out = [str(MODULES[module].relative_to(ROOT)) for module in MODULES if is_left_out(module)]
    assert len(left_out) > 30
    assert flagged(checkout, *left_out) == set()
    assert "template.yaml#DetectChangesFunction" in flagged(checkout, "layers/kuroshio/python/kuroshio/wiring.py")
