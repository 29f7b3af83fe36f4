"""Imports point one way: functions -> domains -> ports <- adapters; the lab is imported by nothing that ships."""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from kuroshio.changes import dockerignore

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers/kuroshio/python/kuroshio"
# Where domains and adapters may meet: the composition root of the functions, what people and GitHub start, and what
# users' own functions import.
ROOTS = {"wiring", "cli", "actions", "metrics"}
SDKS = {"boto3", "botocore"}
SHIPPED = [*sorted(ROOT.glob("layers/**/*.py")), *sorted(ROOT.glob("functions/**/*.py"))]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, late imports too; those for the type checker alone do not run."""
    tree = ast.parse(path.read_text())
    unused = {id(n) for block in ast.walk(tree) if is_for_types(block) for n in ast.walk(block)}
    for node in ast.walk(tree):
        if id(node) not in unused and isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif id(node) not in unused and isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"


def tops(path: Path) -> set[str]:
    return {module.partition(".")[0] for module in imported(path)}


DOMAINS = [
    path
    for path in sorted(PACKAGE.glob("**/*.py"))
    if path.relative_to(PACKAGE).parts[0].removesuffix(".py") not in {*ROOTS, "adapters"}
]


@pytest.mark.parametrize("path", DOMAINS, ids=name)
def test_a_domain_knows_no_adapter_and_no_sdk(path: Path) -> None:
    assert [m for m in imported(path) if m.startswith("kuroshio.adapters")] == []
    assert tops(path) & SDKS == set()


@pytest.mark.parametrize("path", SHIPPED, ids=name)
def test_nothing_that_ships_imports_the_lab_or_the_tests(path: Path) -> None:
    assert tops(path) & {"lab", "tests", "benchmarks", "moto"} == set()


@pytest.mark.parametrize("path", sorted(ROOT.glob("functions/*/handler.py")), ids=name)
def test_a_handler_is_a_sentence(path: Path) -> None:
    functions = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    assert all((f.end_lineno or 0) - f.lineno < 20 for f in functions)
    assert not any(isinstance(node, ast.If) for f in functions for node in ast.walk(f))
    assert {m for m in imported(path) if m.startswith("kuroshio")} <= {"kuroshio", "kuroshio.wiring"}


def test_the_rules_have_something_to_judge() -> None:
    assert len(DOMAINS) > 20
    assert {"boto3", "botocore"} & {top for path in (PACKAGE / "adapters").glob("*.py") for top in tops(path)}


# The functions' image -----------------------------------------------------------------------------------------------------

MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.glob("**/*.py")
}
PATTERNS = dockerignore.patterns((ROOT / ".dockerignore").read_bytes())


def named(path: Path) -> Iterator[str]:
    """Every module that a file names: by an import that runs, late or not, or in a text such as the command line's verbs."""
    tree = ast.parse(path.read_text())
    idle = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and is_for_types(block)
        for statement in block.body
        for node in ast.walk(statement)
    }
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


# kuroshio.metrics is what users' own functions import.
BY_FUNCTIONS = reached([*ROOT.glob("functions/*/handler.py"), PACKAGE / "metrics.py"]) | {"kuroshio.metrics"}
STARTED = [*PACKAGE.glob("cli/**/*.py"), *PACKAGE.glob("actions/**/*.py")]
BY_PEOPLE = reached(STARTED) | {name for name, path in MODULES.items() if path in STARTED}


def is_left_out(module: str) -> bool:
    return dockerignore.excludes(PATTERNS, str(MODULES[module].relative_to(ROOT)))


def test_nothing_that_a_function_can_import_is_left_out_of_the_image() -> None:
    """Take it out of .dockerignore, or the function does not start."""
    assert "kuroshio.changes.detection" in BY_FUNCTIONS
    assert sorted(filter(is_left_out, BY_FUNCTIONS)) == []


def test_what_only_people_and_actions_start_is_left_out_of_the_image() -> None:
    """Add it to .dockerignore, or each change of it redeploys every function."""
    assert "kuroshio.actions.detect" in BY_PEOPLE
    assert sorted(name for name in BY_PEOPLE - BY_FUNCTIONS if not is_left_out(name)) == []
