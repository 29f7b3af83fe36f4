"""What an image is built from: the Dockerfile followed line by line. Nothing of the detector's is used here.

The rules are the Dockerfile reference's and moby's ``patternmatcher``; paths are matched segment by segment.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from posixpath import normpath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.fakes.repository import File

_LINK = "120000"


def _segments_match(pattern: list[str], path: list[str]) -> bool:
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(_segments_match(pattern[1:], path[at:]) for at in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and _segments_match(pattern[1:], path[1:])


def is_ignored(rules: list[str], path: str) -> bool:
    """Whether a .dockerignore leaves a file out: the last rule that matches it or a folder above it."""
    ignored = False
    parts = path.split("/")
    for line in rules:
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        is_negated = rule.startswith("!")
        pattern = normpath(rule.lstrip("!").strip()).strip("/").split("/")
        if any(_segments_match(pattern, parts[: depth + 1]) for depth in range(len(parts))):
            ignored = not is_negated
    return ignored


@dataclass
class Stage:
    """One FROM and what follows it."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)


def stages(text: str) -> tuple[list[Stage], list[tuple[str, str]]]:
    """Parse a Dockerfile: its stages, and what stands before the first of them."""
    found: list[Stage] = []
    before: list[tuple[str, str]] = []
    for word, rest in _instructions(text):
        if word == "FROM":
            parts = [part for part in rest.split() if not part.startswith("--")]
            found.append(Stage(parts[0], parts[2].lower() if len(parts) > 2 else "", []))
        else:
            (found[-1].steps if found else before).append((word, rest))
    return found, before


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    lines = iter(text.splitlines())
    for first in lines:
        line = first.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith("\\"):
            following = next(lines, "").strip()
            line = line[:-1] + " " if following.startswith("#") else line[:-1] + " " + following
            if following.startswith("#"):
                line += "\\"
        for end in re.findall(r"<<-?[\"']?(\w+)[\"']?", line):
            document = []
            for inner in lines:
                if inner.strip() == end:
                    break
                document.append(inner)
            line += "\n" + "\n".join(document)
        word, _, rest = line.partition(" ")
        yield word.upper(), rest.strip()


class Build:
    """One build of a context: what the image of a target is made of."""

    def __init__(self, context: Mapping[str, File], dockerfile: str, arguments: Mapping[str, str]) -> None:
        self._context = context  # without what is ignored
        self._stages, self._before = stages(dockerfile)
        self._arguments = arguments

    def image(self, target: str) -> Any:
        """Return all that decides the image: the steps with their variables, and each file that one of them reads."""
        at = self._index(target) if target else len(self._stages) - 1
        return None if at is None else self._stage(at)

    def _index(self, name: str) -> int | None:
        named = [at for at, stage in enumerate(self._stages) if stage.name == name.lower()]
        if named:
            return named[-1]
        return int(name) if name.isdigit() and int(name) < len(self._stages) else None

    def _stage(self, at: int) -> list[Any]:
        variables = self._declared(self._before, {})
        result: list[Any] = []
        stage = self._stages[at]
        base = _expanded(stage.base, variables)
        below = self._index(base)
        result.append(self._stage(below) if below is not None and below < at else base)
        known: dict[str, str] = {}
        for word, rest in stage.steps:
            known = self._declared([(word, rest)], known, variables)
            result.append([word, _expanded(rest, known), *self._read(word, _expanded(rest, known))])
        return result

    def _declared(
        self, steps: list[tuple[str, str]], known: dict[str, str], outer: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        known = dict(known)
        for word, rest in steps:
            if word == "ENV" and "=" in rest:
                known |= dict(part.split("=", 1) for part in shlex.split(_expanded(rest, known)))
            if word == "ARG":
                for part in shlex.split(rest):
                    name, _, default = part.partition("=")
                    known[name] = self._arguments.get(name, _expanded(default, known) or (outer or {}).get(name, ""))
        return known

    def _read(self, word: str, rest: str) -> Iterator[Any]:
        if word == "RUN":
            for mount in re.findall(r"--mount=(\S+)", rest):
                yield self._mounted(dict(part.partition("=")[::2] for part in mount.split(",")))
        if word not in ("COPY", "ADD"):
            return
        options, sources = _copy(rest)
        if "from" in options:
            other = self._index(options["from"])
            yield options["from"] if other is None else self._stage(other)
            return
        for source in sources[:-1]:
            if not source.startswith("<<") and "://" not in source:
                yield sorted(self.copied(source))

    def _mounted(self, options: dict[str, str]) -> Any:
        if options.get("type", "bind") != "bind":
            return None
        if "from" in options:
            other = self._index(options["from"])
            return options["from"] if other is None else self._stage(other)
        return sorted(self.copied(options.get("source", options.get("src", "."))))

    def copied(self, source: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield what a source of COPY brings: path, mode, content. What it names is followed, what it holds is not."""
        wanted = normpath("/" + source).strip("/")
        pattern = wanted.split("/") if wanted else []
        for path, file in self._seen():
            parts = path.split("/")
            if _segments_match(pattern, parts[: len(pattern)]):
                yield path, file.mode, file.content

    def _seen(self) -> Iterator[tuple[str, File]]:
        """Yield the context, and what lies behind its links under the links' names as well."""
        yield from self._context.items()
        for path, file in self._context.items():
            if file.mode == _LINK:
                target = normpath("/" + path.rpartition("/")[0] + "/" + file.content.decode()).strip("/")
                for other, behind in self._context.items():
                    if other == target or other.startswith(f"{target}/"):
                        yield path + other[len(target) :], behind


def _copy(rest: str) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    while match := re.match(r"--(\w+)(?:=(\S+))?\s+", rest):
        options[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    if rest.startswith("["):
        return options, json.loads(rest)
    return options, shlex.split(rest.split("\n")[0])


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        name, default = match[1] or match[3], match[2]
        return variables.get(name) or default or ""

    return re.sub(r"\$\{(\w+)(?::-([^}]*))?\}|\$(\w+)", value, text)
