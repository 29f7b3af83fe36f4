"""A function that is asked directly, without its workflow."""

from __future__ import annotations

import json
from typing import Any

from kuroshio import errors
from kuroshio.adapters import aws
from kuroshio.errors import KuroshioError, WorkflowFailed


def invoke(function: str, event: dict[str, Any]) -> Any:
    """Return the answer. Raises the error of ours that the function ended with, WorkflowFailed for any other."""
    with aws.translated(f"asking {function.rpartition(':')[2]}"):
        answered = aws.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        document = json.loads(answered["Payload"].read() or b"null")
    if not answered.get("FunctionError"):
        return document
    name, said = str(document.get("errorType", "")), str(document.get("errorMessage", ""))
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, KuroshioError):
        raise kind(said)
    raise WorkflowFailed(f"{function.rpartition(':')[2]}: {name or 'no error named'}: {said[:500]}", name)
