"""Answers of the lab's own, in the wire form of the service that was asked."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from lab.calls import Call, protocol_of


@dataclass(frozen=True)
class Answer:
    """An HTTP response."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


def error_answer(call: Call, status: int, code: str, message: str) -> Answer:
    """An error as ``call``'s service would send it, so that SDKs raise the exception of that name."""
    protocol = protocol_of(call.service)
    identity = str(uuid.uuid4())
    headers = {"x-amzn-RequestId": identity, "x-amz-request-id": identity}
    if call.service == "s3":
        body = (
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{identity}</RequestId></Error>"
        )
        return Answer(status, body.encode(), {**headers, "Content-Type": "application/xml"})
    if protocol in {"query", "ec2", "rest-xml"}:
        kind = "Receiver" if status >= 500 else "Sender"  # noqa: PLR2004 - HTTP's server errors
        body = (
            f"<ErrorResponse><Error><Type>{kind}</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
            f"<RequestId>{identity}</RequestId></ErrorResponse>"
        )
        return Answer(status, body.encode(), {**headers, "Content-Type": "text/xml"})
    headers |= {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}
    if protocol == "smithy-rpc-v2-cbor":  # SDKs read the code from the header when the body is empty
        headers["x-amzn-query-error"] = f"{code};Sender"
    return Answer(status, json.dumps({"__type": code, "message": message, "Message": message}).encode(), headers)
