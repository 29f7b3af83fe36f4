"""What ``.dockerignore`` leaves out of a build context, by the rules of moby's ``patternmatcher``."""

from __future__ import annotations

import re
from functools import lru_cache
from posixpath import normpath

from kuroshio.errors import LimitExceeded

MAX_PATTERNS = 1_000
# Each "**" multiplies the ways to match; with more of them a hostile pattern could keep a processor busy for hours.
MAX_DOUBLE_STARS = 3
# Reading a pattern costs the square of its length where brackets stay open; no path that Linux opens is longer.
MAX_LENGTH = 4_096
MAX_CHARACTERS = 256 * 1024

_PIECE = re.compile(r"\*{2,}/|\*{2,}|\*|\?|\[\^?[^\]]+\]|\\.|.", re.DOTALL)


def patterns(content: bytes) -> tuple[str, ...]:
    """Return the patterns of a .dockerignore, cleaned as Docker cleans them; the order matters.

    Raises LimitExceeded when there are more than MAX_PATTERNS or MAX_CHARACTERS of them, or when one has more than
    MAX_DOUBLE_STARS "**" or MAX_LENGTH characters.
    """
    lines = content.decode("utf-8-sig", "surrogateescape").splitlines()
    found = tuple(filter(None, (_clean(line) for line in lines if not line.startswith("#"))))
    if len(found) > MAX_PATTERNS:
        raise LimitExceeded(f".dockerignore has {len(found):,} patterns; at most {MAX_PATTERNS:,} are read")
    if sum(map(len, found)) > MAX_CHARACTERS:
        raise LimitExceeded(f".dockerignore has patterns of more than {MAX_CHARACTERS:,} characters")
    for pattern in found:
        if len(pattern) > MAX_LENGTH:
            raise LimitExceeded(f'.dockerignore: "{pattern[:80]}" has more than {MAX_LENGTH:,} characters')
        if pattern.count("**") > MAX_DOUBLE_STARS:
            raise LimitExceeded(f'.dockerignore: "{pattern[:80]}" has more than {MAX_DOUBLE_STARS} "**"')
    return found


def _clean(line: str) -> str:
    negation, pattern = ("!", line.strip()[1:].strip()) if line.strip().startswith("!") else ("", line.strip())
    pattern = normpath(pattern).strip("/") if pattern else "."
    return "" if pattern == "." else negation + pattern


def excludes(rules: tuple[str, ...], path: str, *, excluded: bool = False) -> bool:
    """Whether ``path`` (relative to the context) is left out: the last rule that matches it or a folder of it decides.

    ``excluded`` is what holds where no rule matches.
    """
    for negated, expression in _compiled(rules):
        if negated == excluded and expression.match(path):
            excluded = not negated
    return excluded


@lru_cache(maxsize=256)
def _compiled(rules: tuple[str, ...]) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    return tuple((rule.startswith("!"), _expression(rule.removeprefix("!"))) for rule in rules)


def _expression(pattern: str) -> re.Pattern[str]:
    """Translate one pattern. It matches the path itself and all that lies below it.

    All stars but the last become atomic groups, as in Python's fnmatch: a hostile pattern cannot backtrack through them.
    """
    pieces = _PIECE.findall(pattern)
    last = max((at for at, piece in enumerate(pieces) if piece == "*"), default=-1)
    expression, in_group = "", False
    for at, piece in enumerate(pieces):
        if piece.startswith("*") and in_group:
            expression, in_group = expression + ")", False
        if piece == "*" and at != last:
            expression, in_group = expression + "(?>[^/]*?", True
        else:
            expression += _translated(piece)
    return re.compile(rf"(?:{expression}{')' if in_group else ''})(?:/.*)?\Z", re.DOTALL)


def _translated(piece: str) -> str:
    if piece.startswith("**"):
        return "(?:.*/)?" if piece.endswith("/") else ".*"
    if piece in ("*", "?"):
        return "[^/]*" if piece == "*" else "[^/]"
    if piece.startswith("[") and len(piece) > 1:
        return _character_class(piece[1:-1])
    return re.escape(piece[-1])


def _character_class(body: str) -> str:
    negation, body = ("^", body[1:]) if body.startswith("^") else ("", body)
    escaped = re.sub(r"([\\\[^&~|])", r"\\\1", body)
    try:
        re.compile(f"[{negation}{escaped}]")
    except re.error:
        return r"(?!)"  # Docker refuses such a pattern: it matches nothing
    return f"(?!/)[{negation}{escaped}]"
