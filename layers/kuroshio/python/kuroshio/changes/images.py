"""Images: which files of its context a unit is made of, by what its Dockerfile can copy.

Only where that is sure. Whatever is not understood, a source that is not in the tree, a link on the way to one, or a base
image that may copy on its own (``dockerfile.bases``) leaves the whole context, and says why.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from kuroshio.changes import dockerignore
from kuroshio.changes.dockerfile import bases, patterns
from kuroshio.changes.dockerfile.lines import MAX_BYTES, NotUnderstood
from kuroshio.changes.dockerfile.stages import Reading, Stages, parsed, reading
from kuroshio.changes.tree import SYMLINK
from kuroshio.changes.unit import Image, Input, Packaging
from kuroshio.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from kuroshio.changes.imports.ports import Contents
    from kuroshio.changes.settings import Settings
    from kuroshio.changes.snapshot import Snapshot
    from kuroshio.changes.tree import Tree
    from kuroshio.changes.unit import Unit

_SHOWN = 6
# They keep an empty folder in git: what the folder is there for is made before the build.
_KEEPERS = frozenset({".gitkeep", ".keep", ".gitignore", ".dockerignore"})


@dataclass(frozen=True, eq=False)  # equal only to itself: a unit's context at the base is not that at the head
class CopiedMembers:
    """The files of a build context that one image is made of, in one commit. Implements ``unit.Members``.

    ``sources`` None: all of it. ``ignored``: the rules of each ignore file that a builder may go by; what all of them
    leave out is left out.
    """

    context: str
    dockerfile: str
    sources: tuple[tuple[str, ...], ...] | None
    ignored: tuple[tuple[str, ...], ...]
    tree: Tree

    def through(self, path: str) -> tuple[str, ...] | None:
        """Return the Dockerfile that copies ``path``; None: the image is not made of it."""
        entry = self.tree.entries.get(path)
        if entry is None:
            return None
        within = path[len(self.context) :].lstrip("/")
        if self.ignored and all(dockerignore.excludes(rules, within) for rules in self.ignored):
            return None
        if self.sources is None:
            return ()
        parts = tuple(within.split("/"))
        # A link or submodule on the way to a source is part of it as well.
        near = [each for each in self.sources if len(parts) >= len(each) or not entry.is_file]
        return (self.dockerfile,) if any(patterns.touches(each, parts) for each in near) else None


@dataclass(frozen=True)
class _Place:
    """Where one unit's image is built."""

    unit: Unit
    context: Input
    dockerfile: str


def narrowed(
    side: Snapshot, folders: Collection[str] | None, contents: Contents, said: Iterable[Settings]
) -> Mapping[str, Unit]:
    """Return the image units of a snapshot that more is known of than that they are made of their contexts.

    ``folders`` are those that changes lie in: only contexts among them are read; None: all. A base image is believed to
    have no triggers when all that is ``said`` allows it.
    """
    places = list(_places(side, folders))
    if not places:
        return {}
    oids = {place.dockerfile: side.tree.entries[place.dockerfile].oid for place in places}
    blobs = dict(contents.blobs(sorted(set(oids.values())), MAX_BYTES))
    contexts = _Contexts(side.tree, tuple(said))
    units: dict[str, Unit] = {}
    known: dict[tuple[str, str, Image | None], Input] = {}
    for place in places:
        image = place.unit.definition.image
        key = (place.context.path, place.dockerfile, image)
        if key not in known:
            blob = blobs[oids[place.dockerfile]]
            known[key] = contexts.narrow(place, blob.content if blob.is_whole else None, image, _rules(side, place))
        if known[key] != place.context:
            units[place.unit.id] = _with(place, known[key], side.tree)
    return units


def _places(side: Snapshot, folders: Collection[str] | None) -> Iterator[_Place]:
    for unit in side.units.values():
        if unit.definition.packaging is not Packaging.IMAGE or unit.definition.image is None:
            continue
        context = next((each for each in unit.inputs if _is_context(each, side.tree)), None)
        dockerfile = next((each.path for each in unit.inputs if each.through == "Dockerfile"), "")
        if context is None or (folders is not None and context.path not in folders):
            continue
        entry = side.tree.entries.get(dockerfile)
        if entry is not None and entry.is_file:
            yield _Place(unit, context, dockerfile)


def _is_context(each: Input, tree: Tree) -> bool:
    return each.through == "DockerContext" and not each.canonical and tree.has_folder(each.path)


def _rules(side: Snapshot, place: _Place) -> tuple[tuple[str, ...], ...]:
    """Return the rules of each ignore file: SAM CLI goes by the context's, BuildKit by the Dockerfile's own if there is one."""
    entry = side.tree.entries.get(f"{place.dockerfile}.dockerignore")
    if entry is None:
        return (place.context.excluded,) if place.context.excluded else ()
    try:
        own = dockerignore.patterns(side.contents[entry.oid]) if entry.is_file and entry.oid in side.contents else ()
    except LimitExceeded:
        own = ()
    return (place.context.excluded, own)


def _with(place: _Place, context: Input, tree: Tree) -> Unit:
    inputs = [context if each == place.context else each for each in place.unit.inputs]
    own = f"{place.dockerfile}.dockerignore"
    if own in tree.entries:
        inputs.append(Input(own, "Dockerfile", canonical=True))
    return replace(place.unit, inputs=tuple(inputs))


class _Contexts:
    """The build contexts of one commit."""

    def __init__(self, tree: Tree, said: tuple[Settings, ...]) -> None:
        self._tree = tree
        self._said = said
        self._parsed: dict[tuple[bytes, object], Stages | NotUnderstood] = {}

    def narrow(
        self, place: _Place, content: bytes | None, image: Image | None, ignored: tuple[tuple[str, ...], ...]
    ) -> Input:
        """Return the context with the members that its Dockerfile copies, or with the reason why all of it counts."""
        context = place.context
        sources: tuple[tuple[str, ...], ...] | None = None
        try:
            taken = self._read(content, image)
            found = tuple(dict.fromkeys(each.parts for each in taken.sources))
            if () in found:
                note = f"all of it: {place.dockerfile} copies the whole context"
            else:
                self._check(context.path, taken)
                sources = found
                note = f"what {place.dockerfile} copies: {_listed(found)}"
        except NotUnderstood as error:
            note = f"all of it: {place.dockerfile}, {error}"
        if sources is None and len(ignored) < 2:  # noqa: PLR2004 - no ignore file of the Dockerfile's own
            return replace(context, note=note)
        members = CopiedMembers(context.path, place.dockerfile, sources, ignored, self._tree)
        return replace(context, note=note, members=members)

    def _read(self, content: bytes | None, image: Image | None) -> Reading:
        if content is None:
            raise NotUnderstood(f"it has more than {MAX_BYTES:,} bytes")
        if image is None or image.extra:
            raise NotUnderstood("DockerBuildExtraParams tell the builder more than is followed")
        found = reading(self._stages(content, image), image.target)
        for base in found.bases:
            if not all(bases.is_without_triggers(base, each.without_onbuild) for each in self._said):
                raise NotUnderstood(
                    f"its base image {base[:120]} may have ONBUILD triggers; if not, name it in kuroshio.yaml: "
                    "images.without-onbuild"
                )
        return found

    def _stages(self, content: bytes, image: Image) -> Stages:
        key = (content, image.args)
        if key not in self._parsed:
            try:
                self._parsed[key] = parsed(content, None if image.args is None else dict(image.args))
            except NotUnderstood as error:
                self._parsed[key] = error
        found = self._parsed[key]
        if isinstance(found, NotUnderstood):
            raise found
        return found

    def _check(self, context: str, taken: Reading) -> None:
        """Refuse sources that links lead to, and those of which nothing is in git: a step before the build makes them."""
        links = list(self._links(context))
        for each in taken.sources:
            shown = "/".join(each.parts)[:80]
            for link in links:
                if len(link) <= len(each.parts) and patterns.touches(each.parts, link):
                    raise NotUnderstood(
                        f"line {each.line}: {shown} is, or leads through, the symbolic link {'/'.join(link)}"
                    )
            if not self._has(context, each.parts):
                raise NotUnderstood(f"line {each.line}: nothing that is {shown} is in the repository (built before?)")

    def _links(self, context: str) -> Iterator[tuple[str, ...]]:
        prefix = f"{context}/" if context else ""
        for path, entry in self._tree.notable.items():
            if entry.mode == SYMLINK and path.startswith(prefix):
                yield tuple(path[len(prefix) :].split("/"))

    def _has(self, context: str, source: tuple[str, ...]) -> bool:
        """Whether the tree holds a file that the source names, other than one that keeps a folder."""
        prefix = f"{context}/" if context else ""
        folder = prefix + "/".join(patterns.literal(source))
        for path in _below(self._tree, folder):
            parts = tuple(path[len(prefix) :].split("/"))
            is_kept = parts[-1] in _KEEPERS and len(parts) > len(source)
            if len(parts) >= len(source) and not is_kept and patterns.touches(source, parts):
                return True
        return self._tree.submodule_above(folder) != ""


def _below(tree: Tree, folder: str) -> Iterator[str]:
    """Yield the path itself and all below it. The whole tree lies below ""."""
    if folder in tree.entries:
        yield folder
    prefix = folder if not folder or folder.endswith("/") else f"{folder}/"
    for path in islice(tree.paths, bisect_left(tree.paths, prefix), None):
        if not path.startswith(prefix):
            return
        yield path


def _listed(sources: tuple[tuple[str, ...], ...]) -> str:
    names = ["/".join(parts) for parts in sources]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more if names else "nothing of it"
