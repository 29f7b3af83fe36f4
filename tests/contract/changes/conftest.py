from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from kuroshio.adapters import aws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Client]:
    """AWS in this process, with the buckets "incoming" and "plans"."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        aws.forget_clients()
        client = aws.client("s3")
        for bucket in ("incoming", "plans"):
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"})
        yield client
    aws.forget_clients()
