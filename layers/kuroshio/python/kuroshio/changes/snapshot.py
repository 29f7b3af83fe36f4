"""The units of one commit: what its templates define, placed in its tree."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from kuroshio.changes import dockerignore, paths
from kuroshio.changes.analysis import Doubt
from kuroshio.changes.manifests import Manifests
from kuroshio.changes.settings import NO_SETTINGS, Settings
from kuroshio.changes.tree import SYMLINK
from kuroshio.changes.unit import Definition, Input, Source, Unit, unit_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kuroshio.changes.analysis import Analysis
    from kuroshio.changes.tree import Tree

    _Given = Mapping[
        str, tuple[tuple[str, str], ...]
    ]  # by parameter: the parts that its value is made of, with digests

OUTSIDE = "source-outside-tree"
MISSING = "source-not-in-tree"
UNKNOWN = "source-unknown"
LINK_OUTSIDE = "symlink-leaves-tree"
LINK_DANGLES = "symlink-dangles"


@dataclass(frozen=True)
class Snapshot:
    """One commit as detection sees it.

    ``contents`` holds symbolic links and .dockerignore files, by blob id. ``templates`` holds kuroshio.yaml too, whose
    services are units. ``narrowed`` are units of which more is known than their templates and the tree say. ``at_rest``
    are templates that were left out, with their units: a comparison with the other commit has no use for them.
    """

    tree: Tree
    templates: Mapping[str, Analysis]
    contents: Mapping[str, bytes] = field(default_factory=dict)
    settings: Settings = NO_SETTINGS
    narrowed: Mapping[str, Unit] = field(default_factory=dict)
    placed: Mapping[str, Unit] | None = None  # the units, where they are known already
    at_rest: frozenset[str] = frozenset()

    @cached_property
    def units(self) -> Mapping[str, Unit]:
        """All units by id."""
        if self.placed is not None:
            return self.placed if not self.narrowed else {**self.placed, **self.narrowed}
        units = (self._placed(path, unit) for path, template in self.templates.items() for unit in template.units)
        return {unit.id: unit for unit in units} | {**self.narrowed}

    @cached_property
    def infrastructure(self) -> frozenset[Input]:
        """The files that resources other than units are made of."""
        sources = ((path, source) for path, template in self.templates.items() for source in template.files)
        return frozenset(found for path, source in sources for found in self._find(path, source)[0])

    @cached_property
    def lost(self) -> Mapping[str, tuple[Doubt, ...]]:
        """The nested templates that are not in the tree, by the template that nests them: their units cannot be seen."""
        lost: dict[str, list[Doubt]] = {}
        for path, template in self.templates.items():
            for nested in template.nested:
                doubt = None if nested.source.doubt else self._find(path, nested.source)[1]
                if doubt:
                    message = f"{nested.logical_id} nests a template that cannot be seen: {doubt[1]}"
                    lost.setdefault(path, []).append(Doubt("nested-not-in-tree", message))
        return {path: tuple(doubts) for path, doubts in lost.items()}

    @cached_property
    def _parents(self) -> Mapping[str, list[tuple[str, _Given]]]:
        """The templates that nest each template, with what they give to it; under "" those that nest one unknown: any."""
        parents: dict[str, list[tuple[str, _Given]]] = {}
        for path, template in self.templates.items():
            for nested in template.nested:
                given = dict(nested.given)
                if nested.source.doubt:
                    parents.setdefault("", []).append((path, given))
                for each in self._find(path, nested.source)[0]:
                    parents.setdefault(each.path, []).append((path, given))
        return parents

    def _given(self, template: str, parts: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
        """Yield what the values of these parts' parameters are made of, in all templates above, at any distance."""
        waiting = [(template, part) for part, _ in parts] if self._parents else []
        seen = set()
        while waiting:
            at, part = waiting.pop()
            section, _, parameter = part.partition(".")
            if section != "Parameters" or (at, part) in seen:
                continue
            seen.add((at, part))
            for parent, given in (*self._parents.get(at, ()), *self._parents.get("", ())):
                found = given.get(parameter, ())
                waiting += [(parent, name) for name, _ in found]
                yield from ((parent, name, digest) for name, digest in found)

    @cached_property
    def _links(self) -> Mapping[str, str]:
        return {
            path: self.contents[entry.oid].decode("utf-8", "surrogateescape")
            for path, entry in self.tree.notable.items()
            if entry.mode == SYMLINK and entry.oid in self.contents
        }

    @cached_property
    def _sorted_links(self) -> list[str]:
        return sorted(self._links)

    def _placed(self, template: str, definition: Definition) -> Unit:
        inputs: list[Input] = []
        doubts: list[tuple[str, str]] = []
        settings = self.settings.of(unit_id(template, definition.logical_id))
        is_told = any(each.source for each in settings)
        told = [source for each in settings for source in (*each.source, *each.inputs)]
        for at, source in [*((template, source) for source in definition.sources), *(("", source) for source in told)]:
            found, doubt = self._find(at, source)
            inputs += found
            doubts += [doubt] if doubt and not (at and is_told) else []
            for each in found if self._links and not source.docker_context else ():  # Docker sends links as links
                for linked, link_doubt in self._linked(each):
                    inputs += linked
                    doubts += [link_doubt] if link_doubt else []
        inputs += self._manifests(definition, inputs)
        given = frozenset(self._given(template, definition.parts))
        return Unit(template, definition, tuple(dict.fromkeys(inputs)), tuple(dict.fromkeys(doubts)), given)

    def _manifests(self, definition: Definition, inputs: list[Input]) -> list[Input]:
        """Return the build manifests above the unit's source folders."""
        code = definition.code
        if code is None:
            return []
        folders = dict.fromkeys(each.path for each in inputs if self._is_folder(each.path))
        above = dict.fromkeys(at for folder in folders for at in self._shared.shared(folder, code.language))
        found = dict.fromkeys(place for at in above for place in (at, *self._behind(at)))
        return [Input(at, code.decided_by) for at in found]

    def _behind(self, path: str) -> tuple[str, ...]:
        """Return what a path leads to where it is a link, and the links on the way."""
        at, followed = paths.resolve(path, self._links)
        return followed if at is None or not followed else (*followed, at)

    def _is_folder(self, path: str) -> bool:
        return path in self.tree.submodules or self.tree.has_folder(path)

    @cached_property
    def _shared(self) -> Manifests:
        return Manifests(self.tree)

    def _find(self, template: str, source: Source) -> tuple[list[Input], tuple[str, str] | None]:
        """Return the inputs that a source means, and what cannot be known about it."""
        if source.doubt:
            return [], (UNKNOWN, f"{source.doubt}; what it is made of is not known")
        location = paths.join(paths.parent(template), source.location)
        if location is None:
            return [], (OUTSIDE, f"its {source.through} {source.location} lies outside the repository")
        at, links = paths.resolve(location, self._links)
        followed = [Input(link, source.through) for link in links]
        if at is None:
            return followed, (LINK_OUTSIDE, f"its {source.through} {location} leads out of the repository by a link")
        submodule = self.tree.submodule_above(at)
        if submodule:
            return [*followed, Input(submodule, source.through)], None
        # Stays an input even where nothing lies there: a file that disappears from it is a change of the unit.
        found = Input(at, source.through, self._excluded(at) if source.docker_context else (), source.canonical)
        if source.docker_context:  # it may leave itself out, and still decides what the context is
            followed.append(Input(f"{at}/.dockerignore".lstrip("/"), source.through, canonical=True))
        if not (self.tree.has_folder(at) or self.tree.has_file(at)):
            message = f"its {source.through} {at} is not in the repository (built before the deployment?)"
            return [*followed, found], (MISSING, message)
        return [*followed, found], None

    def _excluded(self, context: str) -> tuple[str, ...]:
        entry = self.tree.entries.get(f"{context}/.dockerignore".lstrip("/"))
        if entry is None or not entry.is_file or entry.oid not in self.contents:
            return ()
        return dockerignore.patterns(self.contents[entry.oid])

    def _linked(self, start: Input) -> Iterator[tuple[list[Input], tuple[str, str] | None]]:
        """Follow the links inside an input, and those inside what they lead to."""
        seen, waiting = {start.path}, [start]
        while waiting:
            for link in self._links_below(waiting.pop()):
                at, followed = paths.resolve(link, self._links)
                # The links on the way may lie outside of all inputs, and decide where it leads.
                yield [Input(each, start.through) for each in followed if each != link], None
                at = at and (self.tree.submodule_above(at) or at)
                if at is None:
                    yield [], (LINK_OUTSIDE, f"the link {link} among its inputs leads out of the repository")
                elif at not in seen:
                    seen.add(at)
                    target = Input(at, start.through)
                    waiting.append(target)
                    dangles = not (self.tree.has_folder(at) or self.tree.has_file(at))
                    message = f"the link {link} among its inputs leads to {at}, which is not in the repository"
                    yield [target], (LINK_DANGLES, message) if dangles else None

    def _links_below(self, start: Input) -> Iterator[str]:
        prefix = f"{start.path}/" if start.path else ""
        for link in islice(self._sorted_links, bisect_left(self._sorted_links, prefix), None):
            if not link.startswith(prefix):
                return
            if not dockerignore.excludes(start.excluded, link[len(prefix) :]):
                yield link
