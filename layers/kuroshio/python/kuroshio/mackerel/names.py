"""Names that Mackerel takes, made from any text without two texts becoming one name."""

from __future__ import annotations

import hashlib
import re

LONGEST = 200  # characters. Mackerel publishes no bound; DynamoDB's sort keys would bear 1,000
_ALLOWED = re.compile(r"[a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*")
_SUFFIXED = re.compile(r"-[0-9a-f]{12}$")


def metric_name(text: str) -> str:
    """A metric name for the text: itself where Mackerel takes it, else a readable one that ends with a hash of the text.

    Mackerel's rule is ``[a-zA-Z0-9._-]+``; dots at the ends or in a row would break its graphs. A text that looks as if
    it ended with such a hash gets a hash of its own, so no other text can be given its name.
    """
    if _ALLOWED.fullmatch(text) and len(text) <= LONGEST and not _SUFFIXED.search(text):
        return text
    return _hashed(re.sub(r"[^a-zA-Z0-9._-]", "_", re.sub(r"\.+", ".", text).strip(".")), text)


def joined(*parts: str) -> str:
    """A dotted metric name of which each part is one level, whatever dots and signs the part itself has."""
    return metric_name(".".join(_level(part) for part in parts))


def _level(part: str) -> str:
    if re.fullmatch(r"[a-zA-Z0-9_-]+", part) and not _SUFFIXED.search(part):
        return part
    return _hashed(re.sub(r"[^a-zA-Z0-9_-]", "_", part), part)


def _hashed(readable: str, text: str) -> str:
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    return f"{readable[: LONGEST - 13].rstrip('.') or '_'}-{digest}"
