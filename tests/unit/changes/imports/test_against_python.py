"""What a real interpreter loads is in the closure, whatever the packages look like."""

from __future__ import annotations

import sys
import tempfile
from modulefinder import ModuleFinder
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from kuroshio.changes.imports.graph import CodeDirectory, Language, Start
from tests.fakes.imports import Tally, closures
from tests.fakes.python_trees import Interpreter, trees, write

if TYPE_CHECKING:
    from collections.abc import Iterator

SRC = CodeDirectory("src", Language.PYTHON)


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    interpreter = Interpreter()
    yield interpreter
    interpreter.close()


def _search(interpreter: Interpreter, cases: int, *, derandomize: bool) -> Tally:
    tally = Tally()

    @settings(
        max_examples=cases,
        derandomize=derandomize,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
    @given(trees())
    def check(case: tuple[dict[str, str], list[str]]) -> None:
        files, handlers = case
        found = closures(files, SRC, [Start(handler) for handler in handlers])
        with tempfile.TemporaryDirectory() as folder:
            assert len(list(write(files, Path(folder)))) == len(files)
            for handler, closure in zip(handlers, found, strict=True):
                module = handler.rpartition(".")[0]
                read = interpreter.loaded(Path(folder, "src"), module)
                tally.add(closure, files, {f"src/{path}" for path in read} & set(files))
                seen = _seen_by_modulefinder(Path(folder, "src"), module)
                assert all(closure.through(path) is not None for path in seen if not _misleads(files))

    check()
    return tally


def _misleads(files: dict[str, str]) -> bool:
    """Whether modulefinder sees more than Python loads: it runs no condition, and takes all of a package for its star."""
    return any(text in content for content in files.values() for text in ("TYPE_CHECKING", "import *"))


def _seen_by_modulefinder(root: Path, module: str) -> set[str]:
    finder = ModuleFinder([str(root)])
    try:
        finder.import_hook(module)
    except (ImportError, AttributeError):
        return set()  # it stumbles over what it cannot find, and over what packages shadow
    files = (each.__file__ for each in finder.modules.values() if each.__file__)
    return {str(Path(file).relative_to(root.parent)) for file in files}


@pytest.mark.search
def test_no_file_that_python_loads_is_missed(interpreter: Interpreter) -> None:
    tally = _search(interpreter, 100, derandomize=True)
    assert tally.loaded > 500


@pytest.mark.soak
def test_no_file_that_python_loads_is_missed_in_a_long_search(interpreter: Interpreter) -> None:
    tally = _search(interpreter, 20_000, derandomize=False)
    sys.stdout.write(f"{tally}\n")
