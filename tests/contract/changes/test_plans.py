"""Plans are written once, in S3 as in memory; bundles come out of S3 as repositories."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from kuroshio.adapters import aws, bundling
from kuroshio.adapters.bundles import S3Bundles
from kuroshio.adapters.plan_store import S3Plans
from kuroshio.changes.detection import detect
from kuroshio.errors import (
    AccessRefused,
    LimitExceeded,
    NotFound,
    PlanConflict,
    RepositoryUnreadable,
    ServiceUnavailable,
)
from tests.fakes.git_repository import GitRepository
from tests.fakes.plans import MemoryBundles, MemoryPlans
from tests.fakes.repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from kuroshio.changes.ports import Bundles, Plans

KEY = "plans/octo/shop/pr-12/head-base.json"
BUNDLE = "incoming/octo/shop/pr-12/head-base.bundle"


@pytest.fixture(params=["s3", "memory"])
def plans(request: pytest.FixtureRequest) -> Plans:
    if request.param == "memory":
        return MemoryPlans()
    request.getfixturevalue("s3")
    return S3Plans("plans")


def test_what_was_written_is_read(plans: Plans) -> None:
    plans.create(KEY, b"plan", "application/json")
    assert plans.read(KEY) == b"plan"


def test_the_same_content_again_is_success(plans: Plans) -> None:
    plans.create(KEY, b"plan", "application/json")
    plans.create(KEY, b"plan", "application/json")
    assert plans.read(KEY) == b"plan"


def test_another_content_is_a_conflict_and_changes_nothing(plans: Plans) -> None:
    plans.create(KEY, b"plan", "application/json")
    with pytest.raises(PlanConflict):
        plans.create(KEY, b"another", "application/json")
    assert plans.read(KEY) == b"plan"


def test_what_was_never_written_is_not_found(plans: Plans) -> None:
    with pytest.raises(NotFound):
        plans.read(KEY)


@pytest.fixture
def stubbed(s3: S3Client) -> Iterator[Stubber]:
    """S3 as it answers when writers meet, which moto cannot be made to do."""
    with Stubber(s3) as stub:
        yield stub
        stub.assert_no_pending_responses()


CONFLICT = {"service_error_code": "ConditionalRequestConflict", "http_status_code": 409}
EXISTS = {"service_error_code": "PreconditionFailed", "http_status_code": 412}


def body(content: bytes) -> dict[str, object]:
    return {"Body": StreamingBody(io.BytesIO(content), len(content)), "ContentLength": len(content)}


def test_a_write_that_meets_another_is_tried_again_and_compared_with_the_winner(stubbed: Stubber) -> None:
    stubbed.add_client_error("put_object", **CONFLICT)  # type: ignore[arg-type]
    stubbed.add_client_error("put_object", **EXISTS)  # type: ignore[arg-type]
    stubbed.add_response("get_object", body(b"plan"))
    S3Plans("plans").create(KEY, b"plan", "application/json")


def test_a_write_that_loses_to_another_content_is_a_conflict(stubbed: Stubber) -> None:
    stubbed.add_client_error("put_object", **EXISTS)  # type: ignore[arg-type]
    stubbed.add_response("get_object", body(b"another"))
    with pytest.raises(PlanConflict):
        S3Plans("plans").create(KEY, b"plan", "application/json")


def test_a_write_that_meets_others_again_and_again_may_be_tried_later(stubbed: Stubber) -> None:
    for _ in range(4):
        stubbed.add_client_error("put_object", **CONFLICT)  # type: ignore[arg-type]
    with pytest.raises(ServiceUnavailable):
        S3Plans("plans").create(KEY, b"plan", "application/json")


def test_a_write_that_is_not_allowed_says_so(stubbed: Stubber) -> None:
    stubbed.add_client_error("put_object", service_error_code="AccessDenied", http_status_code=403)
    with pytest.raises(AccessRefused, match=KEY):
        S3Plans("plans").create(KEY, b"plan", "application/json")


@pytest.fixture(params=["s3", "memory"])
def bundles(request: pytest.FixtureRequest, tmp_path: Path) -> Bundles:
    """One bundle under BUNDLE, whose only commit has the file a."""
    if request.param == "memory":
        repository = MemoryRepository()
        request.node.commit = repository.make_commit({"a": "1"})
        return MemoryBundles({BUNDLE: repository})
    request.getfixturevalue("s3")
    real = GitRepository(tmp_path)
    request.node.commit = real.make_commit({"a": "1"})
    bundling.write(real, tmp_path / "bundle", request.node.commit, request.node.commit)
    S3Bundles("incoming").put(BUNDLE, tmp_path / "bundle")
    return S3Bundles("incoming")


def test_a_bundle_that_was_handed_in_is_a_repository(bundles: Bundles, request: pytest.FixtureRequest) -> None:
    with bundles.opened(BUNDLE) as repository:
        assert list(repository.tree(request.node.commit).entries) == ["a"]
        assert detect(repository, request.node.commit, request.node.commit).complete


def test_a_bundle_that_was_not_handed_in_is_not_found(bundles: Bundles) -> None:
    with pytest.raises(NotFound), bundles.opened("incoming/other"):
        pass


def test_a_bundle_that_is_larger_than_is_read_is_refused_on_both_ways(s3: S3Client, tmp_path: Path) -> None:
    aws.client("s3").put_object(Bucket="incoming", Key=BUNDLE, Body=b"x" * 101)
    (tmp_path / "bundle").write_bytes(b"x" * 101)
    small = S3Bundles("incoming", max_bytes=100)
    with pytest.raises(LimitExceeded), small.opened(BUNDLE):
        pass
    with pytest.raises(LimitExceeded):
        small.put(BUNDLE, tmp_path / "bundle")


def test_what_is_no_bundle_is_unreadable(s3: S3Client) -> None:
    aws.client("s3").put_object(Bucket="incoming", Key=BUNDLE, Body=b"# v2 git bundle\nnonsense")
    with pytest.raises(RepositoryUnreadable), S3Bundles("incoming").opened(BUNDLE):
        pass
