"""What RDS refuses, with its own codes."""

from __future__ import annotations

_NOT_FOUND = 404
_BAD_REQUEST = 400


class Refused(Exception):  # noqa: N818 - it is what RDS does
    """An error of the API; ``code`` is the name by which SDKs raise it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def status(self) -> int:
        """Of HTTP."""
        return _NOT_FOUND if self.code.endswith(("NotFound", "NotFoundFault")) else _BAD_REQUEST
