"""The pointer to the newest plan moves forwards only, whoever else moves it."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from kuroshio.adapters import aws
from kuroshio.adapters.latest_store import S3Pointers
from kuroshio.errors import InvalidRequest, NotFound, Outpaced
from kuroshio.github import latest
from kuroshio.github.event import Order
from kuroshio.github.latest import Latest

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = latest.key("octo/shop", 12)
FIRST = Latest(Order("2026-11-21T05:00:00Z", 1), "a" * 40, "b" * 40, "plans/1.json", "plans/1.md")
SECOND = replace(FIRST, order=Order("2026-11-21T05:00:00Z", 2), plan="plans/2.json")
THIRD = replace(FIRST, order=Order("2026-11-21T05:00:01Z", 1), plan="plans/3.json")


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("moves", [(FIRST, SECOND, THIRD), (THIRD, SECOND, FIRST), (SECOND, THIRD, SECOND, THIRD)])
def test_in_whatever_order_runs_end_the_newest_event_is_pointed_to(moves: tuple[Latest, ...]) -> None:
    pointers = S3Pointers("plans")
    answers = [pointers.move(KEY, each) for each in moves]
    assert pointers.read(KEY) == answers[-1] == THIRD


@pytest.mark.usefixtures("cloud")
def test_a_pull_request_that_was_never_planned_has_no_pointer() -> None:
    with pytest.raises(NotFound):
        S3Pointers("plans").read(KEY)


@pytest.fixture
def stubbed(cloud: None) -> Iterator[Stubber]:
    """S3 as it answers when writers meet, which moto cannot be made to do."""
    with Stubber(aws.client("s3")) as stub:
        yield stub
        stub.assert_no_pending_responses()


def refuse(stub: Stubber, code: str = "PreconditionFailed", status: int = 412) -> None:
    stub.add_client_error("put_object", service_error_code=code, http_status_code=status)


def give(stub: Stubber, pointer: Latest, etag: str) -> None:
    content = pointer.write()
    stub.add_response("get_object", {"Body": StreamingBody(io.BytesIO(content), len(content)), "ETag": etag})


def test_who_loses_to_a_newer_one_leaves_it_and_is_told(stubbed: Stubber) -> None:
    refuse(stubbed)
    give(stubbed, FIRST, "1")
    refuse(stubbed)
    give(stubbed, THIRD, "3")
    assert S3Pointers("plans").move(KEY, SECOND) == THIRD


def test_who_loses_to_an_older_one_moves_it_by_what_it_then_saw(stubbed: Stubber) -> None:
    refuse(stubbed)
    give(stubbed, FIRST, "1")
    refuse(stubbed, "ConditionalRequestConflict", 409)
    give(stubbed, SECOND, "2")
    expected: dict[str, Any] = {"Bucket": "plans", "Key": KEY, "Body": ANY, "ContentType": ANY, "IfMatch": "2"}
    stubbed.add_response("put_object", {}, expected)
    assert S3Pointers("plans").move(KEY, THIRD) == THIRD


def test_who_meets_others_again_and_again_may_try_later(stubbed: Stubber) -> None:
    refuse(stubbed)
    for at in range(10):
        give(stubbed, FIRST, str(at))
        refuse(stubbed)
    with pytest.raises(Outpaced):
        S3Pointers("plans").move(KEY, THIRD)


def test_what_is_no_pointer_is_refused() -> None:
    for content in (b"", b"[]", b"{}", b'{"schema": "kuroshio.latest/2"}'):
        with pytest.raises(InvalidRequest):
            latest.read(content)


def test_the_foundation_refuses_to_write_a_pointer_without_a_comparison() -> None:
    foundation = (Path(__file__).parents[3] / "foundation.yaml").read_text()
    statement = foundation.partition("Sid: LatestMovesByComparison")[2].partition("# ---")[0]
    assert "Effect: Deny" in statement
    assert 'Condition: {"Null": {"s3:if-none-match": "true", "s3:if-match": "true"}}' in statement
