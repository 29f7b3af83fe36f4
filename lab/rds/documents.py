"""Clusters, instances and events as the API of RDS describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.place import ACCOUNT, REGION
from lab.rds.parameters import family_of

if TYPE_CHECKING:
    from lab.rds.aurora import Aurora
    from lab.rds.clusters import Cluster, Event, Instance
    from lab.rds.parameters import Group

_ENGINE = "aurora-mysql"


def cluster(aurora: Aurora, one: Cluster) -> dict[str, Any]:
    """A ``DBCluster``."""
    return {
        "DBClusterIdentifier": one.name,
        "DBClusterArn": one.arn,
        "DBClusterParameterGroup": one.group,
        "DBSubnetGroup": one.subnet_group,
        "Status": one.status,
        "Endpoint": aurora.address,
        "ReaderEndpoint": aurora.address,
        "MultiAZ": False,
        "Engine": _ENGINE,
        "EngineVersion": one.version,
        "EngineMode": "provisioned",
        "Port": aurora.port(one.name),
        "MasterUsername": one.user,
        "BackupRetentionPeriod": 1,
        "DBClusterMembers": [
            {
                "DBInstanceIdentifier": member.name,
                "IsClusterWriter": member.name == one.writer,
                "DBClusterParameterGroupStatus": "in-sync" if aurora.account.in_sync(member) else "pending-reboot",
                "PromotionTier": member.tier,
            }
            for member in aurora.account.members(one)
        ],
        "VpcSecurityGroups": [{"VpcSecurityGroupId": group, "Status": "active"} for group in one.security_groups],
        "StorageEncrypted": "KmsKeyId" in one.settings,
        "DbClusterResourceId": one.resource,
        "CloneGroupId": one.clone_group or None,
        "ClusterCreateTime": one.created,
        "DeletionProtection": one.protected,
        "IAMDatabaseAuthenticationEnabled": one.settings.get("EnableIAMDatabaseAuthentication", False),
        "EnabledCloudwatchLogsExports": one.settings.get("EnableCloudwatchLogsExports", []),
        "CopyTagsToSnapshot": one.settings.get("CopyTagsToSnapshot", False),
        "KmsKeyId": one.settings.get("KmsKeyId"),
        "TagList": tags(one.tags),
    }


def instance(aurora: Aurora, one: Instance) -> dict[str, Any]:
    """A ``DBInstance``."""
    home = aurora.account.cluster(one.cluster)
    return {
        "DBInstanceIdentifier": one.name,
        "DBInstanceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:db:{one.name}",
        "DBInstanceClass": one.instance_class,
        "DBInstanceStatus": one.status,
        "DBClusterIdentifier": home.name,
        "Engine": _ENGINE,
        "EngineVersion": home.version,
        "MasterUsername": home.user,
        "Endpoint": {"Address": aurora.address, "Port": aurora.instance_port(one.name)},
        "InstanceCreateTime": one.created,
        "PromotionTier": one.tier,
        "PendingModifiedValues": {},
        "DBParameterGroups": [
            {
                "DBParameterGroupName": one.settings.get("DBParameterGroupName", f"default.{family_of(home.version)}"),
                "ParameterApplyStatus": "in-sync",
            }
        ],
        "PubliclyAccessible": one.settings.get("PubliclyAccessible", False),
        "AutoMinorVersionUpgrade": one.settings.get("AutoMinorVersionUpgrade", True),
        "CACertificateIdentifier": one.settings.get("CACertificateIdentifier", "rds-ca-rsa2048-g1"),
        "TagList": tags(one.tags),
    }


def event(one: Event) -> dict[str, Any]:
    """An ``Event``."""
    kind = "db" if one.kind == "db-instance" else "cluster"
    return {
        "SourceIdentifier": one.source,
        "SourceType": one.kind,
        "Message": one.message,
        "EventCategories": list(one.categories),
        "Date": one.at,
        "SourceArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:{kind}:{one.source}",
    }


def group(one: Group) -> dict[str, Any]:
    """A ``DBClusterParameterGroup``."""
    return {
        "DBClusterParameterGroupName": one.name,
        "DBParameterGroupFamily": one.family,
        "Description": one.description,
        "DBClusterParameterGroupArn": f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster-pg:{one.name}",
    }


def subnet_group(name: str, subnets: tuple[str, ...]) -> dict[str, Any]:
    """A ``DBSubnetGroup``."""
    return {
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": name,
        "VpcId": "vpc-lab",
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {
                "SubnetIdentifier": subnet,
                "SubnetAvailabilityZone": {"Name": f"{REGION}{'abc'[number % 3]}"},
                "SubnetStatus": "Active",
            }
            for number, subnet in enumerate(subnets)
        ],
    }


def tags(held: dict[str, str]) -> list[dict[str, str]]:
    """A ``TagList``."""
    return [{"Key": key, "Value": value} for key, value in sorted(held.items())]
