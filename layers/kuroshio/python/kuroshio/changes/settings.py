"""``kuroshio.yaml``: what a repository says about itself. Optional, and data like everything else in a pull request.

What it adds (inputs, services) counts from the pull request that brings it. What it hides (templates, ignored files)
counts when both commits of a comparison say so: no pull request can hide a change of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeVar

from kuroshio.changes import dockerignore
from kuroshio.changes.canonical import digest
from kuroshio.changes.classification import is_ignored
from kuroshio.changes.places import Place, read
from kuroshio.changes.unit import Definition, Kind, Packaging, Source
from kuroshio.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = "kuroshio.yaml"
T = TypeVar("T")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
# Each entry is held against each unit: what a pull request may make us do is bounded.
MAX_ENTRIES = 1_000
_SERVICES = (Kind.ECS_SERVICE.value, Kind.INSTANCE_SERVICE.value)


@dataclass(frozen=True)
class UnitSettings:
    """What the file says about the units whose ids match ``pattern``."""

    pattern: str
    source: tuple[Source, ...] = ()  # what they are made of, where their template does not say
    inputs: tuple[Source, ...] = ()  # what they are made of besides
    line: int = 0


@dataclass(frozen=True)
class Settings:
    """The whole file; the defaults are what holds without one."""

    left_out: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    has_built_in_list: bool = True
    units: tuple[UnitSettings, ...] = ()
    services: tuple[Definition, ...] = ()
    order: tuple[str, ...] = ()
    without_onbuild: tuple[str, ...] = ()  # base images that are known to have no triggers
    digest: str = ""

    def leaves_out(self, template: str) -> bool:
        """Whether a file is not to be read as a template."""
        return bool(self.left_out) and dockerignore.excludes(self.left_out, template)

    def ignores(self, path: str) -> bool:
        """Whether nothing is deployed of a file that belongs to no unit. The last pattern that matches decides."""
        built_in = self.has_built_in_list and is_ignored(path)
        return dockerignore.excludes(self.ignored, path, excluded=built_in) if self.ignored else built_in

    def of(self, unit: str) -> tuple[UnitSettings, ...]:
        """What the file says about one unit."""
        return tuple(each for each in self.units if fnmatchcase(unit, each.pattern))

    def wave(self, unit: str) -> int:
        """In which wave the unit is deployed: that of the first pattern that matches, else the last."""
        for wave, pattern in enumerate(self.order, start=1):
            if fnmatchcase(unit, pattern):
                return wave
        return len(self.order) + 1

    def unmatched(self, units: Iterable[str]) -> UnitSettings | None:
        """Return the first entry that means no unit: a misspelt id would silently lose inputs."""
        known = list(units)
        return next((each for each in self.units if not any(fnmatchcase(unit, each.pattern) for unit in known)), None)


NO_SETTINGS = Settings()


def parse(content: bytes) -> Settings:
    """Read the file. Raises SettingsInvalid with line and column, what stands there, and what was expected."""
    place = read(content, FILE)
    if place.is_empty:
        return Settings(digest=digest(None))
    entries = place.mapping("templates", "ignore", "units", "services", "order", "images")
    ignore = entries["ignore"].mapping("built-in", "paths") if "ignore" in entries else {}
    images = entries["images"].mapping("without-onbuild") if "images" in entries else {}
    templates = entries["templates"].mapping("exclude") if "templates" in entries else {}
    return Settings(
        left_out=_patterns(templates.get("exclude")),
        ignored=_patterns(ignore.get("paths")),
        has_built_in_list=ignore["built-in"].flag() if "built-in" in ignore else True,
        units=tuple(_unit(key, value) for key, value in _named(entries.get("units"))),
        services=tuple(_service(key, value) for key, value in _named(entries.get("services"))),
        order=_texts(entries.get("order"), "a list of unit ids or patterns"),
        without_onbuild=_patterns(images.get("without-onbuild")),
        digest=digest(place.value),
    )


def _named(place: Place | None) -> list[tuple[Place, Place]]:
    return _few(place, place.pairs()) if place else []


def _texts(place: Place | None, expected: str) -> tuple[str, ...]:
    return tuple(each.text(expected) for each in _few(place, place.items(expected))) if place else ()


def _few(place: Place, entries: list[T]) -> list[T]:
    if len(entries) > MAX_ENTRIES:
        raise place.refused(f"at most {MAX_ENTRIES:,} entries, not {len(entries):,}")
    return entries


def _patterns(place: Place | None) -> tuple[str, ...]:
    if place is None:
        return ()
    lines = _texts(place, "a list of patterns, as in .dockerignore")
    try:
        return dockerignore.patterns("\n".join(lines).encode("utf-8", "surrogateescape"))
    except LimitExceeded as error:
        raise place.refused(f"patterns that are quick to match ({error})") from None


def _unit(key: Place, value: Place) -> UnitSettings:
    entries = value.mapping("source", "inputs")
    pattern = key.text("a unit id, <template>#<LogicalId>")
    if "#" not in pattern:
        raise key.refused("a unit id, <template>#<LogicalId>, or a pattern of ids with *")
    return UnitSettings(pattern, _sources(entries.get("source")), _sources(entries.get("inputs")), key.line)


def _service(key: Place, value: Place) -> Definition:
    name = key.text("the name of a service")
    if not _NAME.fullmatch(name):
        raise key.refused("a name of letters, digits, dots, underscores and hyphens")
    entries = value.mapping("kind", "source", "inputs", required=("kind", "source"))
    kind = Kind(entries["kind"].one_of(*_SERVICES))
    sources = (*_sources(entries.get("source"), "source"), *_sources(entries.get("inputs")))
    packaging = Packaging.FILES if kind is Kind.INSTANCE_SERVICE else Packaging.IMAGE
    return Definition(name, kind, packaging, parts=(("kind", digest(kind.value)),), sources=sources)


def _sources(place: Place | None, through: str = FILE) -> tuple[Source, ...]:
    if place is None:
        return ()
    expected = "a path in the repository, relative to its root, or a list of them"
    return tuple(Source(through, each.text(expected)) for each in place.one_or_more(expected))
