"""What the emulator tells with status 200 is judged as the service would judge it."""

from __future__ import annotations

import json

import pytest

from lab.environment import Answer
from lab.verdict import could_not_start, is_error_document, process_died, verdict

REQUEST = "8f5c1f5e-0000-4000-8000-000000000001"


@pytest.mark.parametrize("body", [b"{}", b"null", b'"text"', b"[1]", b"", b'{"errorMessage": 1}', b"{not json"])
def test_an_answer_is_a_result_byte_for_byte(body: bytes) -> None:
    result = verdict(REQUEST, Answer(200, body, ("line",)))
    assert (result.payload, result.function_error, result.logs) == (body, None, ("line",))


@pytest.mark.parametrize(
    "document",
    [
        {"errorType": "ValueError", "errorMessage": "no", "stackTrace": [], "requestId": REQUEST},
        {"errorType": "ValueError", "errorMessage": "no", "stackTrace": ["a"]},
        {"errorType": "ValueError", "errorMessage": "no", "requestId": REQUEST},
    ],
)
def test_a_runtime_s_error_report_is_a_function_error(document: dict[str, object]) -> None:
    assert verdict(REQUEST, Answer(200, json.dumps(document).encode(), ())).function_error == "Unhandled"


@pytest.mark.parametrize(
    "document",
    [
        {"errorType": "a", "errorMessage": "b"},
        {"errorType": "a", "errorMessage": "b", "requestId": "another"},
        {"errorType": "a", "errorMessage": "b", "stackTrace": [], "amount": 3},
        {"errorMessage": "b", "stackTrace": []},
    ],
)
def test_a_result_with_the_same_words_in_it_stays_a_result(document: dict[str, object]) -> None:
    assert not is_error_document(json.dumps(document).encode(), REQUEST)


def test_a_timeout_has_the_service_s_name_and_the_request_in_it() -> None:
    result = verdict(REQUEST, Answer(200, b"Task timed out after 3.00 seconds", ()))
    document = json.loads(result.payload)
    assert (result.function_error, document["errorType"]) == ("Unhandled", "Sandbox.Timedout")
    assert document["errorMessage"] == f"RequestId: {REQUEST} Error: Task timed out after 3.00 seconds"


@pytest.mark.parametrize("body", [b"", b"Internal error"])
def test_a_bad_status_without_a_report_still_becomes_one(body: bytes) -> None:
    result = verdict(REQUEST, Answer(502, body, ()))
    assert (result.function_error, json.loads(result.payload)["errorType"]) == ("Unhandled", "Runtime.Unknown")


def test_a_report_with_a_bad_status_is_passed_on() -> None:
    body = b'{"errorType": "Runtime.ExitError", "errorMessage": "exit status 3"}'
    assert verdict(REQUEST, Answer(502, body, ())) == verdict(REQUEST, Answer(500, body, ()))


def test_death_and_a_failed_start_say_why() -> None:
    died, never = process_died(REQUEST, "exit 137", ("last words",)), could_not_start(REQUEST, "no such image")
    assert died.function_error == never.function_error == "Unhandled"
    assert b"exit 137" in died.payload
    assert died.logs == ("last words",)
    assert b"no such image" in never.payload
