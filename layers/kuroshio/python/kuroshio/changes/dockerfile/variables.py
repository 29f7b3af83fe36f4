"""The variables of a Dockerfile: ``ARG``, ``ENV``, and what the builder passes.

What a base image sets in its environment is not known, and goes before ``ARG``. So a name is known when the Dockerfile
sets it by ``ENV``, or declares it by ``ARG`` and no usual image sets a variable of that name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USE = re.compile(r"\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^${}]*))?\})", re.ASCII)
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_WORD = re.compile(r"""(?:[^\s"'\\`]|"[^"\\`]*"|'[^']*')+""")
_QUOTED = re.compile(r"""([^"'\\`]*)|"([^"\\`]*)"|'([^']*)'""")

# The builder decides these; SAM CLI adds the last.
_MACHINE = re.compile(
    r"(?:BUILD|TARGET)(?:PLATFORM|OS|OSVERSION|ARCH|VARIANT|STAGE)|BUILDKIT_\w+|SOURCE_DATE_EPOCH|SAM_BUILD_MODE"
    r"|(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY",
    re.IGNORECASE,
)
# Such names are set by base images of languages and systems.
_USUAL = re.compile(
    r"(?:LAMBDA|AWS|PYTHON|PIP|UV|NODE|NPM|YARN|JAVA|JDK|MAVEN|GRADLE|GO|GOLANG|RUBY|GEM|BUNDLE|CARGO|RUST|RUSTUP|DOTNET|ASPNET"
    r"|NUGET|LC|LD|GPG|SSL|DEBIAN|APT|PHP|PERL|XDG)(?:_\w+)?|GO\w+|\w+_(?:VERSION|SHA\d*|SHASUM|CHECKSUM|HOME)"
    r"|PATH|HOME|LANG|LANGUAGE|TZ|TERM|USER|SHELL|HOSTNAME|PWD|_HANDLER",
)


class Unknown(Exception):  # noqa: N818 - caught where the value is needed
    """The value of a variable is not known."""


def expanded(text: str, values: Mapping[str, str | None]) -> str:
    """Return ``text`` with its variables; None in ``values``: known to be unset. Raises Unknown for all others."""
    pieces, at = [], 0
    for match in _USE.finditer(text):
        pieces += [_plain(text[at : match.start()]), _value(match, values)]
        at = match.end()
    return "".join([*pieces, _plain(text[at:])])


def _plain(text: str) -> str:
    if any(character in text for character in "$\"'\\`"):
        raise Unknown
    return text


def _value(match: re.Match[str], values: Mapping[str, str | None]) -> str:
    name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
    if name not in values:
        raise Unknown
    value = values[name]
    is_set = bool(value) if operator.startswith(":") else value is not None
    if operator.endswith("-"):
        return (value or "") if is_set else _plain(word)
    if operator.endswith("+"):
        return _plain(word) if is_set else ""
    return value or ""


def unquoted(text: str, values: Mapping[str, str | None]) -> str:
    """Return the value that an assignment gives: plain, or in one pair of quotes. Raises Unknown."""
    match = _QUOTED.fullmatch(text)
    if match is None:
        raise Unknown
    return match[3] if match[3] is not None else expanded(match[1] or match[2] or "", values)


def words(rest: str) -> list[str]:
    """Split at white space that stands in no quotes. Raises Unknown where characters are escaped."""
    found = _WORD.findall(rest)
    if re.sub(r"\s", "", "".join(found)) != re.sub(r"\s", "", rest):
        raise Unknown
    return found


@dataclass
class Scope:
    """The variables at one place of a Dockerfile.

    ``given``: the build arguments that are passed, None for an unknown value; None as a whole: any may be passed.
    """

    given: Mapping[str, str | None] | None
    outer: Mapping[str, str | None] = field(default_factory=dict)  # ARG before the first FROM
    outer_unknown: frozenset[str] = frozenset()
    env: dict[str, str | None] = field(default_factory=dict)  # None: not known
    args: dict[str, str | None] = field(default_factory=dict)  # None: unset
    unknown: set[str] = field(default_factory=set)  # arguments whose value is not known
    has_base: bool = False  # an image from elsewhere, whose environment counts too
    is_lost: bool = False  # nothing is known any more

    def child(self) -> Scope:
        """The scope of a stage that begins with this one: ``ENV`` is inherited; of ``ARG`` versions of Docker differ."""
        return Scope(
            self.given,
            self.outer,
            self.outer_unknown,
            dict(self.env),
            unknown={*self.unknown, *self.args},
            has_base=self.has_base,
            is_lost=self.is_lost,
        )

    def values(self) -> dict[str, str | None]:
        """The names that are known, with their values; None: unset."""
        if self.is_lost:
            return {}
        hidden = {name for name in self.args if self.has_base and _USUAL.fullmatch(name)} | self.unknown
        known = {name: value for name, value in self.args.items() if name not in hidden}
        for name, value in self.env.items():
            known.pop(name, None)
            if value is not None:
                known[name] = value
        return known

    def declare(self, rest: str) -> None:
        """Follow ``ARG NAME``, ``ARG NAME=default``, or several."""
        for name, _, default in self._assignments(rest):
            if not _NAME.fullmatch(name) or _MACHINE.fullmatch(name) or self.given is None:
                self._forget(name)
                continue
            try:
                value = self._argument(name, default)
            except Unknown:
                self._forget(name)
                continue
            if name in self.args and self.args[name] != value:
                self._forget(name)
            elif name not in self.unknown:
                self.args[name] = value

    def _argument(self, name: str, default: str | None) -> str | None:
        if self.given is not None and name in self.given:
            value = self.given[name]
            if value is None:
                raise Unknown
            return value
        if default is not None:
            return unquoted(default, self.values())
        if name in self.outer_unknown:
            raise Unknown
        return self.outer.get(name)

    def _forget(self, name: str) -> None:
        self.args.pop(name, None)
        self.unknown.add(name)

    def assign(self, rest: str) -> None:
        """Follow ``ENV NAME=value ...`` or ``ENV NAME value``."""
        before = self.values()
        first = rest.split(None, 1)
        if first and "=" not in first[0]:
            self._set(first[0], first[1] if len(first) > 1 else "", before)
            return
        for name, has_value, value in self._assignments(rest):
            if has_value:
                self._set(name, value or "", before)
            else:
                self.is_lost = True

    def _set(self, name: str, text: str, before: Mapping[str, str | None]) -> None:
        if not _NAME.fullmatch(name):
            self.is_lost = True
            return
        try:
            self.env[name] = unquoted(text, before)
        except Unknown:
            self.env[name] = None

    def _assignments(self, rest: str) -> Iterator[tuple[str, bool, str | None]]:
        try:
            found = words(rest)
        except Unknown:
            self.is_lost = True
            return
        for word in found:
            name, equals, value = word.partition("=")
            yield name, bool(equals), value if equals else None
