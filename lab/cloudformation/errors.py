"""What CloudFormation refuses, and what fails while it works."""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - an answer, not an accident
    """A request that CloudFormation answers with an error; ``code`` is the API's."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


class ResourceFailed(Exception):  # noqa: N818 - CloudFormation's *_FAILED
    """A resource could not be created, updated or deleted; the message is its status reason."""
