"""Under Lambda's own Runtime Interface Emulator: the state machine that the real service runs."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from tests.runtime.conftest import Emulator

Emulate = Callable[..., Emulator]


def test_events_are_answered_one_after_the_other(emulate: Emulate) -> None:
    lambda_ = emulate("good.echo")
    for value in ({"a": "é"}, [], None, 1.5, "text"):
        assert lambda_.invoke(json.dumps(value).encode()) == (200, value)


@pytest.mark.parametrize("handler", ["good.echo", "shell.echo_event"])
@pytest.mark.parametrize("size", [1_000_000, 5_000_000])
def test_large_payloads_travel_both_ways(emulate: Emulate, handler: str, size: int) -> None:
    value = {"records": ["x" * 100] * (size // 103)}
    assert emulate(handler).invoke(json.dumps(value).encode()) == (200, value)


@pytest.mark.parametrize(
    ("handler", "error_type"),
    [
        ("bad.raises", "CloneNotReady"),
        ("bad.exits", "SystemExit"),
        ("bad.base_exception", "NotAnError"),
        ("bad.unserialisable", "Runtime.MarshalError"),
        ("bad.not_a_number", "Runtime.MarshalError"),
        ("bad.large", "Function.ResponseSizeTooLarge"),
        ("shell.fails", "ExitStatus3"),
        ("shell.not_json", "Runtime.MarshalError"),
        ("shell.too_large", "Function.ResponseSizeTooLarge"),
    ],
)
def test_the_caller_gets_the_error_and_the_environment_stays_warm(
    emulate: Emulate, handler: str, error_type: str
) -> None:
    lambda_ = emulate(handler)
    for _ in range(2):
        assert lambda_.invoke(b"{}")[1]["errorType"] == error_type
    assert "Runtime exited" not in lambda_.log()


def test_a_handler_that_exits_is_lambdas_own_error_and_the_next_call_gets_a_new_process(emulate: Emulate) -> None:
    lambda_ = emulate("bad.exits_at_once")
    for _ in range(2):
        assert lambda_.invoke(b"{}")[1]["errorType"] == "Runtime.ExitError"


def test_an_unknown_handler_is_reported_from_init(emulate: Emulate) -> None:
    assert emulate("good.missing").invoke(b"{}")[1]["errorType"] == "Runtime.HandlerNotFound"


def test_a_handler_past_its_deadline_is_killed_after_its_stack_was_logged(emulate: Emulate) -> None:
    lambda_ = emulate("bad.sleeps", AWS_LAMBDA_FUNCTION_TIMEOUT="1")
    assert "timed out" in str(lambda_.invoke(b"30")[1]).lower()
    assert "Runtime.DeadlineNear" in lambda_.log()
    assert lambda_.invoke(b"0") == (200, "awake")


def test_a_shell_handler_past_its_deadline_is_an_error_that_a_state_machine_can_match(emulate: Emulate) -> None:
    lambda_ = emulate("shell.sleeps", AWS_LAMBDA_FUNCTION_TIMEOUT="1")
    assert lambda_.invoke(b"{}")[1]["errorType"] == "Sandbox.Timedout"


def test_the_context_has_what_the_caller_sent(emulate: Emulate) -> None:
    client = {"custom": {"k": "v"}, "client": {"app_title": "tide"}, "w3c": {"traceparent": "00-1", "other": "x"}}
    header = base64.b64encode(json.dumps(client).encode()).decode()
    status, context = emulate("good.describe").invoke(
        b"{}", {"X-Amz-Client-Context": header, "X-Amz-Tenant-Id": "blue"}
    )
    assert status == 200
    assert context["client"] == [{"k": "v"}, None, "tide"]
    assert context["w3c"] == {"traceparent": "00-1"}
    assert 0 < context["left"] <= 300_000
    assert context["attributes"]["function_name"] == "tested"
    assert context["attributes"]["invoked_function_arn"].startswith("arn:aws:lambda:")


def test_a_forking_handler_answers_once(emulate: Emulate) -> None:
    lambda_ = emulate("bad.forks")
    assert [lambda_.invoke(b"{}") for _ in range(3)] == [(200, {"parent": True})] * 3


def test_garbage_is_looked_for_rarely_during_the_first_invocation_and_as_usual_after_it(emulate: Emulate) -> None:
    lambda_ = emulate("good.collector")
    first, second, third = (lambda_.invoke(b"{}")[1] for _ in range(3))
    assert first > second == third > 0
