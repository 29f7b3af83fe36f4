"""A closure: the files that one function is made of, as a value that answers for any path."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.changes.imports.files import is_below

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.changes.imports.links import Links, Span


@dataclass(frozen=True)
class Widening:
    """A folder that belongs to a closure. ``importer`` is the file of the closure that is the reason, "" for none.

    ``beyond`` maps what the folder's modules import, at any distance, to its importers.
    """

    span: Span
    importer: str = ""
    beyond: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Closure:
    """The files that one function is made of.

    ``files`` maps each to the file that imports it first; the handler's own has "". ``manifests`` decide how the files
    are compiled and which packages are installed beside them; ``external`` names packages from elsewhere. ``suffixes``
    are those of modules in the function's language.
    """

    files: Mapping[str, str]
    manifests: frozenset[str]
    external: frozenset[str]
    widenings: tuple[Widening, ...]
    suffixes: tuple[str, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Why the closure is wider than its imports: sentences that begin with file and line. Empty: it is exact."""
        return tuple(dict.fromkeys(each.span.reason for each in self.widenings if each.span.modules))

    def through(self, path: str) -> tuple[str, ...] | None:
        """Return the importers from ``path`` to the handler, the nearest first; None: the path does not concern it."""
        if path in self.files:
            return _chain(self.files, path)
        if path in self.manifests:
            return ()
        for each in self.widenings:
            if path in each.beyond or self._covers(each.span, path):
                return _chain(each.beyond, path) + self._to(each.importer)
        return None

    def _covers(self, span: Span, path: str) -> bool:
        return is_below(path, span.folder) and (span.modules or not path.endswith(self.suffixes))

    def _to(self, importer: str) -> tuple[str, ...]:
        return (importer, *_chain(self.files, importer)) if importer else ()


@dataclass(frozen=True)
class Commons:
    """Which files of a shared directory belong to all its functions: those that no handler imports.

    Data, requirements, and modules that nobody is seen to import. A file that is no module may be read as data besides
    being imported, so it stays everybody's, unless only bundles are deployed.
    """

    claimed: frozenset[str]
    suffixes: tuple[str, ...]

    @classmethod
    def of(cls, closures: Iterable[Closure], suffixes: tuple[str, ...]) -> Commons:
        """Decide by the closures of all functions that share the directory."""
        return cls(frozenset(path for closure in closures for path in closure.files), suffixes)

    def __contains__(self, path: object) -> bool:
        """Whether a file of the directory belongs to all its functions."""
        return isinstance(path, str) and not (path in self.claimed and path.endswith(self.suffixes))


@dataclass
class Reach:
    """What is reached from some files: by importer, with all that was met on the way."""

    files: dict[str, str]
    spans: dict[Span, str] = field(default_factory=dict)
    manifests: set[str] = field(default_factory=set)
    external: set[str] = field(default_factory=set)


def reach(start: Links, graph: Mapping[str, Links]) -> Reach:
    """Follow the imports from ``start``, nearest files first. A file that ``graph`` lacks leads nowhere."""
    found = Reach({})
    waiting: deque[tuple[str, Links]] = deque([("", start)])
    while waiting:
        importer, links = waiting.popleft()
        found.manifests.update(links.manifests)
        found.external |= links.external
        for span in links.spans:
            found.spans.setdefault(span, importer)
        for target in links.files:
            if target not in found.files:
                found.files[target] = importer
                if target in graph:
                    waiting.append((target, graph[target]))
    return found


def _chain(importers: Mapping[str, str], path: str) -> tuple[str, ...]:
    chain: list[str] = []
    at = importers.get(path, "")
    while at:
        chain.append(at)
        at = importers.get(at, "")
    return tuple(chain)
