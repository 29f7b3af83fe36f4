"""What else in its template a definition depends on: parameters, mappings, conditions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBSTITUTED = re.compile(r"\$\{([^!${}][^${}]*)\}")

# What of a parameter decides its value when nobody passes one; a description does not.
_DECISIVE = ("Default", "Type")


def names(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the (kind, name) of everything that ``value`` refers to: "value", "mapping" or "condition".

    The name "" of a mapping: it is computed, so it may be any.
    """
    if isinstance(value, list):
        for item in value:
            yield from names(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _direct(key, item)
            yield from names(item)


def _direct(key: str, item: Any) -> Iterator[tuple[str, str]]:
    first = item[0] if isinstance(item, list) and item else item
    if key == "Ref" and isinstance(item, str):
        yield "value", item
    elif key == "Fn::GetAtt" and isinstance(first, str):
        yield "value", first.split(".")[0]
    elif key == "Fn::Sub" and isinstance(first, str):
        for name in _SUBSTITUTED.findall(first):
            yield "value", name.strip().split(".")[0]
    elif key == "Fn::FindInMap":
        yield "mapping", first if isinstance(first, str) else ""
    elif (key == "Condition" and isinstance(item, str)) or (key == "Fn::If" and isinstance(first, str)):
        yield "condition", first


def parts(template: dict[str, Any], value: Any) -> dict[str, Any]:
    """Return the parameters, mappings and conditions that ``value`` depends on, each under a name of its own.

    Conditions are followed to what they depend on themselves.
    """
    found: dict[str, Any] = {}
    waiting = list(names(value))
    while waiting:
        for name, part in _named(template, *waiting.pop()):
            if name not in found:
                found[name] = part
                if name.startswith("Conditions."):
                    waiting.extend(names(part))
    return found


def _named(template: dict[str, Any], kind: str, name: str) -> Iterator[tuple[str, Any]]:
    section = {"value": "Parameters", "mapping": "Mappings", "condition": "Conditions"}[kind]
    entries = template.get(section)
    if kind == "mapping" and not name and isinstance(entries, dict):
        yield from ((f"{section}.{each}", entries[each]) for each in entries)
    if not isinstance(entries, dict) or name not in entries:
        return
    part = entries[name]
    if section == "Parameters" and isinstance(part, dict):
        part = {key: part[key] for key in _DECISIVE if key in part}
    yield f"{section}.{name}", part
