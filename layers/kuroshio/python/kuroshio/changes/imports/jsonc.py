"""JSON as tsconfig.json has it: with comments and commas behind the last item."""

from __future__ import annotations

import json
import re
from typing import Any

_NOISE = re.compile(
    r"""("(?:[^"\\\n]++|\\.)*+")|//[^\n\r]*+|/\*(?:[^*]++|\*(?!/))*+\*/|,(?=(?:\s++|//[^\n\r]*+|/\*(?:[^*]++|\*(?!/))*+\*/)*+[}\]])""",
    re.DOTALL,
)


def parse(content: bytes) -> dict[str, Any] | None:
    """Return the object that the text is; None when it is none, or cannot be read."""
    text = content.decode("utf-8-sig", "surrogateescape")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = _tolerant(text)
    return value if isinstance(value, dict) else None


def _tolerant(text: str) -> Any:
    try:
        return json.loads(_NOISE.sub(lambda noise: noise[1] or " ", text))
    except (ValueError, RecursionError):
        return None
