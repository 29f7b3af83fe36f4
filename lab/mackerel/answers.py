"""What a request is to the handlers, and how one refuses it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from werkzeug.datastructures import MultiDict

    from lab.mackerel.organization import Organization

    Handler = Callable[["Organization", "Call"], Any]
    Routes = tuple[tuple[str, str, "Handler"], ...]

SUCCESS = {"success": True}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


class Refusal(Exception):  # noqa: N818 - an answer of the API, not a failure of the fake
    """The API answers with this status and message instead of doing what it was asked."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.retry_after = status, message, retry_after


@dataclass(frozen=True)
class Call:
    """One request after its key was accepted: what the path named, the query, and the JSON body."""

    path: Mapping[str, str]
    query: MultiDict[str, str]
    body: Any
    now: float = field(default=0.0)

    def whole_number(self, name: str) -> int:
        """A required whole number of the query; 400 without it."""
        try:
            return int(self.query[name])
        except (KeyError, ValueError):
            raise Refusal(400, f"{name} must be a whole number in the query.") from None

    def limit(self) -> int:
        """How many entries of a list are asked for: at most 100, which is also the default."""
        wanted = int(self.query.get("limit", "100"))
        if wanted > 100:  # noqa: PLR2004 - the documented bound
            raise Refusal(400, "limit must be at most 100.")
        return wanted


def opaque_id(kind: str, number: int) -> str:
    """Eleven characters that mean nothing, as Mackerel's ids; the same in every run, so that a failure can be repeated."""
    value = int.from_bytes(hashlib.sha256(f"{kind}:{number}".encode()).digest()[:9], "big")
    digits: list[str] = []
    while len(digits) < 11:  # noqa: PLR2004
        value, digit = divmod(value, 58)
        digits.append(_BASE58[digit])
    return "".join(digits)
