"""Dockerfile text to instructions: parser directives, continued lines, comments, here-documents, flags."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# BuildKit's own scanner ends at lines of 64 KB; real files have some hundred lines.
MAX_BYTES = 256 * 1024
MAX_LINES = 5_000

_KNOWN = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
_WITH_DOCUMENTS = frozenset({"ADD", "COPY", "RUN"})
# Docker's own frontend, in any version. Another may give instructions another meaning.
_SYNTAX = re.compile(r"(?:docker\.io/)?docker/dockerfile(?:-upstream)?(?:[:@].*)?")
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_FLAG = re.compile(r"(--[^\s\"'\\`]+)(?:[\t\v\f\r ]+|\Z)")
_SPACE = re.compile(r"[\t\v\f\r ]+")
_DOCUMENT = re.compile(r"\d*<<(-?)(?:([A-Za-z0-9_.]+)|\"([A-Za-z0-9_.]+)\"|'([A-Za-z0-9_.]+)')")

_MAY_BEGIN = re.compile(r"\d*<<(?!<)-?[^-]")


class NotUnderstood(Exception):  # noqa: N818 - no failure: the answer is the whole context
    """The file says something that cannot be followed; the message begins with the line."""


@dataclass(frozen=True)
class Instruction:
    """One instruction. ``rest`` is what stands after its flags; ``documents`` counts its here-documents."""

    line: int
    name: str
    flags: tuple[str, ...]
    rest: str
    documents: int = 0

    def refused(self, why: str) -> NotUnderstood:
        """Return the reason why this instruction widens the context."""
        return NotUnderstood(f"line {self.line}: {self.name} {why}")

    def words(self) -> list[str]:
        """The arguments: a JSON list, or what stands between white space."""
        if self.rest.startswith("["):
            try:
                found = json.loads(self.rest)
            except (ValueError, RecursionError):
                found = None  # as BuildKit: then it is plain text that begins with a bracket
            if isinstance(found, list):
                if all(isinstance(word, str) for word in found):
                    return found
                raise self.refused("has a list that is not made of texts")
        return _SPACE.split(self.rest) if self.rest else []


def instructions(content: bytes) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile. Raises NotUnderstood."""
    if len(content) > MAX_BYTES or content.count(b"\n") > MAX_LINES:
        raise NotUnderstood(f"it has more than {MAX_BYTES:,} bytes or {MAX_LINES:,} lines")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotUnderstood("it is not UTF-8") from None
    if "\0" in text or "\r" in text.replace("\r\n", ""):
        raise NotUnderstood("it has control characters")
    lines = text.replace("\r\n", "\n").split("\n")
    escape = _directives(lines)
    at = 0
    while at < len(lines):
        start, line = at + 1, lines[at].lstrip()
        at += 1
        if not line or line.startswith("#"):
            continue
        line, at = _continued(line, lines, at, escape)
        found = instruction(line, start)
        names = list(_documents(found))
        for name, strips_tabs in names:
            at = _after_document(lines, at, name, strips_tabs=strips_tabs)
        yield Instruction(found.line, found.name, found.flags, found.rest, len(names))


def instruction(line: str, number: int) -> Instruction:
    """Return the instruction that one logical line holds."""
    name, _, rest = _SPACE.sub(" ", line.strip(), count=1).partition(" ")
    name, rest = name.upper(), rest.strip()
    if name not in _KNOWN:
        raise NotUnderstood(f"line {number}: {name[:40]} is no instruction that is known")
    flags = []
    while match := _FLAG.match(rest):
        flags.append(match[1])
        rest = rest[match.end() :]
    found = Instruction(number, name, tuple(flags), rest)
    if rest.startswith("--") and name not in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
        raise found.refused("has a flag in quotes")
    return found


def _directives(lines: list[str]) -> str:
    """Return the escape character. Directives stand above everything else, each once."""
    if lines[0].startswith(("#!", "//", "{")):
        raise NotUnderstood("line 1: it begins as other languages do, and may name a frontend of its own")
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        match = _DIRECTIVE.fullmatch(line.lstrip())
        name = match[1].lower() if match else ""
        if not match or name not in ("escape", "syntax", "check"):
            break
        if name in found:
            raise NotUnderstood(f"line {number}: the directive {name} stands twice")
        found[name] = match[2]
    if not _SYNTAX.fullmatch(found.get("syntax", "docker/dockerfile")):
        raise NotUnderstood(f"its frontend {found['syntax'][:80]} is not Docker's own")
    escape = found.get("escape", "\\")
    if escape not in ("\\", "`"):
        raise NotUnderstood("its escape directive names neither \\ nor `")
    return escape


def _continued(line: str, lines: list[str], at: int, escape: str) -> tuple[str, int]:
    """Join a line with those that continue it; comments and empty lines between them do not count."""
    start = at
    while line.rstrip(" \t").endswith(escape):
        line = line.rstrip(" \t")[:-1]
        if line.endswith(escape):
            raise NotUnderstood(
                f"line {at}: it ends with two escape characters, which versions of Docker read differently"
            )
        while at < len(lines) and (not lines[at].strip() or lines[at].lstrip().startswith("#")):
            at += 1
        if at == len(lines):
            raise NotUnderstood(f"line {start}: the file ends where the line goes on")
        line += lines[at]
        at += 1
    return line, at


def _documents(found: Instruction) -> Iterator[tuple[str, bool]]:
    """Yield the name of each here-document that the instruction opens, and whether its end may be indented by tabs."""
    if "<<" not in found.rest:
        return
    name, rest = found.name, found.rest
    if name == "ONBUILD":
        raise found.refused("has a here-document")
    if name not in _WITH_DOCUMENTS or (rest.startswith("[") and _is_json(rest)):
        return
    for word in _shell_words(found):
        match = _DOCUMENT.fullmatch(word)
        if match:
            yield match[2] or match[3] or match[4], bool(match[1])
        elif _MAY_BEGIN.match(word):
            raise found.refused(f'has "{word[:40]}", which may begin a here-document')


def _is_json(rest: str) -> bool:
    try:
        return isinstance(json.loads(rest), list)
    except (ValueError, RecursionError):
        return False


_SHELL_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+""")


def _shell_words(found: Instruction) -> list[str]:
    words = _SHELL_WORD.findall(found.rest)
    if re.sub(r"\s", "", "".join(words)) != re.sub(r"\s", "", found.rest):
        raise found.refused("has quotes that do not end, and <<")
    return words


def _after_document(lines: list[str], at: int, name: str, *, strips_tabs: bool) -> int:
    for end in range(at, len(lines)):
        line = lines[end].lstrip("\t") if strips_tabs else lines[end]
        if line == name:
            return end + 1
    raise NotUnderstood(f"line {at}: the here-document {name} does not end")
