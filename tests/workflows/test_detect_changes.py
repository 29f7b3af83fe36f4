"""What is particular to detect_changes."""

from __future__ import annotations

import math

import pytest

from tests.workflows.machine import Stage, scenario

GIVEN = scenario("detect_changes").given


def test_the_function_gets_the_request_as_it_was_handed_in() -> None:
    stage = Stage("detect_changes")

    stage.run()

    assert stage.given["DetectChanges"] == [{"FunctionName": "detectchangesfunctionarn", "Payload": GIVEN}]


def test_the_bundle_is_deleted_once_the_plan_is_written() -> None:
    stage = Stage("detect_changes")

    stage.run()

    assert stage.given["DiscardBundle"] == [{"Bucket": "incomingbucket", "Key": GIVEN["bundle"]}]


def test_a_failure_is_written_where_the_plan_would_have_been_and_the_bundle_is_kept() -> None:
    stage = Stage("detect_changes")

    done = stage.run({"DetectChanges": ("RepositoryUnreadable", math.inf)})

    assert done.path == ["DetectChanges", "RecordFailure", "DetectionFailed"]
    (put,) = stage.given["RecordFailure"]
    assert put["Key"] == f"failures/octo/shop/pr-12/{GIVEN['head']}-{GIVEN['base']}.json"
    assert (put["Bucket"], put["ContentType"]) == ("planbucket", "application/json")
    assert put["Body"]["execution"].startswith("arn:aws:states:")
    assert put["Body"]["schema"] == "kuroshio.detect-failure/1"
    assert (put["Body"]["request"], put["Body"]["error"]) == (GIVEN, "RepositoryUnreadable")
    assert "DetectChanges was told to fail" in put["Body"]["cause"]


@pytest.mark.parametrize("given", [{}, {"repository": 7}, {"bundle": None}], ids=["empty", "a number", "a null"])
def test_a_request_of_any_shape_fails_with_the_functions_own_verdict(given: dict[str, object]) -> None:
    done = Stage("detect_changes").run({"DetectChanges": ("InvalidRequest", math.inf)}, given=given)

    assert (done.status, done.error, done.path[-1]) == ("FAILED", "InvalidRequest", "DetectionFailed")
