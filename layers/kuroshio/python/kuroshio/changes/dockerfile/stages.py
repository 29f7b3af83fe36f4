"""The stages of a Dockerfile that lead to its target, and what they can take out of the context."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from kuroshio.changes.dockerfile import patterns
from kuroshio.changes.dockerfile.lines import Instruction, NotUnderstood, instruction, instructions
from kuroshio.changes.dockerfile.variables import Scope, Unknown, expanded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_REMOTE = re.compile(r"(?:https?|git|ssh)://|git@[\w.-]+:")
_FLAGS = {
    "COPY": frozenset({"from", "chown", "chmod", "link", "parents", "exclude"}),
    "ADD": frozenset({"chown", "chmod", "link", "checksum", "keep-git-dir", "unpack", "exclude"}),
    "RUN": frozenset({"mount", "network", "security", "device"}),
    "FROM": frozenset({"platform"}),
}
_MOUNTS = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_MOUNT_KEYS = frozenset(
    [
        "type",
        "from",
        "source",
        "src",
        "target",
        "dst",
        "destination",
        "readonly",
        "ro",
        "readwrite",
        "rw",
        "id",
        "sharing",
        "required",
        "size",
        "mode",
        "uid",
        "gid",
        "env",
    ]
)
_AS = 3  # FROM image AS name


@dataclass(frozen=True)
class Taken:
    """One source that an instruction takes out of the context: parts of a path, which may have wildcards."""

    parts: tuple[str, ...]
    line: int


@dataclass
class _Stage:
    name: str
    line: int
    scope: Scope
    parent: int | None  # the stage that it begins with
    image: str = ""  # the image from elsewhere that it begins with
    sources: list[Taken] = field(default_factory=list)
    uses: list[str] = field(
        default_factory=list
    )  # COPY --from, RUN --mount=from: a stage's name or number, or an image


Stages: TypeAlias = tuple[_Stage, ...]


@dataclass(frozen=True)
class Reading:
    """What the target's stages take out of the context, and the images from elsewhere that they begin with."""

    sources: tuple[Taken, ...]
    bases: tuple[str, ...]


def read(content: bytes, target: str | None, given: Mapping[str, str | None] | None) -> Reading:
    """Read a Dockerfile: ``target`` "" is the last stage, None is not known; ``given`` are the build arguments.

    An argument with the value None is passed with a value that is not known; None as a whole: any may be passed.
    Raises NotUnderstood where something cannot be followed.
    """
    return reading(parsed(content, given), target)


def parsed(content: bytes, given: Mapping[str, str | None] | None) -> Stages:
    """Return the stages of a Dockerfile, for ``reading``: one file may have a target for each of many images."""
    if any(name.upper().startswith(("BUILDKIT_", "SOURCE_DATE_EPOCH")) for name in given or ()):
        raise NotUnderstood("its DockerBuildArgs speak to the builder itself")
    stages = _stages(content, given)
    if not stages:
        raise NotUnderstood("it has no FROM")
    names = [stage.name for stage in stages if stage.name]
    if len(set(names)) < len(names):
        raise NotUnderstood("two of its stages have one name")
    return tuple(stages)


def reading(stages: Stages, target: str | None) -> Reading:
    """Return what the stages that lead to ``target`` take out of the context. Raises NotUnderstood where it is none."""
    wanted = range(len(stages)) if target is None else [_target(stages, target)]
    reached = _reached(stages, wanted)
    return Reading(
        tuple(dict.fromkeys(source for at in reached for source in stages[at].sources)),
        tuple(dict.fromkeys(stages[at].image for at in reached if stages[at].image)),
    )


def _stages(content: bytes, given: Mapping[str, str | None] | None) -> list[_Stage]:
    outer = Scope(given)
    stages: list[_Stage] = []
    for each in instructions(content):
        _check_flags(each)
        if each.name == "FROM":
            stages.append(_begun(each, stages, outer))
        elif stages:
            _follow(stages[-1], each)
        elif each.name == "ARG":
            outer.declare(each.rest)
        else:
            raise each.refused("stands before the first FROM")
    return stages


def _check_flags(each: Instruction) -> None:
    for flag in each.flags if each.name in _FLAGS else ():
        if flag[2:].partition("=")[0] not in _FLAGS[each.name]:
            raise each.refused(f"has the flag {flag[:40]}, which is not known")


def _begun(each: Instruction, stages: list[_Stage], outer: Scope) -> _Stage:
    words = each.words()
    if len(words) not in (1, _AS) or (len(words) == _AS and words[1].upper() != "AS"):
        raise each.refused("is not of the form: FROM image AS name")
    try:
        image = expanded(words[0], outer.values())
    except Unknown:
        raise each.refused("begins with an image whose name is not known") from None
    if not image or image.isdigit():
        raise each.refused(f'begins with "{image}", which is no image')
    parent = next((at for at, stage in enumerate(stages) if stage.name and stage.name == image.lower()), None)
    name = words[2].lower() if len(words) == _AS else ""
    if name and not re.fullmatch(r"[a-z][a-z0-9-_.]*", name):
        raise each.refused(f'names its stage "{name[:40]}", which is no name')
    if parent is not None:
        return _Stage(name, each.line, stages[parent].scope.child(), parent)
    has_base = image != "scratch"
    scope = Scope(outer.given, dict(outer.args), frozenset(outer.unknown), has_base=has_base, is_lost=outer.is_lost)
    return _Stage(name, each.line, scope, None, image if has_base else "")


def _follow(stage: _Stage, each: Instruction) -> None:
    if each.name == "ONBUILD":  # runs in the stages that begin with this one, with their variables
        inner = instruction(each.rest, each.line)
        if inner.name in ("ONBUILD", "FROM", "MAINTAINER"):
            raise each.refused(f"{inner.name} is not allowed")
        _check_flags(inner)
        if "$" in inner.rest and inner.name in ("ADD", "COPY"):
            raise each.refused("has a variable, which the stage that begins with it decides")
        if inner.name in ("ADD", "COPY", "RUN"):
            _follow(stage, inner)
        else:
            stage.scope.is_lost = True
    elif each.name == "ARG":
        stage.scope.declare(each.rest)
    elif each.name == "ENV":
        stage.scope.assign(each.rest)
    elif each.name == "RUN":
        _follow_mounts(stage, each)
    elif each.name in ("ADD", "COPY"):
        _follow_copy(stage, each)


def _follow_copy(stage: _Stage, each: Instruction) -> None:
    origin = _flag(each, "from")
    if origin is not None:
        _use(stage, each, origin)
        return
    words = each.words()
    if len(words) < 2:  # noqa: PLR2004 - a source and a destination
        raise each.refused("has no source")
    values = stage.scope.values()
    for word in words[:-1]:
        if word.startswith("<<"):
            if not each.documents:
                raise each.refused("names a here-document that is none")
            continue
        stage.sources += _taken(each, word, lambda text: expanded(text, values))


def _taken(each: Instruction, word: str, compute: Callable[[str], str]) -> Iterator[Taken]:
    try:
        source = compute(word)
    except Unknown:
        raise each.refused(f'copies "{word[:80]}", which is not known before the build') from None
    if _REMOTE.match(source):
        if each.name != "ADD":
            raise each.refused(f'copies "{source[:80]}", which is no path')
        return
    if "://" in source:
        raise each.refused(f'copies "{source[:80]}", which is not understood')
    try:
        yield Taken(patterns.parts(source), each.line)
    except patterns.BadPattern:
        raise each.refused(f'copies "{source[:80]}", a pattern that is not followed') from None


def _follow_mounts(stage: _Stage, each: Instruction) -> None:
    for flag in each.flags:
        name, _, value = flag[2:].partition("=")
        if name != "mount":
            continue
        fields = [item.partition("=") for item in value.split(",")]
        found = {key.lower(): text for key, _, text in fields}
        if "$" in value or not _MOUNT_KEYS.issuperset(found) or found.get("type", "bind") not in _MOUNTS:
            raise each.refused(f"has a mount that is not understood: {value[:80]}")
        if "from" in found:
            _use(stage, each, found["from"])
        elif found.get("type", "bind") == "bind":
            source = found.get("source", found.get("src", ""))
            if patterns.is_wild(source):
                raise each.refused(f'mounts "{source[:80]}", which is not understood')
            stage.sources += _taken(each, source, lambda text: text)


def _use(stage: _Stage, each: Instruction, origin: str) -> None:
    if not origin or "$" in origin or origin.lower() == "context":
        raise each.refused(f'takes from "{origin[:80]}", which is not understood')
    stage.uses.append(origin.lower())


def _flag(each: Instruction, name: str) -> str | None:
    return next((value for flag in each.flags for key, _, value in [flag[2:].partition("=")] if key == name), None)


def _target(stages: Stages, target: str) -> int:
    at = _find(stages, target.lower()) if target else len(stages) - 1
    if at is None:
        raise NotUnderstood(f'it has no stage "{target[:80]}"')
    return at


def _find(stages: Stages, name: str) -> int | None:
    """Return the stage of a name, or of a number that is no name."""
    for at, stage in enumerate(stages):
        if stage.name == name:
            return at
    return int(name) if name.isascii() and name.isdigit() and len(name) < 6 and int(name) < len(stages) else None  # noqa: PLR2004


def _reached(stages: Stages, wanted: range | list[int]) -> list[int]:
    reached: set[int] = set()
    waiting = [*wanted]
    while waiting:
        at = waiting.pop()
        if at in reached:
            continue
        reached.add(at)
        parent = stages[at].parent
        waiting += [parent] if parent is not None else []
        waiting += [found for name in stages[at].uses if (found := _find(stages, name)) is not None]
    return sorted(reached)
