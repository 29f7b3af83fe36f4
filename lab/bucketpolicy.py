"""What bucket policies deny. S3's own: moto keeps them, and denies without reading their conditions."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from lab.actions import actions_of
from lab.answers import Answer, error_answer
from lab.calls import resource_of
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.calls import Call, HttpRequest


class BucketPolicies:
    """Denies as the buckets' Deny statements say. Allow statements are left to the judge of recorded calls."""

    def __init__(self) -> None:
        self._policies: dict[str, list[dict[str, Any]]] = {}

    def __call__(self, call: Call, request: HttpRequest, caller: str) -> Answer | None:
        """A refusal, or None to go on to moto."""
        bucket = str(call.parameters.get("Bucket", ""))
        if call.operation == "PutBucketPolicy":
            self._policies[bucket] = json.loads(request.body)["Statement"]
        elif call.operation in {"DeleteBucketPolicy", "DeleteBucket"}:
            self._policies.pop(bucket, None)
        elif caller != "lab":
            denied = self._denial(bucket, call, request, caller)
            if denied:
                message = f"User: {caller} is not authorized: an explicit deny in a resource-based policy ({denied})"
                return error_answer(call, 403, "AccessDenied", message)
        return None

    def _denial(self, bucket: str, call: Call, request: HttpRequest, caller: str) -> str:
        context = _context(request, caller)
        resource = resource_of(call, ACCOUNT)
        for statement in self._policies.get(bucket, []):
            if statement["Effect"] == "Deny" and _applies(statement, call, request, resource, context):
                return str(statement.get("Sid", "a statement without Sid"))
        return ""


def _context(request: HttpRequest, caller: str) -> dict[str, str]:
    """The condition keys of the request. The lab speaks plain HTTP on loopback and stands in for S3's TLS."""
    context = {"aws:securetransport": "true", "s3:tlsversion": "1.3", "aws:principalarn": caller}
    for header in ("if-none-match", "if-match", "x-amz-server-side-encryption", "x-amz-acl"):
        if header in request.headers:
            context[f"s3:{header}"] = request.headers[header]
    return context


def _applies(
    statement: Mapping[str, Any], call: Call, request: HttpRequest, resource: str, context: Mapping[str, str]
) -> bool:
    versioned = "versionId" in dict(parse_qsl(request.query, keep_blank_values=True))
    wanted = [action.lower() for action in actions_of(call.service, call.operation, versioned=versioned)]
    return (
        any(fnmatchcase(action, pattern.lower()) for action in wanted for pattern in _list(statement.get("Action")))
        and any(fnmatchcase(resource, pattern) for pattern in _list(statement.get("Resource")))
        and _names(statement.get("Principal"), context["aws:principalarn"])
        and all(_holds(operator, keys, context) for operator, keys in (statement.get("Condition") or {}).items())
    )


def _names(principal: Any, caller: str) -> bool:
    named = _list(principal.get("AWS")) if isinstance(principal, dict) else _list(principal)
    return any(one in {"*", caller} for one in named)


def _holds(operator: str, keys: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """One condition block. An operator that is not here never holds: a Deny of the lab must not be guessed."""
    return all(_one_holds(operator, context.get(key.lower()), _list(values)) for key, values in keys.items())


def _one_holds(operator: str, actual: str | None, wanted: list[str]) -> bool:
    if operator == "Null":
        return (actual is None) == (wanted[0].lower() == "true")
    if operator.endswith("IfExists"):
        return actual is None or _one_holds(operator.removesuffix("IfExists"), actual, wanted)
    if operator in {"StringNotEquals", "StringNotLike", "ArnNotEquals", "ArnNotLike"}:
        return actual is None or not _is_one_of(actual, wanted)
    if operator in {"StringEquals", "Bool", "StringLike", "ArnLike", "ArnEquals"}:
        return actual is not None and _is_one_of(actual, wanted)
    return operator == "NumericLessThan" and actual is not None and float(actual) < float(wanted[0])


def _is_one_of(actual: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(actual, pattern) for pattern in patterns)


def _list(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]
