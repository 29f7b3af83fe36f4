"""Answers of people to state machines that wait for them, and who the people are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

# Of a task that was answered, timed out, or belonged to an execution that ended.
_OVER = frozenset({"InvalidToken", "TaskDoesNotExist", "TaskTimedOut"})


def approve(token: str, answer: Mapping[str, Any]) -> None:
    """Let the state go on with the answer. Raises NotFound where nobody waits for it any more."""
    _send("send_task_success", token, output=json.dumps(answer))


def reject(token: str, by: str, reason: str) -> None:
    """Let the state fail with ApprovalRejected. Raises NotFound where nobody waits for it any more."""
    said = f"{by} said no" + (f": {reason}" if reason else "")
    _send("send_task_failure", token, error="ApprovalRejected", cause=said[:30_000])


def caller() -> str:
    """The ARN of whose credentials these are."""
    with aws.translated("asking whose credentials these are"):
        return aws.client("sts").get_caller_identity()["Arn"]


def _send(operation: str, token: str, **answer: str) -> None:
    from botocore.exceptions import ClientError

    with aws.translated("answering the approval"):
        try:
            getattr(aws.client("stepfunctions"), operation)(taskToken=token, **answer)
        except ClientError as error:
            if aws.code_of(error) in _OVER:
                raise NotFound(
                    "nobody waits for this answer any more: it was answered, a day passed, or the run that asked has ended"
                ) from None
            raise
