"""The handler's second argument: AWS's own Python context, attribute by attribute.

https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

import os
import time

from kuroshio_runtime import RuntimeFault, wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from kuroshio_runtime.invocation import Invocation

PRINTED = (
    "aws_request_id",
    "log_group_name",
    "log_stream_name",
    "function_name",
    "memory_limit_in_mb",
    "function_version",
    "invoked_function_arn",
    "client_context",
    "identity",
    "tenant_id",
)
W3C_FIELDS = ("traceparent", "tracestate", "baggage")


class Record:
    """A plain object with fixed attributes, printed as AWS prints its own."""

    __slots__: "tuple[str, ...]" = ()

    def __init__(self, values: "dict[str, Any]") -> None:
        for name in self.__slots__:
            setattr(self, name, values.get(name))

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{','.join(f'{name}={getattr(self, name)}' for name in self.__slots__)}])"


class CognitoIdentity(Record):
    """Who called through Amazon Cognito; both are None for everybody else."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class Client(Record):
    """The mobile application that called."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


class ClientContext(Record):
    """What a client handed over in X-Amz-Client-Context."""

    __slots__ = ("custom", "env", "client")
    client: "Any"

    def __init__(self, values: "dict[str, Any]") -> None:
        super().__init__(values)
        self.client = None if self.client is None else Client(self.client)


class LambdaContext:
    """What a handler can know about its invocation and its function."""

    log_group_name: "str | None"
    log_stream_name: "str | None"
    function_name: "str | None"
    memory_limit_in_mb: "str | None"
    function_version: "str | None"

    def __init__(self, invocation: "Invocation", function: "dict[str, str | None]") -> None:
        """`function`: what function_attributes() returned, the same for all invocations."""
        vars(self).update(function)
        self.aws_request_id = invocation.request_id
        self.invoked_function_arn = invocation.header("invoked-function-arn")
        self.tenant_id = invocation.header("aws-tenant-id")
        self._deadline_ms = invocation.deadline_ms
        client = parse_header(invocation, "client-context", "Client Context")
        self._w3c = take_w3c(client)
        self.client_context = None if client is None else ClientContext(client)
        self.identity = CognitoIdentity(cognito_fields(invocation))

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda ends the invocation; never below 0."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def w3c(self) -> "dict[str, str]":
        """The W3C trace context at the time of the call."""
        return dict(self._w3c)

    def log(self, message: object) -> None:
        """Write to the log without a level or a format."""
        from kuroshio_runtime import journal

        journal.write(str(message))

    def __repr__(self) -> str:
        return f"LambdaContext([{','.join(f'{name}={getattr(self, name)}' for name in PRINTED)}])"


def function_attributes() -> "dict[str, str | None]":
    """What the environment says of the function, by the names of the context's attributes; read once."""
    return {
        "log_group_name": os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME"),
        "log_stream_name": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
        "function_name": os.environ.get("AWS_LAMBDA_FUNCTION_NAME"),
        "memory_limit_in_mb": os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"),
        "function_version": os.environ.get("AWS_LAMBDA_FUNCTION_VERSION"),
    }


def parse_header(invocation: "Invocation", name: str, title: str) -> "dict[str, Any] | None":
    """The JSON object in a header, None without one. Raises RuntimeFault where it is something else."""
    text = invocation.header(name)
    if not text:
        return None
    try:
        value = wire.parse(text.encode())
    except RuntimeFault as fault:
        raise RuntimeFault("Runtime.LambdaContextUnmarshalError", f"Unable to parse {title} JSON: {fault}") from None
    if not isinstance(value, dict):
        raise RuntimeFault(
            "Runtime.LambdaContextUnmarshalError", f"Unable to parse {title} JSON: not an object but {text[:60]}"
        )
    return value


def cognito_fields(invocation: "Invocation") -> "dict[str, Any]":
    """Cognito's fields under the names of the context's attributes."""
    sent = parse_header(invocation, "cognito-identity", "Cognito Identity") or {}
    return {
        "cognito_identity_id": sent.get("cognitoIdentityId"),
        "cognito_identity_pool_id": sent.get("cognitoIdentityPoolId"),
    }


def take_w3c(client: "dict[str, Any] | None") -> "dict[str, str]":
    """Takes ``w3c`` out of the client context, as AWS does since 2026, and keeps the fields that it knows."""
    sent = client.pop("w3c", None) if client else None
    if not isinstance(sent, dict):
        return {}
    return {name: sent[name] for name in W3C_FIELDS if isinstance(sent.get(name), str)}
