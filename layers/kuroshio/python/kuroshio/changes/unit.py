"""A unit: the smallest thing that is deployed on its own, as one template defines it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Kind(StrEnum):
    """What a unit is."""

    FUNCTION = "function"
    LAYER = "layer"
    STATE_MACHINE = "state-machine"
    TASK_DEFINITION = "task-definition"
    ECS_SERVICE = "ecs-service"
    INSTANCE_SERVICE = "instance-service"  # in kuroshio.yaml only: no template says what runs on an instance


class Packaging(StrEnum):
    """How a unit's content travels."""

    ZIP = "zip"
    IMAGE = "image"
    INLINE = "inline"  # the content stands in the template
    FILE = "file"  # a state machine's definition in a file of its own
    FILES = "files"  # files of the repository, as they are


@dataclass(frozen=True)
class Source:
    """Where a template says that a unit's content lies.

    ``location`` is relative to the template's folder. Empty ``location`` with a ``doubt``: the template does not say.
    """

    through: str  # the property that names it, e.g. "CodeUri"
    location: str
    docker_context: bool = False  # less what .dockerignore leaves out
    canonical: bool = False  # JSON or YAML whose form does not matter, only its meaning
    doubt: str = ""


@dataclass(frozen=True)
class Code:
    """How code that travels as zip is built and begun.

    ``shows_its_imports``: nothing in the definition can make it load what its sources do not name.
    """

    language: str
    decided_by: str = "Runtime"  # the property that says so
    handler: str = ""
    entry_points: tuple[str, ...] = ()
    shows_its_imports: bool = False


@dataclass(frozen=True)
class Image:
    """How an image is built besides its context and Dockerfile.

    ``target``: the stage that is built, "" for the last; None: not known. ``args``: the build arguments, a value of None is
    not known; None: any may be passed. ``extra``: what else the builder is told (``DockerBuildExtraParams``).
    """

    target: str | None = ""
    args: tuple[tuple[str, str | None], ...] | None = ()
    extra: bool = False


@dataclass(frozen=True)
class Definition:
    """One unit as its template defines it, wherever the template lies.

    ``parts`` maps each part of the effective definition ("Properties.Timeout", "Parameters.Stage") to a digest of it.
    """

    logical_id: str
    kind: Kind
    packaging: Packaging
    parts: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...] = ()
    uses: tuple[
        str, ...
    ] = ()  # units that are part of this one, a layer of a function: logical ids in the same template
    code: Code | None = None
    image: Image | None = None
    method: str = ""  # BuildMethod, where it stands there


class Members(Protocol):
    """Which files of a folder a unit is made of."""

    def through(self, path: str) -> tuple[str, ...] | None:
        """Return the files that lead from ``path`` to the unit; None: the unit is not made of it."""


@dataclass(frozen=True)
class Input:
    """A file or folder of the tree that a unit is made of. ``path`` "" is the whole tree."""

    path: str
    through: str
    excluded: tuple[str, ...] = ()  # .dockerignore patterns, relative to ``path``
    canonical: bool = False
    members: Members | None = None  # None: all of the folder
    note: str = ""  # for people: which part of a folder, or why all of it


@dataclass(frozen=True)
class Unit:
    """A definition placed in a tree: its inputs are paths of that tree."""

    template: str
    definition: Definition
    inputs: tuple[Input, ...] = ()
    doubts: tuple[tuple[str, str], ...] = ()  # (warning code, sentence)
    given: frozenset[tuple[str, str, str]] = frozenset()  # what templates that nest its own give it: path, part, digest

    @property
    def id(self) -> str:
        """The published name: template path and logical id."""
        return unit_id(self.template, self.definition.logical_id)

    @property
    def uses(self) -> tuple[str, ...]:
        """The ids of the units that are part of this one: its layers, its task definition."""
        return tuple(unit_id(self.template, used) for used in self.definition.uses)


def unit_id(template: str, logical_id: str) -> str:
    """Name the unit ``logical_id`` of the template at ``template``."""
    return f"{template}#{logical_id}"
