"""The part of the API of RDS that is about an account: parameter groups, events, subnet groups, versions, tags."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.rds import asking, documents
from lab.rds.clusters import VERSIONS
from lab.rds.parameters import Group, family_of
from lab.rds.refusal import Refused

if TYPE_CHECKING:
    from lab.rds.asking import Parameters
    from lab.rds.aurora import Aurora

_HOUR_MIN = 60


class AccountOperations:
    """Each operation is a method of its name."""

    def __init__(self, aurora: Aurora) -> None:
        self._aurora = aurora
        self._account = aurora.account

    # Parameter groups --------------------------------------------------------------------------------------------------

    def describe_db_cluster_parameter_groups(self, asked: Parameters) -> dict[str, Any]:
        """Of one name or all."""
        name = asked.get("DBClusterParameterGroupName")
        found = [self._account.group(name)] if name else list(self._account.groups.values())
        return asking.page("DBClusterParameterGroups", [documents.group(one) for one in found], asked)

    def describe_db_cluster_parameters(self, asked: Parameters) -> dict[str, Any]:
        """Those that the lab knows."""
        found = self._account.group(asked["DBClusterParameterGroupName"]).documents(asked.get("Source"))
        return asking.page("Parameters", found, asked)

    def create_db_cluster_parameter_group(self, asked: Parameters) -> dict[str, Any]:
        """With the engine's defaults."""
        made = self._account.add_group(
            asked["DBClusterParameterGroupName"], asked["DBParameterGroupFamily"], asked["Description"]
        )
        made.tags = asking.tags(asked)
        return {"DBClusterParameterGroup": documents.group(made)}

    def copy_db_cluster_parameter_group(self, asked: Parameters) -> dict[str, Any]:
        """With the values of another, but not of Amazon's own."""
        source = self._account.group(asked["SourceDBClusterParameterGroupIdentifier"])
        if source.is_default:
            raise Refused("InvalidParameterValue", f"{source.name} is a default parameter group and cannot be copied.")
        name, words = (asked[f"TargetDBClusterParameterGroup{part}"] for part in ("Identifier", "Description"))
        made: Group = self._account.add_group(name, source.family, words)
        made.values, made.tags = dict(source.values), asking.tags(asked)
        return {"DBClusterParameterGroup": documents.group(made)}

    def modify_db_cluster_parameter_group(self, asked: Parameters) -> dict[str, Any]:
        """All parameters that are asked for or none; dynamic ones reach the servers at once."""
        group = self._account.group(asked["DBClusterParameterGroupName"])
        self._aurora.apply(group.name, group.modify(asked["Parameters"]))
        return {"DBClusterParameterGroupName": group.name}

    def reset_db_cluster_parameter_group(self, asked: Parameters) -> dict[str, Any]:
        """Some parameters, or all."""
        group = self._account.group(asked["DBClusterParameterGroupName"])
        names = [one["ParameterName"] for one in asked.get("Parameters", [])]
        group.reset(None if asked.get("ResetAllParameters") else names)
        return {"DBClusterParameterGroupName": group.name}

    def delete_db_cluster_parameter_group(self, asked: Parameters) -> dict[str, Any]:
        """Not while a cluster has it."""
        self._account.remove_group(asked["DBClusterParameterGroupName"])
        return {}

    # The rest ----------------------------------------------------------------------------------------------------------

    def describe_events(self, asked: Parameters) -> dict[str, Any]:
        """Of an hour, unless another time is asked for."""
        kind, source = asked.get("SourceType", ""), asked.get("SourceIdentifier", "")
        if source and not kind:
            raise Refused("InvalidParameterCombination", "Cannot specify source identifier without source type")
        end = asking.moment(asked.get("EndTime")) or datetime.now(UTC)
        begin = asking.moment(asked.get("StartTime")) or end - timedelta(minutes=asked.get("Duration", _HOUR_MIN))
        told = self._account.told(kind, source, begin, end, asked.get("EventCategories", ()))
        return asking.page("Events", [documents.event(one) for one in told], asked)

    def describe_db_subnet_groups(self, asked: Parameters) -> dict[str, Any]:
        """Those that a test put into the account, and ``default``."""
        name = asked.get("DBSubnetGroupName")
        if name and name not in self._account.subnet_groups:
            raise Refused("DBSubnetGroupNotFoundFault", f"DBSubnetGroup {name} not found.")
        found = {key: value for key, value in self._account.subnet_groups.items() if name in {None, key}}
        return asking.page("DBSubnetGroups", [documents.subnet_group(*item) for item in found.items()], asked)

    def describe_db_engine_versions(self, asked: Parameters) -> dict[str, Any]:
        """Each with all later ones as targets of an upgrade."""
        found = [
            {
                "Engine": "aurora-mysql",
                "EngineVersion": version,
                "DBParameterGroupFamily": family_of(version),
                "Status": "available",
                "ValidUpgradeTarget": [
                    {
                        "Engine": "aurora-mysql",
                        "EngineVersion": later,
                        "IsMajorVersionUpgrade": family_of(later) != family_of(version),
                    }
                    for later in VERSIONS[number + 1 :]
                ],
            }
            for number, version in enumerate(VERSIONS)
            if asked.get("EngineVersion", version) == version and asked.get("Engine", "aurora-mysql") == "aurora-mysql"
        ]
        return asking.page("DBEngineVersions", found, asked)

    def describe_orderable_db_instance_options(self, asked: Parameters) -> dict[str, Any]:
        """A few classes for every version."""
        classes = [
            name
            for name in ("db.r6g.large", "db.r7g.large", "db.t4g.medium")
            if asked.get("DBInstanceClass", name) == name
        ]
        versions = [version for version in VERSIONS if asked.get("EngineVersion", version) == version]
        found = [
            {"Engine": "aurora-mysql", "EngineVersion": version, "DBInstanceClass": name}
            for version in versions
            for name in classes
        ]
        return asking.page("OrderableDBInstanceOptions", found, asked)

    def describe_account_attributes(self, asked: Parameters) -> dict[str, Any]:  # noqa: ARG002 - as all operations
        """How many clusters, instances and groups there may be, and are."""
        quotas = {
            "DBClusters": (len(self._account.clusters), 40),
            "DBInstances": (len(self._account.instances), 40),
            "DBClusterParameterGroups": (sum(not each.is_default for each in self._account.groups.values()), 50),
        }
        return {
            "AccountQuotas": [
                {"AccountQuotaName": key, "Used": used, "Max": most} for key, (used, most) in quotas.items()
            ]
        }

    def list_tags_for_resource(self, asked: Parameters) -> dict[str, Any]:
        """Of a cluster, an instance or a cluster parameter group."""
        return {"TagList": documents.tags(self._tags_of(asked["ResourceName"]))}

    def add_tags_to_resource(self, asked: Parameters) -> dict[str, Any]:
        """Set tags."""
        self._tags_of(asked["ResourceName"]).update(asking.tags(asked))
        return {}

    def remove_tags_from_resource(self, asked: Parameters) -> dict[str, Any]:
        """Take tags away; those that are not there are none."""
        held = self._tags_of(asked["ResourceName"])
        for key in asked["TagKeys"]:
            held.pop(key, None)
        return {}

    def _tags_of(self, arn: str) -> dict[str, str]:
        if ":cluster-pg:" in arn:
            return self._account.group(arn).tags
        return self._account.instance(arn).tags if ":db:" in arn else self._account.cluster(arn).tags
