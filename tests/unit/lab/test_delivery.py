"""What targets receive, which messages come back, and what bucket policies deny."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.actions import actions_of
from lab.bucketpolicy import BucketPolicies
from lab.calls import Call, HttpRequest
from lab.eventbus import render_input
from lab.ports import InvocationResult
from lab.queues import failed_messages

EVENT = {"source": "test", "time": "2026-11-21T00:00:00Z", "detail": {"name": 'a "b"', "list": [{"n": 1}], "n": 7}}


@pytest.mark.parametrize(
    ("target", "received"),
    [
        ({}, EVENT),
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail.list[0]"}, {"n": 1}),
        ({"InputPath": "$.detail.absent"}, None),
    ],
)
def test_a_target_receives_the_event_a_constant_or_a_part(target: dict[str, str], received: Any) -> None:
    assert json.loads(render_input(target, EVENT)) == received


def test_a_transformer_quotes_values_where_they_stand() -> None:
    paths = {"name": "$.detail.name", "n": "$.detail.n", "detail": "$.detail.list"}
    template = '{"name": <name>, "said": "it is <name>, <n> times", "n": <n>, "list": <detail>, "other": "<unknown>"}'

    received = json.loads(
        render_input({"InputTransformer": {"InputPathsMap": paths, "InputTemplate": template}}, EVENT)
    )

    assert received == {
        "name": 'a "b"',
        "said": 'it is a "b", 7 times',
        "n": 7,
        "list": [{"n": 1}],
        "other": "<unknown>",
    }


def answered(payload: Any, error: str | None = None) -> InvocationResult:
    return InvocationResult(json.dumps(payload).encode(), error, ())


@pytest.mark.parametrize(
    ("result", "types", "failed"),
    [
        (answered({}), [], set()),
        (answered({"batchItemFailures": [{"itemIdentifier": "a"}]}), ["ReportBatchItemFailures"], {"a"}),
        (answered({"batchItemFailures": [{"itemIdentifier": "a"}]}), [], set()),
        (answered({"batchItemFailures": []}), ["ReportBatchItemFailures"], set()),
        (answered(None), ["ReportBatchItemFailures"], set()),
        (answered({"batchItemFailures": [{"itemIdentifier": "x"}]}), ["ReportBatchItemFailures"], {"a", "b"}),
        (answered({"batchItemFailures": [{"wrong": "a"}]}), ["ReportBatchItemFailures"], {"a", "b"}),
        (answered("text"), ["ReportBatchItemFailures"], {"a", "b"}),
        (answered({"errorType": "E"}, "Unhandled"), ["ReportBatchItemFailures"], {"a", "b"}),
    ],
)
def test_the_messages_that_come_back_follow_lambdas_rules(
    result: InvocationResult, types: list[str], failed: set[str]
) -> None:
    assert failed_messages(result, ["a", "b"], types) == failed


POLICY = [
    {
        "Sid": "Tls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {
        "Sid": "Once",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::b/plans/*",
        "Condition": {"Null": {"s3:if-none-match": "true"}},
    },
    {
        "Sid": "Kept",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["s3:DeleteObject", "s3:DeleteObjectVersion"],
        "Resource": "arn:aws:s3:::b/plans/*",
    },
]


def request(operation: str, key: str, headers: dict[str, str] | None = None) -> tuple[Call, HttpRequest]:
    parameters = {"Bucket": "b", "Key": key}
    return Call("s3", operation, "r", "k", parameters), HttpRequest("PUT", f"/b/{key}", "", headers or {}, b"")


@pytest.mark.parametrize(
    ("operation", "key", "headers", "denied"),
    [
        ("PutObject", "plans/a", {}, "Once"),
        ("PutObject", "plans/a", {"if-none-match": "*"}, ""),
        ("PutObject", "failures/a", {}, ""),
        ("UploadPart", "plans/a", {}, "Once"),
        ("DeleteObject", "plans/a", {}, "Kept"),
        ("GetObject", "plans/a", {}, ""),
    ],
)
def test_a_bucket_policy_denies_what_its_conditions_say(
    operation: str, key: str, headers: dict[str, str], denied: str
) -> None:
    policies = BucketPolicies()
    body = json.dumps({"Statement": POLICY}).encode()
    policies(
        Call("s3", "PutBucketPolicy", "r", "k", {"Bucket": "b"}), HttpRequest("PUT", "/b", "policy", {}, body), "lab"
    )

    answer = policies(*request(operation, key, headers), "operator")

    assert (answer is not None) == bool(denied)
    if answer is not None:
        assert denied in answer.body.decode()


def test_operations_need_the_actions_of_the_service_authorization_reference() -> None:
    assert actions_of("s3", "ListObjectsV2") == ("s3:ListBucket",)
    assert actions_of("s3", "DeleteObject", versioned=True) == ("s3:DeleteObjectVersion",)
    assert actions_of("lambda", "Invoke") == ("lambda:InvokeFunction",)
    assert actions_of("stepfunctions", "StartExecution") == ("states:StartExecution",)
    assert actions_of("dynamodb", "PutItem") == ("dynamodb:PutItem",)
