"""Names of images: a tag for people, a digest for deployments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kuroshio.errors import InvalidRequest

INITIAL = "initial"
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG_LENGTH = 7


def tag_of(commit: str) -> str:
    """Return the immutable tag of the image of a commit: its first 7 characters.

    Raises InvalidRequest where ``commit`` is not a full commit id: an abbreviation says nothing about its length.
    """
    if not _COMMIT.fullmatch(commit):
        raise InvalidRequest(f"{commit!r} is not a full commit id of 40 or 64 hexadecimal digits")
    return commit[:_TAG_LENGTH]


@dataclass(frozen=True)
class PushedImage:
    """One image in a repository, as the registry knows it."""

    repository: str  # its address: host/name
    tag: str
    digest: str

    def __post_init__(self) -> None:
        if not _DIGEST.fullmatch(self.digest):
            raise InvalidRequest(f"{self.digest!r} is not a digest: sha256: and 64 hexadecimal digits")

    @property
    def pinned(self) -> str:
        """The address to deploy. Lambda resolves a tag once, at the update; a digest means the same for ever."""
        return f"{self.repository}@{self.digest}"
