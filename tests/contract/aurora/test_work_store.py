"""Documents of a verification are written once, in S3 as in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.work_store import S3Work
from kuroshio.errors import NotFound
from tests.fakes.verification import InMemoryWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.verifying.ports import Work

KEY = "aurora/shop-next/verifications/one/results/0-0.json"


@pytest.fixture(params=["s3", "memory"])
def work(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    if request.param == "memory":
        yield InMemoryWork()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    with mock_aws():
        aws.forget_clients()
        where = {"LocationConstraint": "ap-northeast-1"}
        aws.client("s3").create_bucket(Bucket="plans", CreateBucketConfiguration=where)  # type: ignore[arg-type]
        yield S3Work("plans")
    aws.forget_clients()


def test_a_document_comes_back_as_it_was(work: Work) -> None:
    document = {"keys": [["_utf8mb4 X'E8AA9E'", "1"]], "rows": 2**60, "none": None}
    assert work.create(KEY, document)
    assert work.read(KEY) == document


def test_the_first_stays_and_whoever_comes_second_is_told(work: Work) -> None:
    assert work.create(KEY, {"first": 1})
    assert work.create(KEY, {"first": 1})  # the same again is what a repeated step writes
    assert not work.create(KEY, {"second": 2})
    assert work.read(KEY) == {"first": 1}


def test_what_is_not_there_is_told(work: Work) -> None:
    with pytest.raises(NotFound):
        work.read(KEY)
