"""Files of a workflow in S3, beside the plans: each is written once, by a conditional write."""

from __future__ import annotations

from kuroshio.adapters import aws
from kuroshio.errors import ServiceUnavailable


class S3WorkFiles:
    """Implements ``aurora.sides.Objects``."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def put(self, key: str, content: bytes) -> str:
        """Return its ``s3://`` address. What stands there already was written by the same step, and stays."""
        from botocore.exceptions import ClientError

        address = f"s3://{self._bucket}/{key}"
        with aws.translated(f"writing {address}"):
            try:
                aws.client("s3").put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")
            except ClientError as error:
                if aws.code_of(error) == "ConditionalRequestConflict":
                    raise ServiceUnavailable(f"{address} is being written by somebody else just now") from error
                if aws.code_of(error) != "PreconditionFailed":
                    raise
        return address
