"""Blobs, manifests and tags of an image registry on disk.

Names reach here only after the registry matched them against the protocol's grammar: no name leads out of the folder.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20


class DigestMismatch(Exception):  # noqa: N818 - what happened
    """The bytes that came are not those that the digest promised."""


def digest_of(content: bytes) -> str:
    """``sha256:<hex>`` of the bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class BlobStore:
    """``blobs/<hex>``, ``uploads/<id>`` and, per repository, ``tags/<tag>`` and ``manifests/<hex>``.

    Raises FileNotFoundError for what is not there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, digest: str) -> bool:
        return self._blob(digest).exists()

    def size(self, digest: str) -> int:
        return self._blob(digest).stat().st_size

    def read(self, digest: str) -> Iterator[bytes]:
        with self._blob(digest).open("rb") as blob:
            while chunk := blob.read(_CHUNK):
                yield chunk

    def begin(self) -> str:
        upload = secrets.token_hex(16)
        self._upload(upload).parent.mkdir(parents=True, exist_ok=True)
        self._upload(upload).touch()
        return upload

    def received(self, upload: str) -> int:
        return self._upload(upload).stat().st_size

    def append(self, upload: str, stream: IO[bytes]) -> int:
        """Add the stream to the upload and return the size so far, in bytes."""
        self.received(upload)  # an upload that never began is not begun here
        with self._upload(upload).open("ab") as file:
            while chunk := stream.read(_CHUNK):
                file.write(chunk)
        return self.received(upload)

    def finish(self, upload: str, digest: str) -> None:
        """Make the upload a blob. Raises DigestMismatch, and drops it, where its bytes are others."""
        with self._upload(upload).open("rb") as file:
            actual = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        if actual != digest:
            self.abandon(upload)
            raise DigestMismatch(f"the upload's digest is {actual}, not {digest}")
        self._blob(digest).parent.mkdir(parents=True, exist_ok=True)
        self._upload(upload).replace(self._blob(digest))

    def abandon(self, upload: str) -> None:
        self._upload(upload).unlink()

    def manifest(self, name: str, digest: str) -> tuple[bytes, str]:
        """The manifest's very bytes and its media type."""
        file = self._repository(name) / "manifests" / digest.removeprefix("sha256:")
        return file.read_bytes(), json.loads(file.with_suffix(".type").read_text())

    def put_manifest(self, name: str, digest: str, manifest: bytes, media_type: str) -> None:
        file = self._repository(name) / "manifests" / digest.removeprefix("sha256:")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_suffix(".type").write_text(json.dumps(media_type))
        file.write_bytes(manifest)

    def tag(self, name: str, tag: str) -> str:
        """The digest that the tag stands for."""
        return (self._repository(name) / "tags" / tag).read_text()

    def put_tag(self, name: str, tag: str, digest: str) -> None:
        file = self._repository(name) / "tags" / tag
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(digest)

    def tags(self, name: str) -> list[str]:
        return sorted(self.tags_to(name))

    def tags_to(self, name: str) -> dict[str, str]:
        folder = self._repository(name) / "tags"
        return {file.name: file.read_text() for file in folder.iterdir()} if folder.exists() else {}

    def forget(self, name: str | None = None) -> None:
        """Drop the tags and manifests of one repository, or of all. Blobs stay, so that a push sends nothing twice."""
        shutil.rmtree(self._repository(name) if name else self._root / "repositories", ignore_errors=True)

    def _blob(self, digest: str) -> Path:
        return self._root / "blobs" / digest.removeprefix("sha256:")

    def _upload(self, upload: str) -> Path:
        return self._root / "uploads" / upload

    def _repository(self, name: str) -> Path:
        # The grammar of names has no "+", so two repositories never share a folder.
        return self._root / "repositories" / name.replace("/", "+")
