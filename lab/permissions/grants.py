"""What is granted and was never used."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.permissions.judge import Need
    from lab.permissions.roles import Role

#: Used by AWS itself in the role's name, where the lab cannot see it: action pattern -> who uses it.
USED_BY_AWS = {
    "logs:CreateLogStream": "Lambda writes functions' logs with the function's role; the lab writes them as AWS",
    "logs:PutLogEvents": "Lambda writes functions' logs with the function's role; the lab writes them as AWS",
    "logs:*LogDeliver*": "Step Functions sets up its log delivery when the machine is created",
    "logs:PutResourcePolicy": "Step Functions sets up its log delivery when the machine is created",
    "logs:DescribeResourcePolicies": "Step Functions sets up its log delivery when the machine is created",
    "logs:DescribeLogGroups": "Step Functions sets up its log delivery when the machine is created",
    "xray:*": "Lambda and Step Functions send traces with the role; the lab keeps none",
    "sqs:SendMessage": "Lambda hands events that failed for good to the dead-letter queue with the function's role",
    "sqs:GetQueueAttributes": "Lambda reads the queue's settings while it polls; the lab reads them as AWS",
    "ec2:*NetworkInterface*": "Lambda attaches functions to the VPC; the lab has none",
    "ec2:*PrivateIpAddresses": "Lambda attaches functions to the VPC; the lab has none",
    "ec2:DescribeSubnets": "Lambda attaches functions to the VPC; the lab has none",
}


@dataclass(frozen=True, order=True)
class Grant:
    """An action that a statement of a role allows. ``reason`` says who uses it where the lab cannot see it, or is ""."""

    role: str  # name
    sid: str
    action: str
    reason: str = ""


def unused_grants(roles: Iterable[Role], needs: Iterable[Need]) -> list[Grant]:
    """What the roles were granted and did not use, statement by statement, with a reason where there is one."""
    needed = list(needs)
    return sorted(
        grant for role in roles for grant in _unused(role, [need for need in needed if need.role == role.arn])
    )


def _unused(role: Role, needs: list[Need]) -> Iterator[Grant]:
    for policy, document in role.policies.items():
        for statement in _list(document.get("Statement")):
            if statement["Effect"] != "Allow":
                continue
            for action in _list(statement.get("Action")):
                if not any(_covers(action, statement, need) for need in needs):
                    yield Grant(role.name, statement.get("Sid", policy), action, reason_for(action))


def reason_for(action: str) -> str:
    """Why the lab could not see this action used, or ""."""
    return next((why for pattern, why in USED_BY_AWS.items() if fnmatchcase(action.lower(), pattern.lower())), "")


def _covers(action: str, statement: dict[str, Any], need: Need) -> bool:
    return fnmatchcase(need.action.lower(), action.lower()) and any(
        fnmatchcase(need.resource, resource) for resource in _list(statement.get("Resource"))
    )


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
