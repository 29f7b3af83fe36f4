"""What earlier runs found out about files, by content: analyses of templates and of source files.

An analysis depends on a blob's content and on our code, and on nothing else: keys name both. So it does not matter who
asked for it, and a pull request cannot leave anything behind that is wrong for another.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from kuroshio.changes import imports
from kuroshio.changes.analysis import VERSION, Analysis
from kuroshio.changes.imports.analysis import Analysis as ImportAnalysis
from kuroshio.changes.plain import from_plain, to_plain
from kuroshio.changes.rest import Reach, reach

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kuroshio.changes.ports import Notes

_TEMPLATE = "template:"
_NONE = "null"
_READER = json.JSONDecoder()
# Characters of all notes on one repository. Some 20,000 units' templates or 100,000 source files.
MAX_LENGTH = 32_000_000


@cache
def edition() -> str:
    """Name the code that makes analyses, by its content: whoever changes it need not remember to raise a version."""
    return edition_of(Path(imports.__file__).parents[1])


def edition_of(code: Path) -> str:
    """Name all modules in a folder, and what they run on, by their content."""
    names = (str(VERSION), yaml.__version__, *map(str, sys.version_info[:2]))
    found = sha256("\0".join(names).encode())
    for source in sorted(code.rglob("*.py")):
        content = source.read_bytes()
        found.update(f"\0{source.relative_to(code)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()[:16]


class Remembered:
    """The notes on one repository, as the two kinds of analyses that detection keeps: ``load``, use, ``save``."""

    def __init__(self, notes: Notes, repository: str) -> None:
        self._notes = notes
        self._repository = repository
        self._read: Mapping[str, str] = {}
        self._used: set[str] = set()
        self._new: dict[str, str] = {}
        self.templates = _Templates(self)
        self.imports = _Imports(self)

    def load(self) -> None:
        """Read the notes."""
        self._read = self._notes.read(self._repository, edition())

    def find(self, keys: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield what was noted under these keys."""
        for key in keys:
            if key in self._read:
                self._used.add(key)
                yield key, self._read[key]

    def add(self, found: Mapping[str, str]) -> None:
        """Keep what was found out, for ``save``."""
        self._new.update(found)

    def save(self) -> None:
        """Write the notes, if anything is new. Where all are too many, those that this run did not need are dropped."""
        if not self._new:
            return
        every = {**self._read, **self._new}
        if _length(every) > MAX_LENGTH:
            every = {**{key: self._read[key] for key in self._used}, **self._new}
        if _length(every) <= MAX_LENGTH:
            self._notes.write(self._repository, edition(), every)


class _Templates:
    """Implements ``changes.ports.Analyses``."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    def get(self, oids: Iterable[str]) -> dict[str, Analysis | None]:
        """Return what is known of these blobs. A note that cannot be read is none."""
        return {oid: each for oid, text in self._find(oids) for each in _template(text)}

    def reaches(self, oids: Iterable[str]) -> dict[str, Reach]:
        """Return how far templates reach, without reading what else is known of them."""
        return {oid: each for oid, text in self._find(oids) for each in _reach(text)}

    def put(self, analyses: Mapping[str, Analysis | None]) -> None:
        """Keep what was found out."""
        self._remembered.add({f"{_TEMPLATE}{oid}": _template_text(each) for oid, each in analyses.items()})

    def _find(self, oids: Iterable[str]) -> Iterator[tuple[str, str]]:
        found = self._remembered.find(f"{_TEMPLATE}{oid}" for oid in oids)
        return ((key.removeprefix(_TEMPLATE), text) for key, text in found)


class _Imports:
    """Implements ``changes.imports.ports.Analyses``."""

    def __init__(self, remembered: Remembered) -> None:
        self._remembered = remembered

    def get(self, keys: Iterable[str]) -> dict[str, ImportAnalysis]:
        """Return what is known of these keys. A note that cannot be read is none."""
        return {key: each for key, text in self._remembered.find(keys) for each in _import(text)}

    def put(self, analyses: Mapping[str, ImportAnalysis]) -> None:
        """Keep what was found out."""
        self._remembered.add({key: _compact(to_plain(each)) for key, each in analyses.items()})


def _template_text(analysis: Analysis | None) -> str:
    """Write the reach first, and the analysis after it: most are asked for their reach alone."""
    return _NONE if analysis is None else _compact(to_plain(reach(analysis))) + _compact(to_plain(analysis))


def _reach(text: str) -> Iterator[Reach]:
    try:
        if text != _NONE:
            yield from_plain(Reach, _READER.raw_decode(text)[0])
    except (ValueError, RecursionError):
        return


def _template(text: str) -> Iterator[Analysis | None]:
    try:
        yield None if text == _NONE else from_plain(Analysis, json.loads(text[_READER.raw_decode(text)[1] :]))
    except (ValueError, RecursionError):
        return


def _import(text: str) -> Iterator[ImportAnalysis]:
    try:
        yield from_plain(ImportAnalysis, json.loads(text))
    except (ValueError, RecursionError):
        return


def _compact(plain: object) -> str:
    return json.dumps(plain, separators=(",", ":"))


def _length(notes: Mapping[str, str]) -> int:
    return sum(len(key) + len(text) for key, text in notes.items())
