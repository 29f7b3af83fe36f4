"""Parameter Store, Secrets Manager and KMS."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    names,
    pick,
    true_numbers,
    upper_tags,
)


class Parameter(Handler):
    replaced_by = names("Name")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("Name") or f"CFN-{context.name()}", properties, overwrite=False)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._put(context, physical_id, new, overwrite=True)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("ssm").delete_parameter, Name=physical_id)

    def _put(self, context: Context, name: str, properties: Properties, *, overwrite: bool) -> Made:
        context.aws("ssm").put_parameter(
            Name=name,
            Overwrite=overwrite,
            **pick(properties, "Value", "Type", "Description", "AllowedPattern", "Tier", "DataType", "Policies"),
        )
        return Made(name, {"Type": properties["Type"], "Value": properties["Value"]})


class Secret(Handler):
    replaced_by = names("Name")

    def create(self, context: Context, properties: Properties) -> Made:
        manager = context.aws("secretsmanager")
        value = pick(properties, "SecretString")
        if "GenerateSecretString" in properties:
            value = {"SecretString": self._generate(context, properties["GenerateSecretString"])}
        arn = manager.create_secret(
            Name=properties.get("Name") or context.name(256),
            Tags=upper_tags(context.tags_with(properties)),
            **pick(properties, "Description", "KmsKeyId"),
            **value,
        )["ARN"]
        return Made(arn, {"Id": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        changed = pick(new, "Description", "KmsKeyId")
        if old.get("SecretString") != new.get("SecretString"):
            changed |= pick(new, "SecretString")
        context.aws("secretsmanager").update_secret(SecretId=physical_id, **changed)
        return Made(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        manager = context.aws("secretsmanager")
        gone_is_fine(manager.delete_secret, SecretId=physical_id, ForceDeleteWithoutRecovery=True)

    def _generate(self, context: Context, wanted: dict[str, Any]) -> str:
        rules = {
            key: value for key, value in wanted.items() if key not in {"GenerateStringKey", "SecretStringTemplate"}
        }
        password: str = context.aws("secretsmanager").get_random_password(**true_numbers(rules))["RandomPassword"]
        if "GenerateStringKey" not in wanted:
            return password
        return json.dumps(
            {**json.loads(wanted.get("SecretStringTemplate", "{}")), wanted["GenerateStringKey"]: password}
        )


class SecretPolicy(Handler):
    replaced_by = names("SecretId")

    def create(self, context: Context, properties: Properties) -> Made:
        context.aws("secretsmanager").put_resource_policy(
            SecretId=properties["SecretId"], ResourcePolicy=json.dumps(properties["ResourcePolicy"])
        )
        return Made(properties["SecretId"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("secretsmanager").delete_resource_policy, SecretId=physical_id)


class Key(Handler):
    def create(self, context: Context, properties: Properties) -> Made:
        kms = context.aws("kms")
        key = kms.create_key(
            Policy=json.dumps(properties["KeyPolicy"]),
            Tags=[{"TagKey": name, "TagValue": value} for name, value in context.tags_with(properties).items()],
            **pick(properties, "Description", "KeyUsage", "KeySpec", "MultiRegion"),
        )["KeyMetadata"]
        if true_numbers(properties.get("EnableKeyRotation", False)):
            kms.enable_key_rotation(KeyId=key["KeyId"])
        return Made(key["KeyId"], {"Arn": key["Arn"], "KeyId": key["KeyId"]})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        kms = context.aws("kms")
        if old["KeyPolicy"] != new["KeyPolicy"]:
            kms.put_key_policy(KeyId=physical_id, PolicyName="default", Policy=json.dumps(new["KeyPolicy"]))
        kms.update_key_description(KeyId=physical_id, Description=new.get("Description", ""))
        return Made(physical_id, {"Arn": context.arn("kms", f"key/{physical_id}"), "KeyId": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        days = int(properties.get("PendingWindowInDays", 30))
        gone_is_fine(context.aws("kms").schedule_key_deletion, KeyId=physical_id, PendingWindowInDays=days)


class KeyAlias(Handler):
    replaced_by = names("AliasName")

    def create(self, context: Context, properties: Properties) -> Made:
        context.aws("kms").create_alias(**pick(properties, "AliasName", "TargetKeyId"))
        return Made(properties["AliasName"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("kms").update_alias(**pick(new, "AliasName", "TargetKeyId"))
        return Made(physical_id)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("kms").delete_alias, AliasName=physical_id)


HANDLERS: dict[str, Handler] = {
    "AWS::SSM::Parameter": Parameter(),
    "AWS::SecretsManager::Secret": Secret(),
    "AWS::SecretsManager::ResourcePolicy": SecretPolicy(),
    "AWS::KMS::Key": Key(),
    "AWS::KMS::Alias": KeyAlias(),
}
