"""Notes outlast a run, in S3 as in memory; whatever goes wrong with those in S3 is told, and they are made again."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest
from botocore.stub import Stubber

from kuroshio.adapters.notes import S3Notes
from tests.fakes.plans import MemoryNotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from kuroshio.changes.ports import Notes

KEY = "analyses/octo/shop/e1"
FOUND = {"template:1": '["F",null]', "python:2": "[[],[]]"}


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def in_s3(s3: S3Client, complaints: list[str]) -> S3Notes:
    return S3Notes("incoming", complaints.append)


@pytest.fixture(params=["s3", "memory"])
def notes(request: pytest.FixtureRequest) -> Notes:
    if request.param == "memory":
        return MemoryNotes()
    found: Notes = request.getfixturevalue("in_s3")
    return found


def test_what_was_written_last_is_read(notes: Notes) -> None:
    notes.write("octo/shop", "e1", {"other": "1"})
    notes.write("octo/shop", "e1", FOUND)
    assert notes.read("octo/shop", "e1") == FOUND


def test_where_nothing_was_written_there_is_nothing(notes: Notes, complaints: list[str]) -> None:
    assert notes.read("octo/shop", "e1") == {}
    notes.write("octo/shop", "e1", {})
    assert notes.read("octo/shop", "e1") == {}
    assert complaints == []


def test_repositories_and_editions_know_nothing_of_each_other(notes: Notes) -> None:
    notes.write("octo/shop", "e1", FOUND)
    assert notes.read("octo/shop", "e2") == {}
    assert notes.read("octo/sho", "e1") == {}
    assert notes.read("fork/shop", "e1") == {}


@pytest.mark.parametrize(
    "damaged",
    [b"", b"nonsense", zlib.compress(b"a\tb\n")[:-3], zlib.compress(b"\xff\t1\n"), zlib.compress(b"x" * 2000)],
    ids=["empty", "not packed", "cut off", "not text", "too large"],
)
def test_notes_that_are_damaged_are_told_of_and_ignored(s3: S3Client, complaints: list[str], damaged: bytes) -> None:
    s3.put_object(Bucket="incoming", Key=KEY, Body=damaged)
    assert S3Notes("incoming", complaints.append, max_bytes=1000).read("octo/shop", "e1") == {}
    assert len(complaints) == 1
    assert KEY in complaints[0]


@pytest.fixture
def stubbed(s3: S3Client) -> Iterator[Stubber]:
    with Stubber(s3) as stub:
        yield stub
        stub.assert_no_pending_responses()


def test_a_service_that_fails_is_told_of_and_stops_nothing(
    stubbed: Stubber, in_s3: S3Notes, complaints: list[str]
) -> None:
    stubbed.add_client_error("get_object", service_error_code="SlowDown", http_status_code=503)
    stubbed.add_client_error("put_object", service_error_code="AccessDenied", http_status_code=403)
    assert in_s3.read("octo/shop", "e1") == {}
    in_s3.write("octo/shop", "e1", FOUND)
    assert [complaint.partition(":")[0] for complaint in complaints] == [
        "the analyses kept in s3",
        "analyses could not be kept",
    ]


def test_s3_refuses_to_say_that_nothing_is_there_and_that_is_nothing_to_tell(
    stubbed: Stubber, in_s3: S3Notes, complaints: list[str]
) -> None:
    stubbed.add_client_error("get_object", service_error_code="AccessDenied", http_status_code=403)
    assert in_s3.read("octo/shop", "e1") == {}
    assert complaints == []
