"""What package.json's ``exports`` and ``imports`` map a name to, over all conditions at once.

Source: Node.js "Modules: Packages", "Subpath patterns" and "Conditional exports". Which conditions hold is the
bundler's choice; each target that any of them leads to is taken, so that none is missed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_MAX_DEPTH = 20


def targets(mapping: Any, key: str) -> list[str]:
    """Return what the mapping has for ``key`` ("." or "./sub" for exports, "#name" for imports); [] for nothing."""
    if not isinstance(mapping, dict) or not any(name.startswith((".", "#")) for name in mapping):
        mapping = {".": mapping}  # exports of the main entry alone
    if key in mapping:
        return list(dict.fromkeys(_leaves(mapping[key], "", _MAX_DEPTH)))
    match = _best_pattern(mapping, key)
    if match is None:
        return []
    pattern, star = match
    return list(dict.fromkeys(_leaves(mapping[pattern], star, _MAX_DEPTH)))


def _best_pattern(mapping: dict[str, Any], key: str) -> tuple[str, str] | None:
    """Return the pattern with the longest text before its star that fits, and what the star stands for."""
    for pattern in sorted(mapping, key=lambda each: (-len(each.partition("*")[0]), -len(each))):
        head, star, tail = pattern.partition("*")
        if star and key.startswith(head) and key.endswith(tail) and len(key) >= len(head) + len(tail):
            return pattern, key[len(head) : len(key) - len(tail)]
        if pattern.endswith("/") and key.startswith(pattern):  # folders, as Node.js had them up to version 16
            return pattern, key[len(pattern) :]
    return None


def _leaves(value: Any, star: str, depth: int) -> Iterator[str]:
    if not depth:
        return
    if isinstance(value, str):
        yield value + star if value.endswith("/") else value.replace("*", star)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, star, depth - 1)
    elif isinstance(value, dict):
        for condition, item in value.items():
            if not condition.startswith("types"):  # read by the type checker only
                yield from _leaves(item, star, depth - 1)
