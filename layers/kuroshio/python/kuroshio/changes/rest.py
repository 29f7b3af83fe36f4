"""Which templates need no look: those that stay as they are, and whose units nothing that differs can concern.

Such a template is at rest. It says the same at both commits; each place that it names is in the tree; nothing in these places
differs, nor leads out of them, nor do the build manifests above them; and there is nothing else to its units (``reach``). So
all of its units are made of the same files at both commits, without a doubt: it adds nothing to a plan. In a large
repository nearly all templates are at rest, and telling so costs a fraction of reading what they define.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes import manifests, paths
from kuroshio.changes.relations.following import is_followed
from kuroshio.changes.tree import folders_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.changes.analysis import Analysis
    from kuroshio.changes.tree import ChangedFiles, Tree
    from kuroshio.changes.unit import Definition


@dataclass(frozen=True)
class Reach:
    """The places that a template names, relative to its folder: of its units' sources, and of other resources' files.

    ``is_open``: more than these may decide what its units are, or it leaves something in doubt.
    """

    is_open: bool
    locations: tuple[str, ...] = ()


def reach(analysis: Analysis) -> Reach:
    """Return where the units of a template may be met."""
    sources = [*analysis.files, *(source for unit in analysis.units for source in unit.sources)]
    is_open = (
        bool(analysis.doubts or analysis.nested)
        or any(source.doubt for source in sources)
        or any(_looks_around(unit) for unit in analysis.units)
    )
    return Reach(is_open) if is_open else Reach(is_open, tuple(dict.fromkeys(source.location for source in sources)))


def _looks_around(unit: Definition) -> bool:
    """Whether files count of which neither the unit's sources nor their place in the tree tell."""
    return is_followed(unit) or (unit.code is not None and bool(unit.code.entry_points))


def at_rest(templates: Mapping[str, Reach], changes: ChangedFiles, after: Tree) -> frozenset[str]:
    """Return those of the templates, given by path, that are at rest."""
    surroundings = _Surroundings(changes, after)
    return frozenset(
        path
        for path, found in templates.items()
        if not found.is_open and changes.get(path) is None and surroundings.are_calm(path, found.locations)
    )


class _Surroundings:
    """What may disturb a place: what differs, and what decides there what other paths mean, though it stays.

    Of what lies above a place that is in the tree, build manifests alone count: the rest are folders, and where one of them was
    something else, a link or a submodule, all that is below it is new.
    """

    def __init__(self, changes: ChangedFiles, after: Tree) -> None:
        self._tree = after
        self._disturbed = changes.folders | folders_of(after.pointers.keys())
        disturbing = (*(change.path for change in changes), *after.pointers)
        self._shared = {paths.parent(path) for path in disturbing if path.rpartition("/")[2] in manifests.NAMES}

    def are_calm(self, template: str, locations: Iterable[str]) -> bool:
        """Whether all of the template's places are in the tree, and none is disturbed."""
        folder = paths.parent(template)
        return all(self._is_calm(paths.join(folder, location)) for location in locations)

    def _is_calm(self, place: str | None) -> bool:
        if place is None or place in self._disturbed or not self._tree.has(place):
            return False
        return not self._shared or self._shared.isdisjoint(paths.above(place))
