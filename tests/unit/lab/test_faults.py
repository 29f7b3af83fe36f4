"""Faults meet the calls that were named, as often or as long as was asked, in the service's own words."""

from __future__ import annotations

import pytest

from lab.answers import error_answer
from lab.calls import Call
from lab.faults import Faults

PUT = Call("s3", "PutObject", "ap-northeast-1", "KEY")


def test_a_fault_for_two_calls_meets_two_and_no_more() -> None:
    faults = Faults()
    faults.add(kind="throttled", service="s3", operation="PutObject", times=2)

    met = [faults.take(PUT, "arn:aws:s3:::bucket/k", "operator") for _ in range(3)]

    assert [fault and fault.kind for fault in met] == ["throttled", "throttled", None]
    assert faults.in_force() == []


def test_a_fault_for_a_while_ends_with_it() -> None:
    now = [100.0]
    faults = Faults(clock=lambda: now[0])
    faults.add(kind="error", duration=5.0)

    assert faults.take(PUT, "", "")
    now[0] = 105.0
    assert faults.take(PUT, "", "") is None
    assert faults.in_force() == []


def test_a_fault_keeps_to_its_resource_its_caller_and_its_operation() -> None:
    faults = Faults()
    faults.add(kind="not-found", service="s3", operation="GetObject", contains="/plans/", caller="detect")
    get = Call("s3", "GetObject", "ap-northeast-1", "KEY")

    assert faults.take(PUT, "b/plans/a", "role/detect") is None
    assert faults.take(get, "b/other/a", "role/detect") is None
    assert faults.take(get, "b/plans/a", "role/record") is None
    assert faults.take(get, "b/plans/a", "role/detect")


@pytest.mark.parametrize(
    ("service", "kind", "expected"),
    [
        ("s3", "throttled", (503, "SlowDown")),
        ("s3", "not-found", (404, "NoSuchKey")),
        ("dynamodb", "throttled", (400, "ProvisionedThroughputExceededException")),
        ("lambda", "conflict", (409, "ResourceConflictException")),
        ("stepfunctions", "throttled", (400, "ThrottlingException")),
        ("s3", "delay", (0, "")),
    ],
)
def test_each_service_refuses_in_its_own_words(service: str, kind: str, expected: tuple[int, str]) -> None:
    assert Faults().add(kind=kind).error(service) == expected


def test_a_kind_that_is_none_is_refused_with_the_kinds_that_are() -> None:
    with pytest.raises(ValueError, match="throttled"):
        Faults().add(kind="nonsense")


def test_an_error_takes_the_form_of_its_services_protocol() -> None:
    def body(service: str) -> str:
        return error_answer(Call(service, "X", "r", "k"), 400, "Code", "a < b").body.decode()

    assert body("s3").startswith("<Error><Code>Code</Code><Message>a &lt; b</Message>")
    assert "<ErrorResponse><Error><Type>Sender</Type><Code>Code</Code>" in body("sns")
    assert '"__type": "Code"' in body("dynamodb")
