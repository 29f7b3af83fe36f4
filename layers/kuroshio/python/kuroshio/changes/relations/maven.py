"""Maven: the modules of this repository that a module is built from: parents, dependencies, plugins.

Sources: Maven's POM reference (inheritance, ``relativePath``, dependencies) and its guide to multiple modules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING
from xml.parsers import expat

from kuroshio.changes.paths import join, parent
from kuroshio.changes.relations.files import MAX_PROJECTS, Relation, upwards, within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.relations.files import Texts

POM = "pom.xml"
_COMPUTED = "all of it: {} computes what it is built from"
_USES = frozenset({"dependency", "plugin", "extension"})
_NAMED = frozenset({"groupId", "artifactId", "scope", "relativePath"})


class _Refused(Exception):  # noqa: N818 - caught where the POM is read
    """A POM that is no plain XML."""


@dataclass
class _Pom:
    """What one POM says. ``uses``: group and artifact of each dependency, plugin or extension."""

    group: str = ""
    artifact: str = ""
    parent: dict[str, str] | None = None
    uses: list[tuple[str, str]] = field(default_factory=list)
    is_readable: bool = True


class Maven:
    """The Maven modules of one commit."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    @cached_property
    def _poms(self) -> dict[str, _Pom]:
        paths = [path for path in self._texts.tree.entries if path == POM or path.endswith(f"/{POM}")]
        self._texts.load(paths)
        return {path: _read(self._texts.get(path)) for path in paths}

    @cached_property
    def _modules(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, pom in self._poms.items():
            found.setdefault(pom.artifact, []).append(path)
        return found

    def relations(self, folder: str) -> list[Relation]:
        """Return what the module in ``folder`` is built from besides; nothing where no module lies there."""
        start = within(folder, POM)
        if start not in self._poms:
            return []
        found: dict[str, Relation] = {}
        waiting, seen = [start], {start}
        while waiting and len(seen) < MAX_PROJECTS:
            pom = waiting.pop()
            for at, each in self._of_pom(pom, folder):
                found.setdefault(each.path, each)
                if at and at not in seen:
                    seen.add(at)
                    waiting.append(at)
        found.pop(folder, None)
        return list(found.values())

    def _of_pom(self, path: str, start: str) -> Iterator[tuple[str, Relation]]:
        """Yield relations, each with the POM that they lead on to."""
        pom = self._poms[path]
        if not pom.is_readable or any("${" in artifact for _, artifact in pom.uses):
            yield "", Relation(self._root(start), path, _COMPUTED.format(path))
        if pom.parent is not None:
            for above in self._parents(path, pom.parent):
                yield above, Relation(above, path)
        for group, artifact in pom.uses:
            for module in self._modules.get(artifact, ()):
                if module != path and self._may_be(group, self._group(module)):
                    yield module, Relation(parent(module), path)

    def _parents(self, path: str, said: dict[str, str]) -> list[str]:
        location = join(parent(path), said.get("relativePath", "../pom.xml") or "../pom.xml")
        for candidate in (location, within(location or "", POM)):
            if candidate in self._poms and self._poms[candidate].artifact == said.get("artifactId"):
                return [candidate]
        return [each for each in self._modules.get(said.get("artifactId", ""), ()) if each != path]

    def _group(self, path: str) -> str:
        pom = self._poms[path]
        return pom.group or (pom.parent or {}).get("groupId", "")

    @staticmethod
    def _may_be(said: str, known: str) -> bool:
        return said == known or "${" in said or "${" in known or not said

    def _root(self, folder: str) -> str:
        return [above for above in upwards(folder) if within(above, POM) in self._poms][-1]


def _read(text: str | None) -> _Pom:
    if text is None:
        return _Pom(is_readable=False)
    try:
        return _Reader(text).pom
    except (expat.ExpatError, _Refused, ValueError):
        return _Pom(is_readable=False)


class _Reader:
    """Reads a POM by events; nothing is expanded, and no other file is opened."""

    def __init__(self, text: str) -> None:
        self.pom = _Pom()
        self._open: list[str] = []
        self._said: list[dict[str, str]] = []
        self._text = ""
        parser = expat.ParserCreate("utf-8")  # whatever the file says: it was decoded already
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take
        parser.StartDoctypeDeclHandler = self._refuse
        parser.Parse(text.encode("utf-8", "replace"), True)

    def _begin(self, name: str, _: dict[str, str]) -> None:
        self._open.append(name.rpartition(":")[2])
        self._said.append({})
        self._text = ""

    def _take(self, text: str) -> None:
        self._text += text

    def _refuse(self, *_: object) -> None:
        raise _Refused

    def _end(self, _: str) -> None:
        name, said = self._open.pop(), self._said.pop()
        above = self._open[-1] if self._open else ""
        if name in _NAMED and self._said:
            self._said[-1][name] = self._text.strip()
        elif name in _USES and said.get("scope") != "test":
            self.pom.uses.append((said.get("groupId", ""), said.get("artifactId", "")))
        elif name == "parent" and above == "project":
            self.pom.parent = said
        elif name == "project" and not above:
            self.pom.group, self.pom.artifact = said.get("groupId", ""), said.get("artifactId", "")
        self._text = ""
