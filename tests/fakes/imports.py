"""Closures of trees that a test writes down, and random trees whose imports a real interpreter or bundler can judge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.imports.graph import Closures, CodeDirectory, Language, Start
from tests.fakes.repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.changes.imports.analysis import Analysis
    from kuroshio.changes.imports.closure import Closure
    from kuroshio.changes.imports.ports import Analyses
    from tests.fakes.repository import Files


class KeptAnalyses:
    """Keeps analyses as JSON, as a store would."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def get(self, keys: Iterable[str]) -> Mapping[str, Analysis]:
        from kuroshio.changes.imports.analysis import Analysis

        return {key: Analysis.from_json(self.kept[key]) for key in keys if key in self.kept}

    def put(self, analyses: Mapping[str, Analysis]) -> None:
        self.kept.update((key, analysis.to_json()) for key, analysis in analyses.items())


def closures(
    files: Files, directory: CodeDirectory, starts: list[Start], analyses: Analyses | None = None
) -> list[Closure]:
    repository = MemoryRepository()
    tree = repository.tree(repository.make_commit(files))
    return Closures(tree.entries, repository, analyses).of(directory, starts)


def python(files: Files, handler: str, root: str = "src", search: tuple[str, ...] = ()) -> Closure:
    return closures(files, CodeDirectory(root, Language.PYTHON, search), [Start(handler)])[0]


def bundle(files: Files, *entry_points: str, root: str = "src") -> Closure:
    directory = CodeDirectory(root, Language.SCRIPT, bundled=True)
    return closures(files, directory, [Start(entry_points=entry_points)])[0]


def node(files: Files, handler: str, root: str = "src") -> Closure:
    return closures(files, CodeDirectory(root, Language.SCRIPT), [Start(handler)])[0]


@dataclass
class Tally:
    """How a search went. A file is flagged without need when nothing that was really loaded asked for it."""

    cases: int = 0
    loaded: int = 0
    exact: int = 0  # cases that were not widened
    flagged: int = 0
    needless: int = 0
    needless_when_exact: int = 0
    flagged_when_exact: int = 0

    def add(self, closure: Closure, paths: Iterable[str], loaded: set[str]) -> None:
        flagged = {path for path in paths if closure.through(path) is not None}
        assert loaded <= flagged, f"missed {sorted(loaded - flagged)}"
        self.cases += 1
        self.loaded += len(loaded)
        self.flagged += len(flagged)
        self.needless += len(flagged - loaded)
        if not closure.unknown:
            self.exact += 1
            self.flagged_when_exact += len(flagged)
            self.needless_when_exact += len(flagged - loaded)

    def __str__(self) -> str:
        return (
            f"{self.cases} cases, {self.loaded} files loaded, 0 missed; {self.needless} of {self.flagged} flagged "
            f"without need ({_share(self.needless, self.flagged)}); {self.exact} cases not widened: "
            f"{self.needless_when_exact} of {self.flagged_when_exact} "
            f"({_share(self.needless_when_exact, self.flagged_when_exact)})"
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.1f} %"
