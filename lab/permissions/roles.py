"""Roles with their policies as they are deployed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Role:
    """A role and all its identity policies, inline and attached, by name."""

    arn: str
    name: str
    policies: dict[str, dict[str, Any]]


def read_roles(iam: Any) -> list[Role]:
    """All roles of the account, through IAM's own API."""
    return [_role(iam, one) for one in iam.list_roles()["Roles"]]


def _role(iam: Any, role: dict[str, Any]) -> Role:
    name = role["RoleName"]
    policies = {
        policy: iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
    }
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        policies[attached["PolicyName"]] = document
    return Role(role["Arn"], name, policies)
