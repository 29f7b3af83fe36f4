"""Give units what their builds read besides their source folders."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kuroshio.changes.manifests import Manifests
from kuroshio.changes.relations import gradle, maven
from kuroshio.changes.relations.files import Relation, Texts, upwards, within
from kuroshio.changes.relations.makefile import NAME, Makefiles
from kuroshio.changes.unit import Input

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.imports.ports import Contents
    from kuroshio.changes.snapshot import Snapshot
    from kuroshio.changes.unit import Definition, Unit

UNKNOWN = "build-unknown"
_FOLDERS = ("CodeUri", "Code", "ContentUri", "Content", "ProjectRootDirectory", "WorkingDirectory", "ContextPath")
_OPEN = "{}; what it is built from is not known: name it in kuroshio.yaml as its inputs"


def followed(side: Snapshot, contents: Contents, kept: dict[str, str | None]) -> Mapping[str, Unit]:
    """Return the units whose builds read more than their source folders, with all that is read as inputs.

    Nothing is read where no unit is built by Gradle, Maven or make. ``kept`` remembers files between two commits.
    """
    candidates = [unit for unit in side.units.values() if is_followed(unit.definition)]
    if not candidates:
        return {}
    following = _Following(side, Texts(side.tree, contents, kept))
    found = {unit.id: following.of(unit) for unit in candidates}
    return {name: unit for name, unit in found.items() if unit is not side.units[name]}


def is_followed(definition: Definition) -> bool:
    """Whether the unit's build may read more than its source folders."""
    return _is_java(definition) or definition.method == "makefile"


def _is_java(definition: Definition) -> bool:
    return definition.code is not None and definition.code.language == "java"


class _Following:
    """Follows the builds of one commit; each project is followed once."""

    def __init__(self, side: Snapshot, texts: Texts) -> None:
        self._side = side
        self._texts = texts
        self._gradle = gradle.Gradle(texts)
        self._maven = maven.Maven(texts)
        self._makefiles = Makefiles(texts)
        self._manifests = Manifests(side.tree)
        self._known: dict[str, list[Relation]] = {}

    def of(self, unit: Unit) -> Unit:
        relations: list[Relation] = []
        doubts = list(unit.doubts)
        if _is_java(unit.definition):
            for folder in dict.fromkeys(each.path for each in unit.inputs if self._texts.tree.has_folder(each.path)):
                relations += self._of_project(folder)
        if unit.definition.method == "makefile":
            found, doubt = self._of_makefile(unit)
            relations += found
            told = self._side.settings.of(unit.id)
            if doubt and not any(each.inputs or each.source for each in told):
                doubts.append((UNKNOWN, _OPEN.format(doubt)))
        known = {each.path for each in unit.inputs}
        inputs = [Input(each.path, each.through, note=each.note) for each in relations if each.path not in known]
        if not inputs and len(doubts) == len(unit.doubts):
            return unit
        return replace(unit, inputs=tuple(dict.fromkeys((*unit.inputs, *inputs))), doubts=tuple(doubts))

    def _of_project(self, folder: str) -> list[Relation]:
        project = next((above for above in upwards(folder) if self._is_project(above)), None)
        if project is None:
            return []
        if project not in self._known:
            found = [*self._gradle.relations(project), *self._maven.relations(project)]
            above = [
                Relation(path, each.through)
                for each in found
                if self._texts.tree.has_folder(each.path)
                for path in self._manifests.shared(each.path, "java")
            ]
            self._known[project] = [*found, *above]
        return self._known[project]

    def _is_project(self, folder: str) -> bool:
        return any(within(folder, name) in self._texts.tree.entries for name in (*gradle.SCRIPTS, maven.POM))

    def _of_makefile(self, unit: Unit) -> tuple[list[Relation], str]:
        folders = {each.through: each.path for each in unit.inputs if each.through in _FOLDERS}
        places = [folders[name] for name in _FOLDERS if name in folders]
        if not places:
            return [], ""
        path = within(folders.get("ContextPath", places[0]), NAME)
        return self._makefiles.relations(path, f"build-{unit.definition.logical_id}", places)
