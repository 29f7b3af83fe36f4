"""S3, DynamoDB and ECR."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.errors import ResourceFailed
from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    lower_first,
    names,
    pick,
    true_numbers,
    upper_tags,
)


class Bucket(Handler):
    replaced_by = names("BucketName")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("BucketName") or context.name(63, lower=True)
        location = {"LocationConstraint": context.region}
        created = {} if context.region == "us-east-1" else {"CreateBucketConfiguration": location}
        if properties.get("ObjectLockEnabled"):
            created["ObjectLockEnabledForBucket"] = True  # type: ignore[assignment]
        context.aws("s3").create_bucket(Bucket=name, **created)
        return self._configure(context, name, {}, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        return self._configure(context, physical_id, old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        if context.aws("s3").list_object_versions(Bucket=physical_id, MaxKeys=1).get("Versions"):
            raise ResourceFailed(f"The bucket you tried to delete is not empty (Service: S3, bucket {physical_id})")
        gone_is_fine(context.aws("s3").delete_bucket, Bucket=physical_id)

    def _configure(self, context: Context, name: str, old: Properties, new: Properties) -> Made:
        s3 = context.aws("s3")
        if "VersioningConfiguration" in new:
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=new["VersioningConfiguration"])
        if "PublicAccessBlockConfiguration" in new:
            block = true_numbers(new["PublicAccessBlockConfiguration"])
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=block)
        if "OwnershipControls" in new:
            s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=new["OwnershipControls"])
        if "BucketEncryption" in new:
            s3.put_bucket_encryption(
                Bucket=name, ServerSideEncryptionConfiguration=_encryption(new["BucketEncryption"])
            )
        if "LifecycleConfiguration" in new:
            rules = [_lifecycle_rule(rule) for rule in new["LifecycleConfiguration"]["Rules"]]
            s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
        elif "LifecycleConfiguration" in old:
            s3.delete_bucket_lifecycle(Bucket=name)
        if "EventBridgeConfiguration" in new.get("NotificationConfiguration", {}):
            s3.put_bucket_notification_configuration(
                Bucket=name, NotificationConfiguration={"EventBridgeConfiguration": {}}
            )
        tags = context.tags_with(new)
        if tags:
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": upper_tags(tags)})
        host = f"{name}.s3.{context.region}.amazonaws.com"
        return Made(
            name,
            {
                "Arn": f"arn:aws:s3:::{name}",
                "DomainName": f"{name}.s3.amazonaws.com",
                "RegionalDomainName": host,
                "WebsiteURL": f"http://{name}.s3-website-{context.region}.amazonaws.com",
            },
        )


def _encryption(encryption: dict[str, Any]) -> dict[str, Any]:
    rules = [
        {
            **({"BucketKeyEnabled": rule["BucketKeyEnabled"]} if "BucketKeyEnabled" in rule else {}),
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
        }
        for rule in encryption["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _lifecycle_rule(rule: dict[str, Any]) -> dict[str, Any]:
    """CloudFormation's flat spelling as the API's."""
    numbers = true_numbers(rule)
    api = pick(numbers, "Status", "AbortIncompleteMultipartUpload", ID="Id")
    api["Filter"] = {"Prefix": str(rule.get("Prefix", ""))}
    if "ExpirationInDays" in numbers:
        api["Expiration"] = {"Days": numbers["ExpirationInDays"]}
    elif "ExpiredObjectDeleteMarker" in numbers:
        api["Expiration"] = {"ExpiredObjectDeleteMarker": numbers["ExpiredObjectDeleteMarker"]}
    if "NoncurrentVersionExpiration" in numbers:
        api["NoncurrentVersionExpiration"] = numbers["NoncurrentVersionExpiration"]
    if "Transitions" in numbers:
        api["Transitions"] = [pick(one, "StorageClass", Days="TransitionInDays") for one in numbers["Transitions"]]
    return api


class BucketPolicy(Handler):
    replaced_by = names("Bucket")

    def create(self, context: Context, properties: Properties) -> Made:
        document = json.dumps(properties["PolicyDocument"])
        context.aws("s3").put_bucket_policy(Bucket=properties["Bucket"], Policy=document)
        return Made(properties["Bucket"])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("s3").delete_bucket_policy, Bucket=physical_id)


class Table(Handler):
    replaced_by = names("TableName", "KeySchema", "LocalSecondaryIndexes")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("TableName") or context.name(255)
        context.aws("dynamodb").create_table(
            TableName=name,
            Tags=upper_tags(context.tags_with(properties)),
            **_sse(properties),
            **pick(
                properties,
                "AttributeDefinitions",
                "KeySchema",
                "BillingMode",
                "ProvisionedThroughput",
                "GlobalSecondaryIndexes",
                "LocalSecondaryIndexes",
                "StreamSpecification",
            ),
        )
        return self._configure(context, name, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        if old.get("BillingMode") != new.get("BillingMode"):
            context.aws("dynamodb").update_table(
                TableName=physical_id, **pick(new, "BillingMode", "ProvisionedThroughput", "AttributeDefinitions")
            )
        return self._configure(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        if true_numbers(properties.get("DeletionProtectionEnabled")):
            raise ResourceFailed(
                f"Resource cannot be deleted as it is currently protected against deletion: {physical_id}"
            )
        gone_is_fine(context.aws("dynamodb").delete_table, TableName=physical_id)

    def _configure(self, context: Context, name: str, properties: Properties) -> Made:
        dynamodb = context.aws("dynamodb")
        life = properties.get("TimeToLiveSpecification")
        if life:
            current = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            if (current.get("TimeToLiveStatus") == "ENABLED") != bool(true_numbers(life["Enabled"])):
                dynamodb.update_time_to_live(TableName=name, TimeToLiveSpecification=true_numbers(life))
        recovery = properties.get("PointInTimeRecoverySpecification")
        if recovery:
            dynamodb.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=true_numbers(recovery))
        if "DeletionProtectionEnabled" in properties:
            dynamodb.update_table(
                TableName=name, DeletionProtectionEnabled=bool(true_numbers(properties["DeletionProtectionEnabled"]))
            )
        table = dynamodb.describe_table(TableName=name)["Table"]
        return Made(name, {"Arn": table["TableArn"], "StreamArn": table.get("LatestStreamArn", "")})


def _sse(properties: Properties) -> dict[str, Any]:
    if "SSESpecification" not in properties:
        return {}
    wanted = true_numbers(properties["SSESpecification"])
    return {"SSESpecification": pick(wanted, "KMSMasterKeyId", "SSEType", Enabled="SSEEnabled")}


class Repository(Handler):
    replaced_by = names("RepositoryName", "EncryptionConfiguration")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("RepositoryName") or context.name(256, lower=True)
        context.aws("ecr").create_repository(
            repositoryName=name,
            tags=upper_tags(context.tags_with(properties)),
            **pick(properties, imageTagMutability="ImageTagMutability"),
            **lower_first(pick(properties, "EncryptionConfiguration")),
            **lower_first(true_numbers(pick(properties, "ImageScanningConfiguration"))),
        )
        return self._configure(context, name, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        if old.get("ImageTagMutability") != new.get("ImageTagMutability"):
            context.aws("ecr").put_image_tag_mutability(
                repositoryName=physical_id, imageTagMutability=new.get("ImageTagMutability", "MUTABLE")
            )
        return self._configure(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        force = bool(true_numbers(properties.get("EmptyOnDelete", False)))
        gone_is_fine(context.aws("ecr").delete_repository, repositoryName=physical_id, force=force)

    def _configure(self, context: Context, name: str, properties: Properties) -> Made:
        ecr = context.aws("ecr")
        lifecycle = (properties.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
        if lifecycle:
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=lifecycle)
        if "RepositoryPolicyText" in properties:
            text = properties["RepositoryPolicyText"]
            ecr.set_repository_policy(
                repositoryName=name, policyText=text if isinstance(text, str) else json.dumps(text)
            )
        found = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
        return Made(name, {"Arn": found["repositoryArn"], "RepositoryUri": found["repositoryUri"]})


HANDLERS: dict[str, Handler] = {
    "AWS::S3::Bucket": Bucket(),
    "AWS::S3::BucketPolicy": BucketPolicy(),
    "AWS::DynamoDB::Table": Table(),
    "AWS::ECR::Repository": Repository(),
}
