"""A small YAML file whose errors name their place: line, column, what stands there and what was expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from kuroshio.changes.document import load
from kuroshio.errors import LimitExceeded, SettingsInvalid, TemplateUnreadable

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SHOWN = 60


@dataclass(frozen=True)
class Place:
    """One value of the file. Every question says what was expected where the answer is no."""

    file: str
    name: str
    node: Any  # None: the file is empty
    value: Any  # what document.load makes of the node

    @property
    def line(self) -> int:
        """The line on which the value begins, from 1."""
        return self.node.start_mark.line + 1 if self.node else 1

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands there."""
        return self.value is None

    def refused(self, expected: str) -> SettingsInvalid:
        """Return the error that says what stands here and what was expected."""
        column = self.node.start_mark.column + 1 if self.node else 1
        where = f"{self.file}, line {self.line}, column {column}"
        message = f"{where}: {self.name} is {self._found}; expected {expected}"
        return SettingsInvalid(message, line=self.line, column=column)

    @property
    def _found(self) -> str:
        if self.is_empty:
            return "empty"
        if isinstance(self.node, yaml.ScalarNode):
            text = self.node.value
            return f'"{text[:_SHOWN]}…"' if len(text) > _SHOWN else f'"{text}"'
        return "a mapping" if isinstance(self.node, yaml.MappingNode) else "a list"

    def pairs(self) -> list[tuple[Place, Place]]:
        """The keys of a mapping with their values."""
        if not isinstance(self.node, yaml.MappingNode):
            raise self.refused("a mapping")
        places = []
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value not in self.value:
                raise Place(self.file, "a key", key, "").refused("a plain text; << and lists are not read here")
            name = key.value if self.name == "the file" else f"{self.name}.{key.value}"
            places.append(
                (Place(self.file, name, key, key.value), Place(self.file, name, value, self.value[key.value]))
            )
        return places

    def mapping(self, *keys: str, required: tuple[str, ...] = ()) -> dict[str, Place]:
        """The values of a mapping that has no other ``keys``, and all that are ``required``."""
        found = {}
        for key, value in self.pairs():
            if key.value not in keys:
                raise Place(self.file, "the key", key.node, key.value).refused(f"one of: {', '.join(keys)}")
            found[key.value] = value
        for name in required:
            if name not in found:
                raise self.refused(f"a mapping with the key {name}")
        return found

    def items(self, expected: str) -> list[Place]:
        """The entries of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.refused(expected)
        pairs = zip(self.node.value, self.value, strict=True)
        return [Place(self.file, f"{self.name}[{at}]", node, value) for at, (node, value) in enumerate(pairs)]

    def one_or_more(self, expected: str) -> list[Place]:
        """The entries of a list, or the value itself."""
        return self.items(expected) if isinstance(self.node, yaml.SequenceNode) else [self]

    def text(self, expected: str) -> str:
        """The text that stands here; never empty."""
        if not isinstance(self.node, yaml.ScalarNode) or not self.node.value or self.is_empty:
            raise self.refused(expected)
        return str(self.node.value)

    def flag(self) -> bool:
        """A boolean."""
        if not isinstance(self.value, bool):
            raise self.refused("true or false")
        return self.value

    def one_of(self, *choices: str) -> str:
        """One of some words."""
        expected = f"one of: {', '.join(choices)}"
        text = self.text(expected)
        if text not in choices:
            raise self.refused(expected)
        return text


def read(content: bytes, file: str, repeated: list[str] | None = None) -> Place:
    """Read the file. Raises SettingsInvalid when it is not well-formed YAML within the bounds of ``document.load``.

    ``repeated``: as there.
    """
    try:
        value = load(content, repeated)
    except (TemplateUnreadable, LimitExceeded) as error:
        raise SettingsInvalid(f"{file}: {error}") from None
    try:
        # Composing recurses in C, which is safe after load() has bounded depth and aliases.
        return Place(file, "the file", yaml.compose(content, Loader=_Loader), value)
    except yaml.YAMLError as error:  # JSON that is no YAML: a tab before it, half a surrogate pair in it
        raise SettingsInvalid(f"{file}: {error}") from None
