"""The context object beside AWS's own, made from the same invocation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from kuroshio_runtime import RuntimeFault
from kuroshio_runtime.api import Answer
from kuroshio_runtime.context import LambdaContext, function_attributes
from kuroshio_runtime.invocation import Invocation

# What awslambdaric 4.2.2 prints for the same invocation.
AWS_REPR = (
    "LambdaContext([aws_request_id=r-1,log_group_name=/aws/lambda/f,log_stream_name=s,function_name=f,"
    "memory_limit_in_mb=128,function_version=$LATEST,invoked_function_arn=arn:aws:lambda:x,"
    "client_context=ClientContext([custom={'k': 1},env=None,client=Client([installation_id=i,app_title=None,"
    "app_version_name=None,app_version_code=None,app_package_name=None])]),"
    "identity=CognitoIdentity([cognito_identity_id=c,cognito_identity_pool_id=p]),tenant_id=blue])"
)


@pytest.fixture(autouse=True)
def function(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    }.items():
        monkeypatch.setenv(name, value)


def context(**headers: str) -> LambdaContext:
    sent = {"lambda-runtime-" + name.replace("_", "-"): value for name, value in headers.items()}
    invocation = Invocation(Answer(200, {"lambda-runtime-aws-request-id": "r-1"} | sent, b""))
    return LambdaContext(invocation, function_attributes())


def test_every_attribute_is_that_of_awss_own_context() -> None:
    client: dict[str, Any] = {"custom": {"k": 1}, "client": {"installation_id": "i"}, "w3c": {"baggage": "b"}}
    made = context(
        invoked_function_arn="arn:aws:lambda:x",
        aws_tenant_id="blue",
        client_context=json.dumps(client),
        cognito_identity=json.dumps({"cognitoIdentityId": "c", "cognitoIdentityPoolId": "p"}),
    )
    assert repr(made) == AWS_REPR
    assert made.w3c() == {"baggage": "b"}


def test_what_lambda_did_not_send_is_none() -> None:
    made = context()
    assert (made.client_context, made.tenant_id, made.identity.cognito_identity_id) == (None, None, None)  # type: ignore[attr-defined]
    assert made.get_remaining_time_in_millis() == 0
    assert made.w3c() == {}


@pytest.mark.parametrize("text", ["{", "[1]", "1"])
def test_a_client_context_that_is_no_object_is_named(text: str) -> None:
    with pytest.raises(RuntimeFault, match="Unable to parse Client Context JSON"):
        context(client_context=text)
