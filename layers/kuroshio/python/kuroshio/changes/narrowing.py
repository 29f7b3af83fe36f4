"""Which files of a folder a unit is made of: by what its handler imports where functions share it, by what its image copies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.changes import images
from kuroshio.changes.imports.closure import Closure, Commons
from kuroshio.changes.imports.files import is_below
from kuroshio.changes.imports.graph import Closures, CodeDirectory, Language, Start
from kuroshio.changes.imports.ports import NoAnalyses
from kuroshio.changes.relations.following import followed
from kuroshio.changes.unit import Input

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.changes.imports.analysis import Analysis
    from kuroshio.changes.imports.ports import Analyses, Contents
    from kuroshio.changes.snapshot import Snapshot
    from kuroshio.changes.tree import ChangedFiles, Tree
    from kuroshio.changes.unit import Unit

_LANGUAGES = {"python": Language.PYTHON, "node": Language.SCRIPT}
# Zip packages hold the whole folder, so what nobody imports is everybody's; of bundles only these are.
_BUNDLE_COMMONS = ("package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", ".npmrc")

_NOTE = "what its handler imports and what no handler of the folder does"


@dataclass(frozen=True, eq=False)  # equal only to itself: a unit's members at the base are not those at the head
class ImportedMembers:
    """The files of a shared folder that one function is made of, in one commit. Implements ``unit.Members``."""

    closure: Closure
    commons: Commons
    tree: Tree
    bundled: bool

    def through(self, path: str) -> tuple[str, ...] | None:
        """Return the importers from ``path`` to the handler; None: the function is not made of it."""
        if path not in self.tree.entries:
            return None
        found = self.closure.through(path)
        if found is None and self._is_common(path):
            return ()
        return found

    def _is_common(self, path: str) -> bool:
        return path.rpartition("/")[2] in _BUNDLE_COMMONS if self.bundled else path in self.commons


class KeptImports:
    """Analyses of source files, kept as long as one comparison lasts: most files are the same in both commits.

    ``earlier`` may know them from earlier comparisons, and is told what is new.
    """

    def __init__(self, earlier: Analyses) -> None:
        self._earlier = earlier
        self._kept: dict[str, Analysis] = {}

    def get(self, keys: Iterable[str]) -> Mapping[str, Analysis]:
        """Return what is known of these keys."""
        keys = list(keys)
        self._kept |= self._earlier.get([key for key in keys if key not in self._kept])
        return {key: self._kept[key] for key in keys if key in self._kept}

    def put(self, analyses: Mapping[str, Analysis]) -> None:
        """Keep what was found out."""
        self._kept |= analyses
        self._earlier.put(analyses)


def narrowed(
    before: Snapshot, after: Snapshot, changes: ChangedFiles, contents: Contents, imports: Analyses | None = None
) -> tuple[Snapshot, Snapshot]:
    """Return the snapshots with each unit made of what it can be told to be made of: handlers' imports, images' copies.

    ``imports`` may know source files from earlier comparisons.
    """
    if not len(changes):
        return before, after
    before, after = _with_relations(before, after, contents)
    before, after = _handlers(before, after, changes, contents, imports or NoAnalyses())
    said = (before.settings, after.settings)
    old, new = (_with(side, images.narrowed(side, changes.folders, contents, said)) for side in (before, after))
    return old, new


def explained(side: Snapshot, contents: Contents) -> Snapshot:
    """Return the snapshot with each image made of what its Dockerfile copies, each build with what it reads besides."""
    side = _with(side, followed(side, contents, {}))
    return _with(side, images.narrowed(side, None, contents, (side.settings,)))


def _with(side: Snapshot, units: Mapping[str, Unit]) -> Snapshot:
    return replace(side, narrowed={**side.narrowed, **units}) if units else side


def _with_relations(before: Snapshot, after: Snapshot, contents: Contents) -> tuple[Snapshot, Snapshot]:
    kept: dict[str, str | None] = {}
    return _with(before, followed(before, contents, kept)), _with(after, followed(after, contents, kept))


def _handlers(
    before: Snapshot, after: Snapshot, changes: ChangedFiles, contents: Contents, imports: Analyses
) -> tuple[Snapshot, Snapshot]:
    """Return the snapshots with each function of a shared folder made of what its handler imports.

    Only folders that a change concerns are read.
    """
    sides = [_groups(side, changes.folders) for side in ((before,) if before.units is after.units else (before, after))]
    wanted = {key for side in sides for key, group in side.items() if len(group) > 1}
    if len(sides) == 1:
        sides *= 2
    kept = KeptImports(imports)
    old, new = (
        _narrow(side, {key: groups[key] for key in wanted if key in groups}, contents, kept)
        for side, groups in zip((before, after), sides, strict=True)
    )
    return old, new


def _groups(side: Snapshot, touched: frozenset[str]) -> dict[CodeDirectory, list[tuple[Unit, Input]]]:
    groups: dict[CodeDirectory, list[tuple[Unit, Input]]] = {}
    for unit in side.units.values():
        code = unit.definition.code
        if code is None or code.language not in _LANGUAGES or not code.shows_its_imports:
            continue
        for each in unit.inputs:
            is_touched = each.path in touched or bool(code.entry_points)
            if is_touched and each.through in ("CodeUri", "Code") and side.tree.has_folder(each.path):
                directory = CodeDirectory(each.path, _LANGUAGES[code.language], bundled=bool(code.entry_points))
                groups.setdefault(directory, []).append((unit, each))
                break
    return groups


def _narrow(
    side: Snapshot, groups: dict[CodeDirectory, list[tuple[Unit, Input]]], contents: Contents, kept: KeptImports
) -> Snapshot:
    if not groups:
        return side
    closures = Closures(side.tree.entries, contents, kept, special=side.tree.special)
    units: dict[str, Unit] = {}
    for directory, group in groups.items():
        codes = [unit.definition.code for unit, _ in group]
        starts = [Start(code.handler, code.entry_points) for code in codes if code]
        found = closures.of(directory, starts)
        commons = Commons.of(found, found[0].suffixes)
        for (unit, each), closure in zip(group, found, strict=True):
            members = ImportedMembers(closure, commons, side.tree, directory.bundled)
            units[unit.id] = _made_of(unit, each, members)
    return replace(side, narrowed=units)


def _made_of(unit: Unit, whole: Input, members: ImportedMembers) -> Unit:
    closure = members.closure
    files = sorted({*closure.files, *closure.manifests})
    folders = sorted({widening.span.folder for widening in closure.widenings})
    outside = [path for path in (*files, *folders) if path != whole.path and not is_below(path, whole.path)]
    inputs = [replace(each, members=members, note=_NOTE) if each == whole else each for each in unit.inputs]
    return replace(unit, inputs=(*inputs, *(Input(path, whole.through) for path in outside)))
