"""IAM."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import Context, Handler, Made, Properties, gone_is_fine, names, pick, upper_tags
from lab.place import ACCOUNT


def _document(policy: Any) -> str:
    """The document as text. SAM's policy templates have no Version, which IAM takes and moto does not."""
    return policy if isinstance(policy, str) else json.dumps({"Version": "2012-10-17", **policy})


class Role(Handler):
    replaced_by = names("RoleName", "Path")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("RoleName") or context.name()
        role = context.aws("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=_document(properties["AssumeRolePolicyDocument"]),
            Tags=upper_tags(context.tags_with(properties)),
            **pick(properties, "Path", "Description", "MaxSessionDuration", "PermissionsBoundary"),
        )["Role"]
        self._attach(context, name, {}, properties)
        return Made(name, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        iam = context.aws("iam")
        document = _document(new["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=physical_id, PolicyDocument=document)
        iam.update_role(RoleName=physical_id, **pick(new, "Description", "MaxSessionDuration"))
        self._attach(context, physical_id, old, new)
        role = iam.get_role(RoleName=physical_id)["Role"]
        return Made(physical_id, {"Arn": role["Arn"], "RoleId": role["RoleId"]})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        iam = context.aws("iam")
        for arn in properties.get("ManagedPolicyArns", []):
            gone_is_fine(iam.detach_role_policy, RoleName=physical_id, PolicyArn=arn)
        for policy in properties.get("Policies", []):
            gone_is_fine(iam.delete_role_policy, RoleName=physical_id, PolicyName=policy["PolicyName"])
        gone_is_fine(iam.delete_role, RoleName=physical_id)

    def _attach(self, context: Context, name: str, old: Properties, new: Properties) -> None:
        iam = context.aws("iam")
        kept = {policy["PolicyName"] for policy in new.get("Policies", [])}
        for policy in old.get("Policies", []):
            if policy["PolicyName"] not in kept:
                gone_is_fine(iam.delete_role_policy, RoleName=name, PolicyName=policy["PolicyName"])
        for policy in new.get("Policies", []):
            document = _document(policy["PolicyDocument"])
            iam.put_role_policy(RoleName=name, PolicyName=policy["PolicyName"], PolicyDocument=document)
        for arn in set(old.get("ManagedPolicyArns", [])) - set(new.get("ManagedPolicyArns", [])):
            gone_is_fine(iam.detach_role_policy, RoleName=name, PolicyArn=arn)
        for arn in new.get("ManagedPolicyArns", []):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)


class InlinePolicy(Handler):
    """AWS::IAM::Policy: an inline policy that several roles carry."""

    replaced_by = names("PolicyName", "Roles")

    def create(self, context: Context, properties: Properties) -> Made:
        for role in properties.get("Roles", []):
            context.aws("iam").put_role_policy(
                RoleName=role,
                PolicyName=properties["PolicyName"],
                PolicyDocument=_document(properties["PolicyDocument"]),
            )
        return Made(properties["PolicyName"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        for role in properties.get("Roles", []):
            gone_is_fine(context.aws("iam").delete_role_policy, RoleName=role, PolicyName=physical_id)


class ManagedPolicy(Handler):
    replaced_by = names("ManagedPolicyName", "Path", "Description")

    def create(self, context: Context, properties: Properties) -> Made:
        iam = context.aws("iam")
        arn = iam.create_policy(
            PolicyName=properties.get("ManagedPolicyName") or context.name(128),
            PolicyDocument=_document(properties["PolicyDocument"]),
            **pick(properties, "Path", "Description"),
        )["Policy"]["Arn"]
        for role in properties.get("Roles", []):
            iam.attach_role_policy(RoleName=role, PolicyArn=arn)
        return Made(arn, {"PolicyArn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        iam = context.aws("iam")
        document = _document(new["PolicyDocument"])
        for version in iam.list_policy_versions(PolicyArn=physical_id)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=physical_id, VersionId=version["VersionId"])
        iam.create_policy_version(PolicyArn=physical_id, PolicyDocument=document, SetAsDefault=True)
        for role in set(old.get("Roles", [])) - set(new.get("Roles", [])):
            gone_is_fine(iam.detach_role_policy, RoleName=role, PolicyArn=physical_id)
        for role in set(new.get("Roles", [])) - set(old.get("Roles", [])):
            iam.attach_role_policy(RoleName=role, PolicyArn=physical_id)
        return Made(physical_id, {"PolicyArn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        iam = context.aws("iam")
        for role in properties.get("Roles", []):
            gone_is_fine(iam.detach_role_policy, RoleName=role, PolicyArn=physical_id)
        gone_is_fine(iam.delete_policy, PolicyArn=physical_id)


class OidcProvider(Handler):
    replaced_by = names("Url")

    def create(self, context: Context, properties: Properties) -> Made:
        arn = context.aws("iam").create_open_id_connect_provider(
            Url=properties["Url"],
            ClientIDList=properties.get("ClientIdList", []),
            # AWS fetches the thumbprint where none is given; moto wants one.
            ThumbprintList=properties.get("ThumbprintList") or ["0" * 40],
        )["OpenIDConnectProviderArn"]
        return Made(arn, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        iam = context.aws("iam")
        for client in set(new.get("ClientIdList", [])) - set(old.get("ClientIdList", [])):
            iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=physical_id, ClientID=client)
        for client in set(old.get("ClientIdList", [])) - set(new.get("ClientIdList", [])):
            iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=physical_id, ClientID=client)
        return Made(physical_id, {"Arn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("iam").delete_open_id_connect_provider, OpenIDConnectProviderArn=physical_id)


class ServiceLinkedRole(Handler):
    def create(self, context: Context, properties: Properties) -> Made:  # noqa: ARG002
        return Made(f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{properties['AWSServiceName']}")


HANDLERS: dict[str, Handler] = {
    "AWS::IAM::Role": Role(),
    "AWS::IAM::Policy": InlinePolicy(),
    "AWS::IAM::ManagedPolicy": ManagedPolicy(),
    "AWS::IAM::OIDCProvider": OidcProvider(),
    "AWS::IAM::ServiceLinkedRole": ServiceLinkedRole(),
}
