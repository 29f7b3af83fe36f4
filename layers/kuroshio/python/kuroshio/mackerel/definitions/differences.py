"""Where two documents differ in what they mean. What Mackerel adds of its own, nulls, defaults, empty lists, means nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

# What Mackerel may hand back of a field that was never sent.
_DEFAULTS = {"maxCheckAttempts": 1, "fractionSize": 0, "isStacked": False}
_NOT_OURS = {"id", "isMute", "createdAt", "updatedAt"}


@dataclass(frozen=True)
class Difference:
    """One field that is not as it shall be."""

    field: str
    is_now: Any
    shall_be: Any


def differences(wanted: Any, there: Any, where: str = "") -> Iterator[Difference]:
    """The fields in which they differ, in the order of ``wanted``; then those that only ``there`` has."""
    if isinstance(wanted, dict) and isinstance(there, dict):
        for field in dict.fromkeys([*wanted, *(name for name in there if name not in _NOT_OURS)]):
            path = f"{where}.{field}".lstrip(".")
            yield from differences(_meant(field, wanted.get(field)), _meant(field, there.get(field)), path)
    elif isinstance(wanted, list) and isinstance(there, list):
        for index in range(max(len(wanted), len(there))):
            shall, now = (each[index] if index < len(each) else None for each in (wanted, there))
            yield from differences(shall, now, f"{where}[{index}]")
    elif wanted != there:
        yield Difference(where, there, wanted)


def _meant(field: str, value: Any) -> Any:
    if isinstance(value, dict):
        return value if any(_meant(name, each) is not None for name, each in value.items()) else None
    return None if value in ([], "") or (field in _DEFAULTS and value == _DEFAULTS[field]) else value
