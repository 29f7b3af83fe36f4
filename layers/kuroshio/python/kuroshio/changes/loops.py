"""``Fn::ForEach`` of the transform AWS::LanguageExtensions, written out as CloudFormation writes it out.

``${Name}`` and ``Ref: Name`` become the value of a turn, ``&{Name}`` its letters and digits. A loop runs over a list that
can be known from the template (``Values.items``: a list that stands there, the default of a list parameter, an entry of a
mapping); any other loop is left as it is.
"""

from __future__ import annotations

import re
from typing import Any

from kuroshio.changes.values import Values
from kuroshio.errors import LimitExceeded

PREFIX = "Fn::ForEach::"
# Loops within loops multiply; CloudFormation ends at 500 resources, so real templates stay far below.
MAX_VALUES = 200_000

_MENTION = re.compile(r"([$&])\{([A-Za-z0-9]+)\}")
_OTHER = re.compile(r"[^A-Za-z0-9]")


def expand(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template with all loops written out that can be. Raises LimitExceeded beyond MAX_VALUES values."""
    expanded: dict[str, Any] = _Expansion(template).value(template, {})
    return expanded


class _Expansion:
    def __init__(self, template: dict[str, Any]) -> None:
        self._values = Values(template)
        self._left = MAX_VALUES

    def value(self, value: Any, bound: dict[str, str]) -> Any:
        if bound:
            self._left -= 1
            if self._left < 0:
                raise LimitExceeded(f"its loops make more than {MAX_VALUES:,} values")
        if isinstance(value, dict):
            return self._mapping(value, bound)
        if isinstance(value, list):
            return [self.value(item, bound) for item in value]
        return _substituted(value, bound) if isinstance(value, str) else value

    def _mapping(self, value: dict[str, Any], bound: dict[str, str]) -> Any:
        reference = value.get("Ref") if len(value) == 1 else None
        if isinstance(reference, str) and reference in bound:
            return bound[reference]
        written: dict[str, Any] = {}
        for key, item in value.items():
            turns = self._turns(item, bound) if key.startswith(PREFIX) else None
            if turns is None:
                written[_substituted(key, bound)] = self.value(item, bound)
                continue
            for turn in turns:
                written |= self.value(item[2], turn)
        return written

    def _turns(self, loop: Any, bound: dict[str, str]) -> list[dict[str, str]] | None:
        """Return what is bound in each turn; None when that cannot be known."""
        if not (isinstance(loop, list) and len(loop) == 3 and isinstance(loop[0], str) and isinstance(loop[2], dict)):  # noqa: PLR2004 - identifier, collection, body
            return None
        values = self._values.items(self.value(loop[1], bound))
        return None if values is None else [{**bound, loop[0]: value} for value in values]


def _substituted(text: str, bound: dict[str, str]) -> str:
    def value(match: re.Match[str]) -> str:
        if match[2] not in bound:
            return match[0]
        return bound[match[2]] if match[1] == "$" else _OTHER.sub("", bound[match[2]])

    return _MENTION.sub(value, text) if bound else text
