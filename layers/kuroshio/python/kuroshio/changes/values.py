"""What CloudFormation will compute, where the template says enough: parameters by their defaults, mappings, text functions.

A value may have several: both branches of an ``Fn::If``, all entries of a mapping whose key is known at deployment only.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any

from kuroshio.changes.canonical import is_intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# More than these, or deeper, and the value counts as unknown.
MAX_TEXTS = 50
_MAX_DEPTH = 20
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
_PAIR, _TRIPLE = 2, 3


class Values:
    """Computes the values of one template."""

    def __init__(self, template: dict[str, Any]) -> None:
        self._parameters = _section(template, "Parameters")
        self._mappings = _section(template, "Mappings")

    def texts(self, value: Any, depth: int = _MAX_DEPTH) -> tuple[str, ...] | None:
        """Return all texts that ``value`` may be; None when that is not known, or when it is no text.

        An empty tuple: ``AWS::NoValue``.
        """
        if isinstance(value, str):
            return (value,)
        if not is_intrinsic(value) or not depth:
            return None
        name, argument = next(iter(value.items()))
        compute: dict[str, Callable[[Any, int], Sequence[str] | None]] = {
            "Ref": self._reference,
            "Fn::Sub": self._substituted,
            "Fn::Join": self._joined,
            "Fn::If": self._either,
            "Fn::FindInMap": self._looked_up,
        }
        found = compute[name](argument, depth - 1) if name in compute else None
        return None if found is None or len(found) > MAX_TEXTS else tuple(dict.fromkeys(found))

    def text(self, value: Any) -> str | None:
        """Return the text that ``value`` surely is; None: it may be several, or is not known."""
        found = self.texts(value)
        return found[0] if found and len(found) == 1 else None

    def items(self, value: Any) -> list[str] | None:
        """Return the texts of a list; None when one of them is not known. A number counts as it is written."""
        if isinstance(value, dict):
            value = self._list(value)
        if not isinstance(value, list):
            return None
        found = [self.text(item) if isinstance(item, dict) else item for item in value]
        return None if any(item is None or isinstance(item, (dict, list)) for item in found) else [*map(str, found)]

    def prefix(self, value: Any) -> str:
        """Return the text that ``value`` surely begins with: enough to tell a URL from a path."""
        known = self.text(value)
        if known is not None:
            return known
        argument: Any = next(iter(value.values())) if is_intrinsic(value) else None
        if "Fn::Sub" in (value if isinstance(value, dict) else ()):
            first = argument[0] if isinstance(argument, list) and argument else argument
            return first.partition("${")[0] if isinstance(first, str) else ""
        if is_intrinsic(value) and "Fn::Join" in value and _is_list(argument, _PAIR) and _is_list(argument[1]):
            return self._first_of(argument[0], argument[1])
        return ""

    def _first_of(self, delimiter: Any, parts: list[Any]) -> str:
        known = []
        for part in parts:
            text = self.text(part)
            if text is None:
                break
            known.append(text)
        return str(delimiter).join([*known, ""]) if known else ""

    def _list(self, value: dict[str, Any]) -> Any:
        argument: Any = next(iter(value.values()), None)
        if not is_intrinsic(value):
            return None
        if "Ref" in value:
            default = _section(self._parameters, str(argument)).get("Default")
            return [item.strip() for item in default.split(",")] if isinstance(default, str) else None
        if "Fn::FindInMap" in value and _is_list(argument):
            entries = self._entries(argument, _MAX_DEPTH)
            return entries[0] if entries and len(entries) == 1 else None
        if "Fn::Split" in value and _is_list(argument, _PAIR) and isinstance(argument[0], str) and argument[0]:
            text = self.text(argument[1])
            return None if text is None else text.split(argument[0])
        return None

    def _reference(self, name: Any, _: int) -> Sequence[str] | None:
        if name == "AWS::NoValue":
            return ()
        parameter = _section(self._parameters, str(name))
        default = parameter.get("Default")
        is_list = "List" in str(parameter.get("Type"))
        return (default,) if isinstance(default, str) and default and not is_list else None

    def _substituted(self, argument: Any, depth: int) -> Sequence[str] | None:
        text, own = argument, {}
        if _is_list(argument, _PAIR) and isinstance(argument[1], dict):
            text, own = argument
        if not isinstance(text, str):
            return None
        pieces = _REFERENCE.split(text)  # text, name, text, name, ... text
        choices = [
            (piece,) if at % 2 == 0 else self._named(piece, own, depth) for at, piece in enumerate(pieces) if piece
        ]
        return _combined(choices, "")

    def _named(self, name: str, own: dict[str, Any], depth: int) -> tuple[str, ...] | None:
        if name.startswith("!"):
            return (f"${{{name[1:]}}}",)
        return self.texts(own[name], depth) if name in own else self.texts({"Ref": name.strip()}, depth)

    def _joined(self, argument: Any, depth: int) -> Sequence[str] | None:
        if not (_is_list(argument, _PAIR) and isinstance(argument[0], str) and _is_list(argument[1])):
            return None
        return _combined([self.texts(part, depth) for part in argument[1]], argument[0])

    def _either(self, argument: Any, depth: int) -> Sequence[str] | None:
        if not _is_list(argument, _TRIPLE):
            return None
        branches = [self.texts(branch, depth) for branch in argument[1:]]
        known = [branch for branch in branches if branch is not None]
        return [text for branch in known for text in branch] if len(known) == len(branches) else None

    def _looked_up(self, argument: Any, depth: int) -> Sequence[str] | None:
        entries = self._entries(argument, depth) if _is_list(argument) else None
        texts = [self.texts(entry, depth) for entry in entries or ()]
        known = [text for text in texts if text is not None]
        return [text for each in known for text in each] if entries and len(known) == len(texts) else None

    def _entries(self, argument: list[Any], depth: int) -> list[Any] | None:
        """Return what ``Fn::FindInMap`` may find; an unknown key may be any."""
        if len(argument) < _TRIPLE:
            return None
        found: list[Any] = [self._mappings]
        is_sure = True
        for key in argument[:_TRIPLE]:
            names = self.texts(key, depth)
            levels = [level for level in found if isinstance(level, dict)]
            is_sure = is_sure and names is not None and all(name in level for level in levels for name in names)
            found = [level[name] for level in levels for name in (level if names is None else names) if name in level]
            if len(found) > MAX_TEXTS:
                return None
        default = argument[_TRIPLE] if len(argument) > _TRIPLE else None
        if not is_sure and isinstance(default, dict) and "DefaultValue" in default:
            found.append(default["DefaultValue"])
        return found


def _combined(choices: list[tuple[str, ...] | None], delimiter: str) -> list[str] | None:
    count = 1
    for choice in choices:
        count *= len(choice or ())
        if not 0 < count <= MAX_TEXTS:
            return None
    return [delimiter.join(texts) for texts in product(*(choice or () for choice in choices))]


def _section(mapping: dict[str, Any], name: str) -> dict[str, Any]:
    section = mapping.get(name)
    return section if isinstance(section, dict) else {}


def _is_list(value: Any, length: int | None = None) -> bool:
    return isinstance(value, list) and length in (None, len(value))
