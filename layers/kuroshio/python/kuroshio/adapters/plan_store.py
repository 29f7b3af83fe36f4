"""Plans in S3: written once, by conditional writes, and by bucket policy in no other way."""

from __future__ import annotations

from kuroshio.adapters import aws
from kuroshio.errors import PlanConflict, ServiceUnavailable

# S3 answers 409 while another conditional write of the same key is under way; soon after, one of the two has won.
_ATTEMPTS = 4


class S3Plans:
    """Plans in a bucket. Implements ``changes.ports.Plans``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def create(self, key: str, content: bytes, content_type: str) -> None:
        """Write once. Raises PlanConflict when another content stands under the key."""
        for _ in range(_ATTEMPTS):
            refusal = self._try(key, content, content_type)
            if refusal == "PreconditionFailed" and self.read(key) != content:
                raise PlanConflict(f"s3://{self._bucket}/{key} holds another plan for the same commits")
            if refusal != "ConditionalRequestConflict":
                return
        raise ServiceUnavailable(f"writing s3://{self._bucket}/{key} met other writers {_ATTEMPTS} times")

    def read(self, key: str) -> bytes:
        """Return what was written. Raises NotFound."""
        with aws.translated(f"reading s3://{self._bucket}/{key}"):
            return aws.client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def _try(self, key: str, content: bytes, content_type: str) -> str:
        """Return "" when the object was written, else S3's reason why the condition did not hold."""
        from botocore.exceptions import ClientError

        with aws.translated(f"writing s3://{self._bucket}/{key}"):
            try:
                aws.client("s3").put_object(
                    Bucket=self._bucket, Key=key, Body=content, ContentType=content_type, IfNoneMatch="*"
                )
            except ClientError as error:
                if aws.code_of(error) in ("PreconditionFailed", "ConditionalRequestConflict"):
                    return aws.code_of(error)
                raise
        return ""
