"""Pointers in S3, moved by compare-and-swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.errors import Outpaced
from kuroshio.github import latest

if TYPE_CHECKING:
    from kuroshio.github.latest import Latest

_ATTEMPTS = 10


class S3Pointers:
    """Pointers in a bucket. Implements ``github.latest.Pointers``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def move(self, key: str, wanted: Latest) -> Latest:
        """Point to ``wanted`` unless something newer is pointed to; return what is in force. Raises Outpaced."""
        # Created first and read only where that is refused: without s3:ListBucket a missing key reads as 403.
        if self._put(key, wanted, {"IfNoneMatch": "*"}):
            return wanted
        for _ in range(_ATTEMPTS):
            found, etag = self._read(key)
            if not wanted.order.is_after(found.order):
                return found
            if self._put(key, wanted, {"IfMatch": etag}):
                return wanted
        raise Outpaced(f"moving s3://{self._bucket}/{key} met other writers {_ATTEMPTS} times")

    def read(self, key: str) -> Latest:
        """Return what is in force. Raises NotFound."""
        return self._read(key)[0]

    def _read(self, key: str) -> tuple[Latest, str]:
        with aws.translated(f"reading s3://{self._bucket}/{key}"):
            found = aws.client("s3").get_object(Bucket=self._bucket, Key=key)
            return latest.read(found["Body"].read()), found["ETag"]

    def _put(self, key: str, wanted: Latest, condition: dict[str, str]) -> bool:
        from botocore.exceptions import ClientError

        with aws.translated(f"writing s3://{self._bucket}/{key}"):
            try:
                aws.client("s3").put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=wanted.write(),
                    ContentType="application/json",
                    **condition,  # type: ignore[arg-type]
                )
            except ClientError as error:
                if aws.code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return False
                raise
        return True
