"""AWS clients, and what their failures mean in our words.

Clients come from botocore itself: boto3 adds s3transfer and multiprocessing to every cold start and nothing that we use.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import kuroshio
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

    from botocore.client import BaseClient
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.session import Session
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient
    from mypy_boto3_sts import STSClient

# "The same call may succeed later": botocore's own lists of throttling and transient codes (tests/unit/test_aws.py
# holds them against each other), and S3's answer when two conditional writes of one key meet.
_TRANSIENT = frozenset({
    "BandwidthLimitExceeded",
    "ConditionalRequestConflict",
    "EC2ThrottledException",
    "InternalError",
    "InternalServerError",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "TransactionInProgressException",
})  # fmt: skip
_REFUSED = frozenset({
    "403",  # S3 answers HEAD without a body, so botocore has only the status
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
})  # fmt: skip
_ABSENT = frozenset({
    "404",
    "AWS.SimpleQueueService.NonExistentQueue",
    "DBClusterNotFoundFault",
    "DBClusterParameterGroupNotFound",
    "DBInstanceNotFound",
    "DBParameterGroupNotFound",  # RDS's answer for a *cluster* parameter group too, in some operations
    "DBSubnetGroupNotFoundFault",
    "ExecutionDoesNotExist",
    "ImageNotFoundException",
    "InvalidSubnetID.NotFound",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchHostedZone",
    "NoSuchKey",
    "NotFound",
    "ParameterNotFound",
    "RepositoryNotFoundException",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
})  # fmt: skip
_SERVER_ERROR = 500


@overload
def client(service: Literal["cloudformation"]) -> CloudFormationClient: ...
@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["ecr"]) -> ECRClient: ...
@overload
def client(service: Literal["lambda"]) -> LambdaClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["secretsmanager"]) -> SecretsManagerClient: ...
@overload
def client(service: Literal["sqs"]) -> SQSClient: ...
@overload
def client(service: Literal["ssm"]) -> SSMClient: ...
@overload
def client(service: Literal["stepfunctions"]) -> SFNClient: ...
@overload
def client(service: Literal["sts"]) -> STSClient: ...
@overload
def client(
    service: Literal["ec2", "rds", "route53"],
) -> Any: ...  # without stubs: what is sent is judged by botocore's models
def client(service: str) -> Any:
    """The one client of a service in this process, made on first use: making it is the larger part of a cold start.

    Raises ConfigurationMissing where neither the environment nor a profile names a region.
    """
    return _client(service)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise what botocore raises within as an error of ours; ``doing`` opens its message ("reading the plan x.json").

    ServiceUnavailable after botocore's own retries, AccessRefused, NotFound, ConfigurationMissing (no region, no
    credentials), else RequestRefused. A caller that expects a code catches ClientError inside and asks ``code_of``.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _meaning(error)(f"{doing}: {_saying(error)}") from error
    except BotoCoreError as error:
        raise _meaning_before_an_answer(error)(f"{doing}: {error}") from error


def code_of(error: ClientError) -> str:
    """AWS's name of the error, such as "PreconditionFailed"; a bare status ("404") where the answer had no body."""
    return str(error.response.get("Error", {}).get("Code", ""))


def forget_clients() -> None:
    """Drop the clients and their session: another region or other credentials are in force from here on."""
    _client.cache_clear()
    _session.cache_clear()


@cache
def _client(service: str) -> BaseClient:
    from botocore.config import Config

    config = Config(
        connect_timeout=3,
        # Above S3's slowest first byte that we want to wait for, far below any function's own timeout.
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        user_agent_extra=f"kuroshio/{kuroshio.__version__}",
    )
    with translated(f"making a client of {service}"):
        return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    from botocore.session import get_session

    return get_session()


def _meaning(error: ClientError) -> type[KuroshioError]:
    code, status = code_of(error), int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _TRANSIENT or status >= _SERVER_ERROR:
        return ServiceUnavailable
    if code in _REFUSED:
        return AccessRefused
    return NotFound if code in _ABSENT else RequestRefused


def _meaning_before_an_answer(error: BotoCoreError) -> type[KuroshioError]:
    from botocore import exceptions as known

    if isinstance(error, known.HTTPClientError | known.ConnectionError):
        return ServiceUnavailable
    nobody = (known.NoCredentialsError, known.PartialCredentialsError, known.NoRegionError, known.ProfileNotFound)
    if isinstance(error, nobody):
        return ConfigurationMissing
    if isinstance(error, known.CredentialRetrievalError | known.SSOError | known.TokenRetrievalError):
        return AccessRefused
    return RequestRefused


def _saying(error: ClientError) -> str:
    details = error.response.get("Error", {})
    return f"{error.operation_name} was answered with {code_of(error)}: {details.get('Message', 'no message')}"
