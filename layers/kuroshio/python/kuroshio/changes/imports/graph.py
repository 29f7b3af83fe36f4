"""The import graph of one commit, read as far as the closures that are asked for need it.

Files are read level by level, so that one level is one batch; each blob is analysed once, or never when its analysis
was kept from an earlier commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from kuroshio.changes.imports import python_source, script_source
from kuroshio.changes.imports.closure import Closure, Reach, Widening, reach
from kuroshio.changes.imports.files import Files
from kuroshio.changes.imports.links import Links, Span
from kuroshio.changes.imports.ports import NoAnalyses
from kuroshio.changes.imports.python_resolution import PythonResolver
from kuroshio.changes.imports.script_configs import Configs
from kuroshio.changes.imports.script_resolution import ScriptResolver

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from kuroshio.changes.imports.analysis import Analysis
    from kuroshio.changes.imports.ports import Analyses, Contents, Entry

# More files than this behind one code directory are not followed: the whole tree counts then.
MAX_FILES = 50_000

# What can import without saying so in a text: machine code, byte code, and languages that are compiled to others.
_OPAQUE = (".so", ".pyc", ".pyd", ".node", ".vue", ".svelte", ".astro", ".coffee", ".mdx", ".css")
_MAX_BYTES = max(python_source.MAX_BYTES, script_source.MAX_BYTES)


class Language(StrEnum):
    """The language that a handler is written in."""

    PYTHON = "python"
    SCRIPT = "script"  # JavaScript and TypeScript


@dataclass(frozen=True)
class CodeDirectory:
    """A folder of the tree that one or more functions name as their code. ``path`` "" is the whole tree.

    ``search``: further folders on Python's search path (PYTHONPATH). ``bundled``: esbuild makes bundles from it.
    """

    path: str
    language: Language
    search: tuple[str, ...] = ()
    bundled: bool = False


@dataclass(frozen=True)
class Start:
    """Where one function begins: esbuild's ``EntryPoints`` or, without them, its ``Handler``."""

    handler: str = ""
    entry_points: tuple[str, ...] = ()


class Resolver(Protocol):
    """The rules of one language, in one code directory."""

    suffixes: tuple[str, ...]

    def handler(self, handler: str) -> tuple[list[str], str]:
        """Return the files that a handler begins with, or why they are not known."""

    def entry_point(self, location: str) -> tuple[list[str], str]:
        """Return the files that an entry point is, or why they are not known."""

    def standing(self) -> Links:
        """What every function of the directory leads to."""

    def links(self, path: str, analysis: Analysis) -> Links:
        """Resolve what one file says."""


class Closures:
    """Finds the closures of one commit's functions. ``entries`` are all files of the commit, by path.

    ``special`` are the symbolic links and submodules among them, where they are known.
    """

    def __init__(
        self,
        entries: Mapping[str, Entry],
        contents: Contents,
        analyses: Analyses | None = None,
        max_files: int = MAX_FILES,
        special: Mapping[str, Entry] | None = None,
    ) -> None:
        self._files = Files(entries, contents, special)
        self._configs = Configs(self._files)
        self._reader = _Reader(self._files, analyses or NoAnalyses())
        self._max_files = max_files

    def of(self, directory: CodeDirectory, starts: Sequence[Start]) -> list[Closure]:
        """Return the closures of the functions that begin at ``starts``, in their order."""
        graph = _Graph(self._files, self._reader, self._resolver(directory), directory.path, self._max_files)
        return graph.closures(starts)

    def _resolver(self, directory: CodeDirectory) -> Resolver:
        if directory.language is Language.PYTHON:
            return PythonResolver(self._files, directory.path, directory.search)
        return ScriptResolver(self._files, self._configs, directory.path, bundled=directory.bundled)


class _Reader:
    """Analyses files, each blob once."""

    def __init__(self, files: Files, kept: Analyses) -> None:
        self._files = files
        self._kept = kept
        self._known: dict[str, Analysis] = {}

    def analyse(self, paths: Iterable[str]) -> dict[str, Analysis]:
        """Return the analyses of those of the files that are source, by logical path."""
        keys = {path: key for path in paths if (key := self._key(path))}
        self._known.update(self._kept.get({key for key in keys.values() if key not in self._known}))
        wanted = {path: key for path, key in keys.items() if key not in self._known}
        made = self._read(wanted)
        if made:
            self._kept.put(made)
        self._known.update(made)
        return {path: self._known[key] for path, key in keys.items()}

    def _read(self, wanted: dict[str, str]) -> dict[str, Analysis]:
        logical = {str(self._files.file(path)): path for path in wanted}
        made: dict[str, Analysis] = {}
        for real, content in self._files.read(list(logical), _MAX_BYTES):
            path = logical[real]
            if wanted[path] not in made:
                made[wanted[path]] = _analyse(path, content if content is not None else b" " * (_MAX_BYTES + 1))
        return made

    def _key(self, path: str) -> str:
        real = self._files.file(path)
        language = _language(path)
        return f"{language}:{self._files.oid(real)}" if real is not None and language else ""


def _language(path: str) -> str:
    if path.endswith(".py"):
        return python_source.KEY
    dialect = _dialect(path)
    return script_source.key(dialect) if dialect else ""


def _dialect(path: str) -> str:
    return script_source.DIALECTS.get("." + path.rpartition(".")[2], "")


def _analyse(path: str, content: bytes) -> Analysis:
    return python_source.analyse(content) if path.endswith(".py") else script_source.analyse(content, _dialect(path))


class _Graph:
    """Who imports whom, as far as the functions of one code directory go. Nodes are logical paths."""

    def __init__(self, files: Files, reader: _Reader, resolver: Resolver, root: str, max_files: int) -> None:
        self._files = files
        self._reader = reader
        self._resolver = resolver
        self._root = root
        self._max_files = max_files
        self._links: dict[str, Links] = {}
        self._modules: dict[str, Links] = {}  # by folder that something widens to
        self._beyond: dict[str, Reach] = {}

    def closures(self, starts: Sequence[Start]) -> list[Closure]:
        begun = [self._begin(start) for start in starts]
        self._follow(path for links in begun for path in self._next(links))
        return [self._closure(links) for links in begun]

    def _begin(self, start: Start) -> Links:
        answers = [self._resolver.entry_point(each) for each in start.entry_points]
        links = self._resolver.standing()
        for files, doubt in answers or [self._resolver.handler(start.handler)]:
            links.add(*files)
            if doubt:
                links.widen(self._root, doubt)
        return links

    def _follow(self, starts: Iterable[str]) -> None:
        waiting = [path for path in dict.fromkeys(starts) if path not in self._links]
        while waiting:
            if len(self._links) + len(waiting) > self._max_files:
                self._give_up(waiting)
                return
            analyses = self._reader.analyse(waiting)
            found: dict[str, None] = {}
            for path in waiting:
                self._links[path] = self._link(path, analyses.get(path))
                found.update(dict.fromkeys(self._next(self._links[path])))
            waiting = [path for path in found if path not in self._links]

    def _next(self, links: Links) -> Iterator[str]:
        """Yield the files that links lead to; the modules of a folder that they widen to, once."""
        yield from links.files
        for span in links.spans:
            if span.modules and span.folder not in self._modules:
                self._modules[span.folder] = Links()
                self._modules[span.folder].add(*self._modules_below(span.folder))
                yield from self._modules[span.folder].files

    def _modules_below(self, folder: str) -> Iterator[str]:
        return (path for path in self._files.below(folder) if path.endswith(self._resolver.suffixes))

    def _give_up(self, waiting: list[str]) -> None:
        reason = f"{self._root or 'the repository'} leads to more than {self._max_files} files; not all were followed"
        for path in waiting:
            self._links[path] = Links(spans={Span("", reason): None})

    def _link(self, path: str, analysis: Analysis | None) -> Links:
        links = Links() if analysis is None else self._resolver.links(path, analysis)
        if analysis is None and path.endswith(_OPAQUE):
            links.widen(self._root, f"{path} is not a text that shows what it imports")
        links.manifests.update(dict.fromkeys(self._files.links(path)))
        return links

    def _closure(self, begun: Links) -> Closure:
        found = reach(begun, self._links)
        widenings: list[Widening] = []
        waiting = list(found.spans.items())
        widened: dict[str, None] = {}
        for span, importer in waiting:  # grows while it is read
            beyond = self._reach_from(span)
            widenings.append(Widening(span, importer, beyond.files))
            if not span.modules or span.folder in widened:
                continue
            widened[span.folder] = None
            found.manifests |= beyond.manifests
            found.external |= beyond.external
            waiting += [(each, importer) for each in beyond.spans if each.modules and each.folder not in widened]
        return Closure(
            files=self._real(found.files),
            manifests=frozenset(found.manifests),
            external=frozenset(found.external),
            widenings=tuple(widenings),
            suffixes=self._resolver.suffixes,
        )

    def _reach_from(self, span: Span) -> Reach:
        """Return what the modules of a widened folder import, from wherever."""
        if not span.modules:
            return Reach({})
        if span.folder not in self._beyond:
            found = reach(self._modules.get(span.folder, Links()), self._links)
            found.files = self._real(found.files)
            self._beyond[span.folder] = found
        return self._beyond[span.folder]

    def _real(self, importers: dict[str, str]) -> dict[str, str]:
        """Say in paths of the commit what is known in paths as Python sees them, links followed."""
        return {self._real_path(path): self._real_path(importer) for path, importer in importers.items()}

    def _real_path(self, path: str) -> str:
        return (self._files.file(path) or path) if path else path
