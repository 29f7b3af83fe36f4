"""Notes in S3: one object per repository and edition, so that a thousand analyses are one request."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.errors import AccessRefused, KuroshioError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Unpacked; several times what ``changes.remembering`` writes.
MAX_BYTES = 128 * 1024 * 1024
_PREFIX = "analyses/"


class S3Notes:
    """Notes in a bucket, under ``analyses/``. Implements ``changes.ports.Notes``.

    Two writers at once: the later one's notes stay, the other's are made again. ``complain`` hears what went wrong.
    """

    def __init__(self, bucket: str, complain: Callable[[str], None], *, max_bytes: int = MAX_BYTES) -> None:
        self._bucket = bucket
        self._complain = complain
        self._max_bytes = max_bytes

    def read(self, repository: str, edition: str) -> dict[str, str]:
        """Return the notes. None where nothing was written yet, or what was written cannot be read."""
        key = _key(repository, edition)
        try:
            with aws.translated(f"reading s3://{self._bucket}/{key}"):
                packed = aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read(self._max_bytes)
            return unpack(packed, self._max_bytes)
        except (NotFound, AccessRefused):
            return {}  # S3 does not tell who may not list a bucket whether a name is free; a refusal to write is told
        except (KuroshioError, ValueError, zlib.error) as error:
            self._complain(f"the analyses kept in s3://{self._bucket}/{key} are made again: {error}")
            return {}

    def write(self, repository: str, edition: str, notes: Mapping[str, str]) -> None:
        """Replace the notes."""
        key = _key(repository, edition)
        try:
            with aws.translated(f"writing s3://{self._bucket}/{key}"):
                aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=pack(notes))
        except KuroshioError as error:
            self._complain(f"analyses could not be kept: {error}")


def _key(repository: str, edition: str) -> str:
    return f"{_PREFIX}{repository}/{edition}"


def pack(notes: Mapping[str, str]) -> bytes:
    """Write one line for each note, key and text parted by a tab: JSON has neither tabs nor line ends."""
    return zlib.compress("".join(f"{key}\t{text}\n" for key, text in notes.items()).encode("ascii"), level=1)


def unpack(packed: bytes, max_bytes: int = MAX_BYTES) -> dict[str, str]:
    """Read what ``pack`` wrote. Raises ValueError or zlib.error for anything else, and for more than ``max_bytes``."""
    unpacking = zlib.decompressobj()
    text = unpacking.decompress(packed, max_bytes)
    if not unpacking.eof:
        raise ValueError("they end too early, or are too many")
    pairs = (line.partition("\t") for line in text.decode("ascii").split("\n")[:-1])
    return {key: text for key, _, text in pairs}
