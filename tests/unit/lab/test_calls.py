"""A request's wire form says which operation of which service it is, and on what."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from lab.calls import Call, HttpRequest, identify, resource_of

ACCOUNT = "123456789012"
PREFIX = "ap-northeast-1:123456789012"


def sent_by(service: str, operation: str, **arguments: Any) -> Call:
    """What the door makes of the request that boto3 would send."""
    seen: list[HttpRequest] = []

    def catch(request: Any, **_: Any) -> AWSResponse:
        path, _, query = request.url.partition("://")[2].partition("/")[2].partition("?")
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        body = request.body.read() if hasattr(request.body, "read") else request.body or b""
        body = body.encode() if isinstance(body, str) else body
        seen.append(HttpRequest(request.method, "/" + path, query, headers, body))
        return AWSResponse(request.url, 500, {}, _Empty())  # type: ignore[arg-type]

    client = session()(
        service,
        region_name="ap-northeast-1",
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="KEYOFTEST",
        aws_secret_access_key="s",
        config=Config(retries={"max_attempts": 0}),
    )
    client.meta.events.register("before-send", catch)
    with pytest.raises(Exception, match=r"\w"):  # the answer is nothing that boto3 could read
        getattr(client, operation)(**arguments)
    call = identify(seen[0])
    assert call is not None
    return call


@cache
def session() -> Any:
    """One for all: each new session reads botocore's models of the services again."""
    return boto3.session.Session().client


class _Empty:
    def stream(self, **_: Any) -> list[bytes]:
        return []

    def read(self) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("service", "method", "arguments", "operation", "resource"),
    [
        ("s3", "list_objects_v2", {"Bucket": "bucket"}, "ListObjectsV2", "arn:aws:s3:::bucket"),
        ("s3", "list_objects", {"Bucket": "bucket"}, "ListObjects", "arn:aws:s3:::bucket"),
        ("s3", "list_buckets", {}, "ListBuckets", "*"),
        ("s3", "head_object", {"Bucket": "bucket", "Key": "a"}, "HeadObject", "arn:aws:s3:::bucket/a"),
        ("s3", "get_object", {"Bucket": "bucket", "Key": "a b/c+d"}, "GetObject", "arn:aws:s3:::bucket/a b/c+d"),
        ("s3", "put_object", {"Bucket": "bucket", "Key": "k", "Body": b"x"}, "PutObject", "arn:aws:s3:::bucket/k"),
        (
            "s3",
            "copy_object",
            {"Bucket": "bucket", "Key": "k", "CopySource": "other/k"},
            "CopyObject",
            "arn:aws:s3:::bucket/k",
        ),
        (
            "s3",
            "upload_part",
            {"Bucket": "bucket", "Key": "k", "PartNumber": 1, "UploadId": "u", "Body": b""},
            "UploadPart",
            "arn:aws:s3:::bucket/k",
        ),
        (
            "s3",
            "create_multipart_upload",
            {"Bucket": "bucket", "Key": "k"},
            "CreateMultipartUpload",
            "arn:aws:s3:::bucket/k",
        ),
        ("s3", "get_bucket_policy", {"Bucket": "bucket"}, "GetBucketPolicy", "arn:aws:s3:::bucket"),
        ("s3", "list_object_versions", {"Bucket": "bucket"}, "ListObjectVersions", "arn:aws:s3:::bucket"),
        ("lambda", "invoke", {"FunctionName": "f"}, "Invoke", f"arn:aws:lambda:{PREFIX}:function:f"),
        (
            "lambda",
            "invoke",
            {"FunctionName": f"arn:aws:lambda:{PREFIX}:function:f:live"},
            "Invoke",
            f"arn:aws:lambda:{PREFIX}:function:f:live",
        ),
        ("lambda", "get_function", {"FunctionName": "f"}, "GetFunction", f"arn:aws:lambda:{PREFIX}:function:f"),
        ("lambda", "list_event_source_mappings", {}, "ListEventSourceMappings", "*"),
        (
            "dynamodb",
            "put_item",
            {"TableName": "t", "Item": {"pk": {"S": "a"}}},
            "PutItem",
            f"arn:aws:dynamodb:{PREFIX}:table/t",
        ),
        (
            "dynamodb",
            "batch_get_item",
            {"RequestItems": {"t": {"Keys": [{"pk": {"S": "a"}}]}}},
            "BatchGetItem",
            f"arn:aws:dynamodb:{PREFIX}:table/t",
        ),
        ("sts", "get_caller_identity", {}, "GetCallerIdentity", "*"),
        ("iam", "get_role", {"RoleName": "r"}, "GetRole", f"arn:aws:iam::{ACCOUNT}:role/r"),
        (
            "stepfunctions",
            "start_execution",
            {"stateMachineArn": f"arn:aws:states:{PREFIX}:stateMachine:m"},
            "StartExecution",
            f"arn:aws:states:{PREFIX}:stateMachine:m",
        ),
        ("ssm", "get_parameter", {"Name": "/a/b"}, "GetParameter", f"arn:aws:ssm:{PREFIX}:parameter/a/b"),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": []}, "PutMetricData", "*"),
        (
            "scheduler",
            "get_schedule",
            {"Name": "s"},
            "GetSchedule",
            f"arn:aws:scheduler:{PREFIX}:schedule/default/s",
        ),
        ("cloudformation", "describe_stacks", {}, "DescribeStacks", "*"),
        (
            "sqs",
            "send_message",
            {"QueueUrl": f"http://127.0.0.1:1/{ACCOUNT}/q", "MessageBody": "b"},
            "SendMessage",
            f"arn:aws:sqs:{PREFIX}:q",
        ),
        (
            "events",
            "put_events",
            {"Entries": [{"Source": "s", "DetailType": "t", "Detail": "{}"}]},
            "PutEvents",
            f"arn:aws:events:{PREFIX}:event-bus/default",
        ),
    ],
)
def test_every_protocol_tells_its_operation_and_resource(
    service: str, method: str, arguments: dict[str, Any], operation: str, resource: str
) -> None:
    call = sent_by(service, method, **arguments)

    assert (call.service, call.operation, call.access_key, call.region) == (
        service,
        operation,
        "KEYOFTEST",
        "ap-northeast-1",
    )
    assert resource_of(call, ACCOUNT) == resource


def test_a_request_that_is_not_signed_is_no_call() -> None:
    assert identify(HttpRequest("GET", "/", "", {}, b"")) is None


def test_a_presigned_address_tells_its_call_too() -> None:
    query = "X-Amz-Credential=KEY%2F20261121%2Fap-northeast-1%2Fs3%2Faws4_request&X-Amz-Signature=s"

    call = identify(HttpRequest("GET", "/bucket/key", query, {}, b""))

    assert call is not None
    assert (call.operation, call.access_key) == ("GetObject", "KEY")
