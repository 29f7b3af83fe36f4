"""Reading JSON as Mackerel documents it: every field has a name, a type and bounds; what breaks one is refused with 400.

A shape is written as a table, ``{"title": text(most=250), "memo?": text()}``; a name that ends with "?" may be absent or
null. Fields that the documents do not know are dropped.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from lab.mackerel.answers import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Reader = Callable[[Any, str], Any]


def text(*, least: int = 0, most: int | None = None, matching: str | None = None) -> Reader:
    """Text of so many characters that matches the whole pattern."""

    def read(value: Any, where: str) -> str:
        _demand(isinstance(value, str), where, "must be a string")
        _demand(len(value) >= least, where, f"must have at least {least} characters")
        _demand(most is None or len(value) <= most, where, f"must have at most {most} characters")
        _demand(matching is None or re.fullmatch(matching, value) is not None, where, f"must match {matching}")
        return str(value)

    return read


def number(least: float = -math.inf, most: float = math.inf) -> Reader:
    """A finite number. JSON has no NaN and no infinity."""

    def read(value: Any, where: str) -> float:
        _demand(isinstance(value, int | float) and not isinstance(value, bool), where, "must be a number")
        _demand(math.isfinite(value), where, "must be finite")
        _demand(least <= value <= most, where, f"must be between {least} and {most}")
        return value  # type: ignore[no-any-return]

    return read


def integer(least: float = -math.inf, most: float = math.inf, *, multiple_of: int = 1) -> Reader:
    """A whole number between two bounds."""
    bounded = number(least, most)

    def read(value: Any, where: str) -> int:
        value = bounded(value, where)
        _demand(value == int(value), where, "must be a whole number")
        _demand(int(value) % multiple_of == 0, where, f"must be a multiple of {multiple_of}")
        return int(value)

    return read


def flag() -> Reader:
    """True or false."""

    def read(value: Any, where: str) -> bool:
        _demand(isinstance(value, bool), where, "must be true or false")
        return bool(value)

    return read


def one_of(*values: str) -> Reader:
    """One of the documented words."""

    def read(value: Any, where: str) -> str:
        _demand(isinstance(value, str) and value in values, where, f"must be one of {', '.join(values)}")
        return str(value)

    return read


def array(of: Reader, *, least: int = 0, most: int | None = None) -> Reader:
    """A list of so many entries of one kind."""

    def read(value: Any, where: str) -> list[Any]:
        _demand(isinstance(value, list), where, "must be an array")
        _demand(len(value) >= least, where, f"must have at least {least} entries")
        _demand(most is None or len(value) <= most, where, f"must have at most {most} entries")
        return [of(entry, f"{where}[{index}]") for index, entry in enumerate(value)]

    return read


def document(shape: Mapping[str, Reader]) -> Reader:
    """An object with the fields of the table."""

    def read(value: Any, where: str) -> dict[str, Any]:
        _demand(isinstance(value, dict), where, "must be an object")
        found = {}
        for label, reader in shape.items():
            name = label.removesuffix("?")
            if value.get(name) is not None:
                found[name] = reader(value[name], f"{where}.{name}".lstrip("."))
            else:
                _demand(label.endswith("?"), f"{where}.{name}".lstrip("."), "is required")
        return found

    return read


def by_type(shapes: Mapping[str, Mapping[str, Reader]], common: Mapping[str, Reader]) -> Reader:
    """An object whose field ``type`` says which other fields it has."""
    readers = {kind: document({"type": one_of(*shapes), **common, **shape}) for kind, shape in shapes.items()}

    def read(value: Any, where: str) -> Any:
        _demand(isinstance(value, dict), where, "must be an object")
        kind = one_of(*shapes)(value.get("type"), f"{where}.type".lstrip("."))
        return readers[kind](value, where)

    return read


def anything(value: Any, where: str) -> Any:  # noqa: ARG001 - it has a reader's form
    """Whatever JSON holds."""
    return value


def _demand(holds: bool, where: str, rule: str) -> None:  # noqa: FBT001 - a verdict, not a switch
    if not holds:
        raise Refusal(400, f"{where or 'the body'} {rule}.")
