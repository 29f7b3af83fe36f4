"""The user's own deploy command: read from JSON as words, never as a line for a shell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from kuroshio.changes.plan import UnitChange
    from kuroshio.github.waves import Wave

_ANY = "*"


@dataclass(frozen=True)
class Errand:
    """One command and the units that it is handed."""

    command: tuple[str, ...]
    units: tuple[UnitChange, ...]
    kind: str = ""


@dataclass(frozen=True)
class Commands:
    """Commands by kind of unit; or one for all of them at once."""

    by_kind: dict[str, tuple[str, ...]]
    is_one: bool

    def errands(self, waves: tuple[Wave, ...]) -> tuple[Errand, ...]:
        """Return what is run, in order. Raises InvalidRequest, before anything is run, for a kind without a command."""
        if self.is_one:
            units = tuple(unit for wave in waves for unit in wave.units)
            return (Errand(self.by_kind[_ANY], units),) if units else ()
        missing = sorted({wave.kind for wave in waves} - self.by_kind.keys()) if _ANY not in self.by_kind else []
        if missing:
            raise InvalidRequest(
                f"deploy names no command for {', '.join(missing)}; add them, or {_ANY!r} for all else"
            )
        return tuple(Errand(self.by_kind.get(wave.kind) or self.by_kind[_ANY], wave.units, wave.kind) for wave in waves)


def parse(text: str) -> Commands:
    """Read ``["./deploy.sh"]``, or ``{"function": ["./functions.sh"], "*": ["sam", "deploy"]}``. Raises InvalidRequest."""
    try:
        given = json.loads(text)
    except ValueError as error:
        raise InvalidRequest(f'deploy is no JSON ({error}); write it as ["sam", "deploy"]') from None
    if isinstance(given, dict) and given:
        return Commands({kind: _words(kind, words) for kind, words in given.items()}, is_one=False)
    return Commands({_ANY: _words("deploy", given)}, is_one=True)


def results(text: str) -> dict[str, str]:
    """Read what a command wrote of its units: one JSON object a line, ``{"unit": …, "digest": …}``.

    A line that was cut off, as by a cancelled job, counts for nothing.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        try:
            each = json.loads(line)
        except ValueError:
            continue
        if isinstance(each, dict) and isinstance(each.get("unit"), str):
            found[each["unit"]] = str(each.get("digest") or "")
    return found


def _words(name: str, words: Any) -> tuple[str, ...]:
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise InvalidRequest(f'{name} must be a list of words, such as ["sam", "deploy"]; it is {json.dumps(words)}')
    return tuple(words)
