"""Changes of RDS: parameter groups, clones, instances, upgrades, removals.

Any call may have been done though its answer was lost, and botocore itself asks again then: so what is there already, and
what is gone already, is no error here. Whose it is, is for the caller to ask.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from kuroshio.adapters import aws
from kuroshio.errors import AccessRefused, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.aurora.making import Making

T = TypeVar("T")
_MOST_PARAMETERS = 20  # of one call
_EXISTS = frozenset({"DBClusterAlreadyExistsFault", "DBInstanceAlreadyExists", "DBParameterGroupAlreadyExists"})
_GONE = frozenset({"DBClusterNotFoundFault", "DBInstanceNotFound", "DBParameterGroupNotFound"})
_BUSY = frozenset({"InvalidDBClusterStateFault", "InvalidDBInstanceState"})
_IN_USE = frozenset({"InvalidDBParameterGroupState"})
_NO_SUCH_PARAMETER = frozenset({"InvalidParameterValue", "InvalidParameterCombination"})
# Of a cluster and of an instance: what a clone has as its source where the request says nothing. What needs a role of
# its own to be passed on (enhanced monitoring, Performance Insights, associated roles) is not among it.
_LIKE_CLUSTER = {
    "Port": "Port",
    "KmsKeyId": "KmsKeyId",
    "IAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "StorageType": "StorageType",
    "NetworkType": "NetworkType",
    "ServerlessV2ScalingConfiguration": "ServerlessV2ScalingConfiguration",
}
_SCALING = frozenset({"MinCapacity", "MaxCapacity", "SecondsUntilAutoPause"})
_LIKE_INSTANCE = {
    "PubliclyAccessible": "PubliclyAccessible",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CACertificateIdentifier": "CACertificateIdentifier",
}


class RdsChanges:
    """Implements ``aurora.making.Changes``."""

    def __init__(self, rds: RdsClusters) -> None:
        self._rds = rds

    def create_group(self, name: str, family: str, tags: Mapping[str, str], *, base: str = "") -> None:
        """A cluster parameter group with the values of ``base``; Amazon's own cannot be copied, so those are made anew."""
        if base:
            words = {"TargetDBClusterParameterGroupDescription": f"As {base}, for Kuroshio"}
            _do(
                "copy_db_cluster_parameter_group", name, _EXISTS, SourceDBClusterParameterGroupIdentifier=base,
                TargetDBClusterParameterGroupIdentifier=name, Tags=_tags(tags), **words,
            )  # fmt: skip
        else:
            _do(
                "create_db_cluster_parameter_group", name, _EXISTS, DBClusterParameterGroupName=name,
                DBParameterGroupFamily=family, Description="For Kuroshio", Tags=_tags(tags),
            )  # fmt: skip

    def set_parameters(self, group: str, values: Mapping[str, str]) -> list[str]:
        """Set those that differ: dynamic ones at once, static ones at the next reboot. Return those that are not taken."""
        known = {each.name: each for each in self._rds.parameters(group)}
        refused = [name for name in values if name not in known or not known[name].modifiable]
        wanted = [
            {
                "ParameterName": name,
                "ParameterValue": value,
                # RDS refuses "immediate" for a static one; which is static differs by version and by other parameters.
                "ApplyMethod": "immediate" if known[name].apply_type == "dynamic" else "pending-reboot",
            }
            for name, value in values.items()
            # Set it though it is the engine's own value: another version has another one.
            if name not in refused and (known[name].value, known[name].source) != (value, "user")
        ]
        for some in _in_calls(wanted):
            refused += self._set(group, some)
        return refused

    def _set(self, group: str, wanted: list[dict[str, str]]) -> list[str]:
        """All of a call are taken or none: where that is refused, one after the other tells which it was."""
        done = _do(
            "modify_db_cluster_parameter_group", group, _NO_SUCH_PARAMETER if len(wanted) > 1 else frozenset(),
            DBClusterParameterGroupName=group, Parameters=wanted,
        )  # fmt: skip
        if done is not None:
            return []
        refused = []
        for one in wanted:
            try:
                self._set(group, [one])
            except RequestRefused:
                refused.append(one["ParameterName"])
        return refused

    def reset_parameters(self, group: str, names: Sequence[str]) -> None:
        """Return them to the engine's own values."""
        known = {each.name: each for each in self._rds.parameters(group)}
        for some in _in_calls(sorted(names)):
            wanted = [
                {"ParameterName": name, "ApplyMethod": "immediate" if known[name].apply_type == "dynamic" else "pending-reboot"}
                for name in some
            ]  # fmt: skip
            _do("reset_db_cluster_parameter_group", group, DBClusterParameterGroupName=group, Parameters=wanted)

    def use_group(self, cluster: str, group: str) -> None:
        """Give a cluster another parameter group."""
        _do(
            "modify_db_cluster", cluster, DBClusterIdentifier=cluster, DBClusterParameterGroupName=group,
            ApplyImmediately=True,
        )  # fmt: skip

    def delete_group(self, name: str) -> bool:
        """Remove a cluster parameter group. False while a cluster has it."""
        done = _do("delete_db_cluster_parameter_group", name, _GONE | _IN_USE, DBClusterParameterGroupName=name)
        return done is not None or self._rds.group(name) is None

    def reboot(self, instance: str) -> None:
        """Restart an instance, without a failover."""
        _do("reboot_db_instance", instance, DBInstanceIdentifier=instance)

    def clone(self, how: Making) -> None:
        """Ask for the clone. What is not sent would be RDS's default, not the source's: group, security groups, port …"""
        source = _first("describe_db_clusters", "DBClusters", how.source, DBClusterIdentifier=how.source)
        like = _like(source, _LIKE_CLUSTER)
        if "ServerlessV2ScalingConfiguration" in like:
            like["ServerlessV2ScalingConfiguration"] = {
                key: value for key, value in like["ServerlessV2ScalingConfiguration"].items() if key in _SCALING
            }
        _do(
            "restore_db_cluster_to_point_in_time",
            how.name,
            _EXISTS,
            SourceDBClusterIdentifier=how.source,
            DBClusterIdentifier=how.name,
            RestoreType="copy-on-write",  # without it RDS makes a full copy
            UseLatestRestorableTime=True,
            DBClusterParameterGroupName=how.group,
            DBSubnetGroupName=how.subnet_group,
            VpcSecurityGroupIds=list(how.security_groups),
            DeletionProtection=False,  # a clone that takes over gets it then: until that, whoever sets it wants the clone kept
            Tags=_tags(how.tags),
            **like,
        )

    def create_writer(self, clone: str, name: str, like: str, instance_class: str, tags: Mapping[str, str]) -> None:
        """Ask for the clone's first instance. Raises RequestRefused where another cluster has one of that name."""
        model = _first("describe_db_instances", "DBInstances", like, DBInstanceIdentifier=like)
        groups = [each["DBParameterGroupName"] for each in model.get("DBParameterGroups", [])]
        group = {"DBParameterGroupName": groups[0]} if groups else {}
        done = _do(
            "create_db_instance",
            name,
            _EXISTS,
            DBInstanceIdentifier=name,
            DBClusterIdentifier=clone,
            DBInstanceClass=instance_class,
            Engine=model["Engine"],
            Tags=_tags(tags),
            **_like(model, _LIKE_INSTANCE),
            **group,
        )
        if done is None:
            there = _first("describe_db_instances", "DBInstances", name, DBInstanceIdentifier=name)
            if there.get("DBClusterIdentifier") != clone:
                whose = there.get("DBClusterIdentifier", "no cluster")
                raise RequestRefused(
                    f"there is an instance {name} already, of {whose}: nothing that exists is replaced"
                )

    def upgrade(self, cluster: str, version: str, group: str, *, is_major: bool, instance_group: str = "") -> None:
        """Ask for another engine version, at once; across major versions with groups of the new family."""
        groups: dict[str, Any] = {}
        if is_major:
            groups = {"DBClusterParameterGroupName": group, "DBInstanceParameterGroupName": instance_group}
        _do(
            "modify_db_cluster", cluster, DBClusterIdentifier=cluster, EngineVersion=version, ApplyImmediately=True,
            AllowMajorVersionUpgrade=is_major, **groups,
        )  # fmt: skip

    def delete_instance(self, name: str) -> None:
        """Ask for its end; the data is the cluster's."""
        _do("delete_db_instance", name, _GONE, DBInstanceIdentifier=name, SkipFinalSnapshot=True)

    def delete_cluster(self, name: str) -> None:
        """Ask for its end, without a snapshot. RDS takes that while the last instances go."""
        _do("delete_db_cluster", name, _GONE, DBClusterIdentifier=name, SkipFinalSnapshot=True)


def _do(operation: str, what: str, fine: frozenset[str] = frozenset(), **asked: Any) -> dict[str, Any] | None:
    """Call RDS. None where it answers with one of the codes that are ``fine``."""
    from botocore.exceptions import ClientError

    client = aws.client("rds")
    words = operation.replace("_", " ").replace("db ", "")
    try:
        with aws.translated(f"{words} {what}"):
            try:
                found: dict[str, Any] = getattr(client, operation)(**asked)
            except ClientError as error:
                if aws.code_of(error) in fine:
                    return None
                if aws.code_of(error) in _BUSY:
                    raise ServiceUnavailable(f"{words} {what}: RDS is busy with it: {error}") from error
                raise
    except AccessRefused as error:
        name = client.meta.method_to_api_mapping[operation]
        raise AccessRefused(
            f"{error}. The function's role needs rds:{name} on {what}; nothing else was changed"
        ) from error
    return found


def _first(operation: str, key: str, what: str, **asked: Any) -> dict[str, Any]:
    found = _do(operation, what, **asked)
    return dict((found or {})[key][0])


def _in_calls(items: list[T]) -> list[list[T]]:
    return [items[at : at + _MOST_PARAMETERS] for at in range(0, len(items), _MOST_PARAMETERS)]


def _like(found: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: found[theirs] for theirs, ours in names.items() if found.get(theirs) not in (None, "", [])}


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
