"""Whether a path is what a ``COPY`` names: exactly, below it, or by the rules of Go's ``filepath.Match``."""

from __future__ import annotations

import re
from functools import lru_cache

_WILD = re.compile(r"[*?\[]")
_PIECE = re.compile(r"\*+|\?|\[\^?[^\]\\\[]+\]|[^*?\[]+")


class BadPattern(ValueError):  # noqa: N818 - caught where the answer is the whole context
    """Go refuses the pattern, or it is more than is followed here."""


def is_wild(pattern: str) -> bool:
    """Whether a pattern has wildcards."""
    return _WILD.search(pattern) is not None


def parts(source: str) -> tuple[str, ...]:
    """Return the parts of a source, cleaned as Docker cleans it; none for the whole context.

    Raises BadPattern when it leads upwards, or has wildcards that are not followed.
    """
    found = tuple(part for part in source.split("/") if part not in ("", "."))
    if ".." in found or "\\" in source:
        raise BadPattern(source)
    for part in found:
        if is_wild(part):
            _expression(part)
    return found


def touches(pattern: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether a path is what the pattern names, lies below it, or is a part of the way to it."""
    return all(_matches(part, name) for part, name in zip(pattern, path, strict=False))


def literal(pattern: tuple[str, ...]) -> tuple[str, ...]:
    """Return the parts before the first wildcard: the folder below which all matches lie."""
    for at, part in enumerate(pattern):
        if is_wild(part):
            return pattern[:at]
    return pattern


def _matches(part: str, name: str) -> bool:
    return part == name if not is_wild(part) else _expression(part).fullmatch(name) is not None


@lru_cache(maxsize=512)
def _expression(part: str) -> re.Pattern[str]:
    """Translate one part of a pattern. Stars but the last are atomic, so that a hostile pattern cannot backtrack."""
    pieces = _PIECE.findall(part)
    if "".join(pieces) != part or "**" in part:
        raise BadPattern(part)
    last = max((at for at, piece in enumerate(pieces) if piece == "*"), default=-1)
    expression, is_open = "", False
    for at, piece in enumerate(pieces):
        if piece == "*":
            expression += ")" if is_open else ""
            is_open = at != last
            expression += "(?>.*?" if is_open else ".*"
        else:
            expression += _translated(piece)
    return re.compile(expression, re.DOTALL)


def _translated(piece: str) -> str:
    if piece == "?":
        return "."
    if not piece.startswith("["):
        return re.escape(piece)
    negation, body = ("^", piece[2:-1]) if piece.startswith("[^") else ("", piece[1:-1])
    if re.fullmatch(r"(?:[\w. ](?:-[\w. ])?)+", body) is None:
        raise BadPattern(piece)
    try:
        re.compile(f"[{negation}{body}]")
    except re.error:
        raise BadPattern(piece) from None
    return f"[{negation}{body}]"
