"""Clusters of Aurora, as RDS tells of them. Nothing here changes anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.adapters import aws
from kuroshio.aurora.cluster import Cluster, Event, Group, Member, Parameter, Quota
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime


class RdsClusters:
    """The clusters of one account in one region: those of the credentials at hand."""

    @property
    def region(self) -> str:
        """Where it looks. A cluster of another region does not exist here."""
        return str(aws.client("rds").meta.region_name)

    def cluster(self, name: str) -> Cluster:
        """Return a cluster with its instances. Raises NotFound."""
        found = next(_pages("describe_db_clusters", "DBClusters", DBClusterIdentifier=name), None)
        if found is None:
            raise NotFound(f"{self.region} has no cluster {name}")
        only = [{"Name": "db-cluster-id", "Values": [name]}]
        return _cluster(found, _instances(_pages("describe_db_instances", "DBInstances", Filters=only)))

    def clusters(self) -> list[Cluster]:
        """Return all of them, of every engine, in the order of their names."""
        instances = _instances(_pages("describe_db_instances", "DBInstances"))
        found = [_cluster(each, instances) for each in _pages("describe_db_clusters", "DBClusters")]
        return sorted(found, key=lambda cluster: cluster.name)

    def parameters(self, group: str) -> list[Parameter]:
        """Return every parameter of a cluster parameter group. Raises NotFound."""
        pages = _pages("describe_db_cluster_parameters", "Parameters", DBClusterParameterGroupName=group)
        return [_parameter(each) for each in pages]

    def group(self, name: str) -> Group | None:
        """Return a cluster parameter group with its tags; None where there is none."""
        try:
            pages = _pages(
                "describe_db_cluster_parameter_groups", "DBClusterParameterGroups", DBClusterParameterGroupName=name
            )
            found = next(pages, None)
        except NotFound:
            return None
        if found is None:
            return None
        arn = found.get("DBClusterParameterGroupArn", "")
        with aws.translated(f"reading the tags of the parameter group {name}"):
            tags = aws.client("rds").list_tags_for_resource(ResourceName=arn)["TagList"] if arn else []
        return Group(found["DBClusterParameterGroupName"], found["DBParameterGroupFamily"], _tags(tags))

    def groups_used_by(self, group: str) -> list[str]:
        """Return the names of the clusters that a change of this cluster parameter group touches."""
        return [cluster.name for cluster in self.clusters() if cluster.parameter_group == group]

    def events(self, instance: str, since: datetime) -> list[Event]:
        """Return what an instance told since then, the earliest first. RDS keeps events for 14 days."""
        return _events("db-instance", instance, since)

    def cluster_events(self, cluster: str, since: datetime) -> list[Event]:
        """Return what was told of a cluster itself since then, the earliest first."""
        return _events("db-cluster", cluster, since)

    def subnets(self, group: str) -> list[str]:
        """Return the ids of the subnets of a subnet group. Raises NotFound."""
        pages = _pages("describe_db_subnet_groups", "DBSubnetGroups", DBSubnetGroupName=group)
        return [subnet["SubnetIdentifier"] for each in pages for subnet in each["Subnets"]]

    def free_addresses(self, group: str) -> dict[str, int]:
        """Return how many addresses each subnet of a subnet group has left. Raises NotFound."""
        ids = self.subnets(group)
        if not ids:
            return {}
        with aws.translated(f"describing the subnets of {group}"):
            pages = aws.client("ec2").get_paginator("describe_subnets").paginate(SubnetIds=ids)
            return {
                each["SubnetId"]: int(each["AvailableIpAddressCount"]) for page in pages for each in page["Subnets"]
            }

    def quotas(self) -> dict[str, Quota]:
        """Return RDS's own limits by their names there, such as ``DBClusters``."""
        with aws.translated("asking RDS for its quotas"):
            found = aws.client("rds").describe_account_attributes()["AccountQuotas"]
        return {each["AccountQuotaName"]: Quota(int(each["Used"]), int(each["Max"])) for each in found}

    def upgrade_targets(self, engine: str, version: str) -> list[str]:
        """Return the versions to which one of this version can be upgraded in one step."""
        asked = {"Engine": engine, "EngineVersion": version, "IncludeAll": True}
        pages = _pages("describe_db_engine_versions", "DBEngineVersions", **asked)
        return [target["EngineVersion"] for each in pages for target in each.get("ValidUpgradeTarget", [])]

    def family(self, engine: str, version: str) -> str:
        """Return the family of parameter groups for a version. Raises NotFound for a version that this region has not."""
        asked = {"Engine": engine, "EngineVersion": version, "IncludeAll": True}
        found = next(_pages("describe_db_engine_versions", "DBEngineVersions", **asked), None)
        if found is None:
            raise NotFound(f"{self.region} has no {engine} {version}")
        return str(found["DBParameterGroupFamily"])


def _pages(operation: str, key: str, **asked: Any) -> Iterator[dict[str, Any]]:
    named = " ".join(str(value) for value in asked.values() if isinstance(value, str))
    with aws.translated(f"{operation.replace('_', ' ')} {named}".strip()):
        for page in aws.client("rds").get_paginator(operation).paginate(**asked):
            yield from page.get(key, [])


def _events(kind: str, source: str, since: datetime) -> list[Event]:
    # Without a beginning RDS tells of the last hour only.
    asked = {"SourceIdentifier": source, "SourceType": kind, "StartTime": since}
    found = [_event(each) for each in _pages("describe_events", "Events", **asked)]
    return sorted(found, key=lambda event: event.at)


def _instances(found: Iterable[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["DBInstanceIdentifier"]: each for each in found}


def _cluster(found: dict[str, Any], instances: Mapping[str, dict[str, Any]]) -> Cluster:
    return Cluster(
        name=found["DBClusterIdentifier"],
        arn=found.get("DBClusterArn", ""),
        engine=found["Engine"],
        version=found.get("EngineVersion", ""),
        status=found.get("Status", ""),
        endpoint=found.get("Endpoint", ""),
        reader_endpoint=found.get("ReaderEndpoint", ""),
        port=int(found.get("Port", 0)),
        parameter_group=found.get("DBClusterParameterGroup", ""),
        subnet_group=found.get("DBSubnetGroup", ""),
        security_groups=tuple(group["VpcSecurityGroupId"] for group in found.get("VpcSecurityGroups", [])),
        members=tuple(_member(each, instances) for each in found.get("DBClusterMembers", [])),
        engine_mode=found.get("EngineMode", "provisioned"),
        kms_key=found.get("KmsKeyId", ""),
        master_user=found.get("MasterUsername", ""),
        master_secret=found.get("MasterUserSecret", {}).get("SecretArn", ""),
        clone_group=found.get("CloneGroupId", ""),
        created=found.get("ClusterCreateTime"),
        serverless="ServerlessV2ScalingConfiguration" in found,
        global_cluster=bool(found.get("GlobalClusterIdentifier")),
        tags=_tags(found.get("TagList", [])),
        resource=found.get("DbClusterResourceId", ""),
        protected=bool(found.get("DeletionProtection")),
    )


def _member(found: dict[str, Any], instances: Mapping[str, dict[str, Any]]) -> Member:
    name = found["DBInstanceIdentifier"]
    instance = instances.get(name, {})
    return Member(
        name=name,
        is_writer=bool(found.get("IsClusterWriter")),
        applied=found.get("DBClusterParameterGroupStatus", ""),
        status=instance.get("DBInstanceStatus", ""),
        instance_class=instance.get("DBInstanceClass", ""),
        created=instance.get("InstanceCreateTime"),
        tags=_tags(instance.get("TagList", [])),
    )


def _tags(found: Iterable[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in found}


def _parameter(found: dict[str, Any]) -> Parameter:
    return Parameter(
        name=found["ParameterName"],
        value=found.get("ParameterValue"),
        apply_type=found.get("ApplyType", ""),
        modifiable=bool(found.get("IsModifiable")),
        source=found.get("Source", ""),
    )


def _event(found: dict[str, Any]) -> Event:
    return Event(found["SourceIdentifier"], found["Date"], found["Message"], tuple(found.get("EventCategories", [])))
