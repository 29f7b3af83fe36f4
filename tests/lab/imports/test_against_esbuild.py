"""What esbuild bundles is in the closure, whatever the code and its configuration look like."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from kuroshio.changes.imports.graph import CodeDirectory, Language, Start
from tests.fakes.imports import Tally, closures
from tests.fakes.python_trees import write
from tests.fakes.script_trees import Esbuild, installed, trees

SRC = CodeDirectory("src", Language.SCRIPT, bundled=True)


@pytest.fixture(scope="module")
def esbuild() -> Esbuild:
    return Esbuild(installed())


def _search(esbuild: Esbuild, cases: int, *, derandomize: bool) -> tuple[Tally, set[str]]:
    tally = Tally()
    reasons: set[str] = set()

    @settings(
        max_examples=cases,
        derandomize=derandomize,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(trees())
    def check(case: tuple[dict[str, str], list[str]]) -> None:
        files, entries = case
        bundled = _bundled(esbuild, files, entries)
        found = closures(files, SRC, [Start(entry_points=(entry,)) for entry in entries])
        for entry, closure in zip(entries, found, strict=True):
            if entry in bundled:
                modules = [path for path in files if not path.endswith("json")]
                tally.add(closure, modules, bundled[entry] & set(modules))
                reasons.update(closure.unknown)

    check()
    return tally, reasons


def _bundled(esbuild: Esbuild, files: dict[str, str], entries: list[str]) -> dict[str, set[str]]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        assert len(list(write(files, root))) == len(files)
        (root / "node_modules/@acme").mkdir(parents=True)
        (root / "node_modules/@acme/shop").symlink_to("../../packages/shop")
        return esbuild.inputs(root, entries)[0]


def test_no_file_that_esbuild_bundles_is_missed(esbuild: Esbuild) -> None:
    tally, reasons = _search(esbuild, 150, derandomize=True)
    assert tally.cases > 100
    assert all("computed" in reason for reason in reasons), "widened for code that says all"


@pytest.mark.soak
def test_no_file_that_esbuild_bundles_is_missed_in_a_long_search(esbuild: Esbuild) -> None:
    tally, _ = _search(esbuild, 20_000, derandomize=False)
    sys.stdout.write(f"{tally}\n")
