"""Responses that are sent while the handler is still making them: a handler asks for it by being a generator.

Each item is bytes or text. If the first item is a mapping (``statusCode``, ``headers``, ``cookies``) it becomes the
HTTP prelude that function URLs read. https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"""

import base64

from kuroshio_runtime import RuntimeFault, faults, journal, wire
from kuroshio_runtime.api import BrokenAnswer, RuntimeApi, invocation_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import Any

    from kuroshio_runtime.invocation import Invocation

PLAIN = "application/octet-stream"
HTTP_INTEGRATION = "application/vnd.awslambda.http-integration-response"
PRELUDE_END = bytes(8)
LAST_CHUNK = b"0\r\n"


def respond(api: RuntimeApi, invocation: "Invocation", items: "Generator[Any, None, None]") -> None:
    """Stream `items`; an error before the first of them is an ordinary invocation error, a later one a trailer."""
    failed = f"/invocation/{invocation.request_id}/error"
    try:
        first, content_type = prelude(next(items, b""))
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises
        leave_if_stopping()
        faults.report(api, failed, faults.describe(error, invocation.request_id), invocation.invocation_id)
        return
    headers = (
        f"Content-Type: {content_type}\r\n"
        "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
        "Transfer-Encoding: chunked\r\n"
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
        "Connection: close\r\n" + invocation_header(invocation.invocation_id)
    )
    try:
        received = api.stream(
            f"/invocation/{invocation.request_id}/response", headers, chunks(first, items, invocation.request_id)
        )
        if received.status != 202:
            journal.refused("streamed response", received)
    except BrokenAnswer as broken:
        # Unanswered, the same event would come again: so end it, whatever Lambda made of the half.
        fault = RuntimeFault("Runtime.StreamBroken", f"the response stream broke: {broken}")
        faults.report(api, failed, faults.describe(fault, invocation.request_id), invocation.invocation_id)
    finally:
        items.close()


def leave_if_stopping() -> None:
    """After SIGTERM there is nobody left to answer."""
    from kuroshio_runtime.invocation import present

    if present.stopping:
        raise SystemExit(128 + 15)


def prelude(first: "Any") -> "tuple[bytes, str]":
    """The first bytes to send and the content type that they imply."""
    if isinstance(first, dict):
        return wire.render(first) + PRELUDE_END, HTTP_INTEGRATION
    return encoded(first), PLAIN


def encoded(item: "Any") -> bytes:
    """The bytes of one item. Raises RuntimeFault for what is neither bytes nor text."""
    if isinstance(item, str):
        return item.encode()
    if isinstance(item, bytes | bytearray | memoryview):
        return bytes(item)
    raise RuntimeFault(
        "Runtime.MarshalError", f"a streaming handler yields bytes or str, this one yielded a {type(item).__name__}"
    )


def chunks(first: bytes, items: "Iterator[Any]", request_id: str) -> "Iterator[bytes]":
    """The chunked body with its end; an error of the handler travels behind the last chunk."""
    failure = None
    try:
        yield from framed(first)
        for item in items:
            yield from framed(encoded(item))
    except GeneratorExit:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever a handler raises
        leave_if_stopping()
        failure = faults.describe(error, request_id)
        journal.failure(failure.document)
    yield LAST_CHUNK + (trailers(failure) if failure else b"") + b"\r\n"


def framed(data: bytes) -> "Iterator[bytes]":
    """One chunk; none for no bytes, since an empty chunk would end the body."""
    if data:
        yield b"%x\r\n%b\r\n" % (len(data), data)


def trailers(failure: "faults.Failure") -> bytes:
    """The trailers that tell Lambda of an error in the middle of a stream."""
    document = base64.b64encode(wire.render(failure.document)).decode()
    return (
        f"Lambda-Runtime-Function-Error-Type: {failure.header_type}\r\n"
        f"Lambda-Runtime-Function-Error-Body: {document}\r\n"
    ).encode()
