"""What an answer of the emulator means. The emulator is not the service: it tells most failures with status 200."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lab.ports import InvocationResult

if TYPE_CHECKING:
    from lab.environment import Answer

_BAD_REQUEST = 400
_TIMED_OUT = re.compile(rb"Task timed out after (\d+\.\d\d) seconds")
_OF_AN_ERROR = {"errorMessage", "errorType", "requestId", "stackTrace", "cause"}


def verdict(request_id: str, answer: Answer) -> InvocationResult:
    """The answer as Lambda would give it: ``function_error`` is set where the function failed."""
    late = _TIMED_OUT.fullmatch(answer.body.strip())
    if late:
        said = f"RequestId: {request_id} Error: Task timed out after {late[1].decode()} seconds"
        return _failed({"errorType": "Sandbox.Timedout", "errorMessage": said}, answer.logs)
    if answer.status >= _BAD_REQUEST and not _document(answer.body):
        said = f"RequestId: {request_id} Error: {answer.body.decode(errors='replace') or 'no answer'}"
        return _failed({"errorType": "Runtime.Unknown", "errorMessage": said}, answer.logs)
    failed = answer.status >= _BAD_REQUEST or is_error_document(answer.body, request_id)
    return InvocationResult(answer.body, "Unhandled" if failed else None, answer.logs)


def is_error_document(body: bytes, request_id: str) -> bool:
    """Tell a runtime's error report from a result that merely has the same words in it.

    A runtime's report has no other fields than Lambda's own, and the invocation's id or a stack among them.
    """
    document = _document(body)
    if not {"errorMessage", "errorType"} <= document.keys() <= _OF_AN_ERROR:
        return False
    return document.get("requestId") == request_id or isinstance(document.get("stackTrace"), list)


def process_died(request_id: str, why: str, logs: tuple[str, ...]) -> InvocationResult:
    """The result of an invocation whose environment ended under it."""
    said = f"RequestId: {request_id} Error: Runtime exited without providing a reason ({why})"
    return _failed({"errorType": "Runtime.ExitError", "errorMessage": said}, logs)


def could_not_start(request_id: str, why: str) -> InvocationResult:
    """The result of an invocation that found no environment and could not get one."""
    said = f"RequestId: {request_id} Error: the execution environment did not start: {why}"
    return _failed({"errorType": "Runtime.InvalidEntrypoint", "errorMessage": said}, (said,))


def _failed(document: dict[str, str], logs: tuple[str, ...]) -> InvocationResult:
    return InvocationResult(json.dumps(document).encode(), "Unhandled", logs)


def _document(body: bytes) -> dict[str, Any]:
    if not body.startswith(b"{"):
        return {}
    try:
        return dict(json.loads(body))
    except ValueError:
        return {}
