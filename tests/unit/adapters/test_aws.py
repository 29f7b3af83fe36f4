"""What botocore's failures become, and that clients are made once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore import exceptions as botocore_errors
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from kuroshio.adapters import aws
from kuroshio.errors import (
    AccessRefused,
    ConfigurationMissing,
    KuroshioError,
    NotFound,
    RequestRefused,
    ServiceUnavailable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _somewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.forget_clients()
    yield
    aws.forget_clients()


def refusal(code: str, status: int = 400) -> botocore_errors.ClientError:
    return botocore_errors.ClientError(
        {"Error": {"Code": code, "Message": "so AWS says"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        "GetObject",
    )


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (refusal("SlowDown", 503), ServiceUnavailable),
        (refusal("ThrottlingException"), ServiceUnavailable),
        (refusal("ConditionalRequestConflict", 409), ServiceUnavailable),
        (refusal("NobodyHeardOfThis", 500), ServiceUnavailable),
        (refusal("AccessDenied", 403), AccessRefused),
        (refusal("403", 403), AccessRefused),
        (refusal("ExpiredTokenException"), AccessRefused),
        (refusal("NoSuchKey", 404), NotFound),
        (refusal("404", 404), NotFound),
        (refusal("ParameterNotFound"), NotFound),
        (refusal("PreconditionFailed", 412), RequestRefused),
        (refusal("ValidationException"), RequestRefused),
        (botocore_errors.ConnectTimeoutError(endpoint_url="https://s3"), ServiceUnavailable),
        (botocore_errors.ReadTimeoutError(endpoint_url="https://s3"), ServiceUnavailable),
        (botocore_errors.EndpointConnectionError(endpoint_url="https://s3"), ServiceUnavailable),
        (botocore_errors.ConnectionClosedError(endpoint_url="https://s3"), ServiceUnavailable),
        (botocore_errors.NoCredentialsError(), ConfigurationMissing),
        (botocore_errors.NoRegionError(), ConfigurationMissing),
        (botocore_errors.UnauthorizedSSOTokenError(), AccessRefused),
        (botocore_errors.ParamValidationError(report="Bucket is missing"), RequestRefused),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:60],
)
def test_each_failure_becomes_the_error_that_tells_what_to_do_about_it(
    error: Exception, ours: type[KuroshioError]
) -> None:
    with pytest.raises(ours, match="reading the plan x: ") as raised, aws.translated("reading the plan x"):
        raise error
    assert type(raised.value) is ours
    assert raised.value.__cause__ is error


def test_the_message_says_what_was_being_done_which_call_refused_and_what_aws_said() -> None:
    with pytest.raises(AccessRefused) as raised, aws.translated("reading the plan x"):
        raise refusal("AccessDenied", 403)
    assert str(raised.value) == "reading the plan x: GetObject was answered with AccessDenied: so AWS says"


def test_what_is_no_failure_of_aws_passes_unchanged() -> None:
    with pytest.raises(ZeroDivisionError), aws.translated("counting"):
        raise ZeroDivisionError


def test_a_caller_can_ask_which_code_aws_answered() -> None:
    assert aws.code_of(refusal("PreconditionFailed", 412)) == "PreconditionFailed"


def test_everything_that_botocore_would_retry_is_transient_for_us() -> None:
    retried = {
        *ThrottledRetryableChecker._THROTTLED_ERROR_CODES,
        *TransientRetryableChecker._TRANSIENT_ERROR_CODES,
    }
    assert retried <= aws._TRANSIENT


def test_a_service_has_one_client_with_bounded_waiting() -> None:
    client = aws.client("s3")

    assert aws.client("s3") is client
    config = client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (3, 20)  # type: ignore[attr-defined]
    assert config.retries == {"mode": "standard", "total_max_attempts": 4}  # type: ignore[attr-defined]


def test_a_missing_region_is_named_as_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(ConfigurationMissing, match="making a client of dynamodb: You must specify a region"):
        aws.client("dynamodb")
