"""The API of RDS, for clusters of Aurora MySQL: each operation is a method of its name; others are refused by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lab.answers import Answer, error_answer
from lab.rds import asking, documents, wire
from lab.rds.account_operations import AccountOperations
from lab.rds.clusters import DEFAULT_VERSION, VERSIONS, Cluster, require
from lab.rds.parameters import family_of
from lab.rds.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.calls import Call, HttpRequest
    from lab.rds.asking import Parameters


# What callers ask for and find again; a server does not change by it.
_CLUSTER_SETTINGS = (
    "EnableIAMDatabaseAuthentication",
    "EnableCloudwatchLogsExports",
    "CopyTagsToSnapshot",
    "KmsKeyId",
)
_INSTANCE_SETTINGS = (
    "PubliclyAccessible",
    "AutoMinorVersionUpgrade",
    "CACertificateIdentifier",
    "DBParameterGroupName",
)


class Api(AccountOperations):
    """Implements the gateway's ``Service``."""

    def __call__(self, call: Call, request: HttpRequest, caller: str) -> Answer | None:  # noqa: ARG002 - the door's protocol
        """The answer to any operation of RDS."""
        if call.operation not in wire.operations():
            return error_answer(call, 400, "InvalidAction", f"RDS has no operation {call.operation!r}")
        method: Callable[[Parameters], dict[str, Any]] | None = getattr(self, _snake(call.operation), None)
        if method is None:
            return error_answer(
                call, 501, "NotImplemented", f"the lab's RDS has no {call.operation}: see docs/fine-print.md"
            )
        try:
            return wire.answer(call.operation, method(wire.parameters(call.operation, request.body)))
        except Refused as refused:
            return error_answer(call, refused.status, refused.code, refused.message)

    # Clusters ----------------------------------------------------------------------------------------------------------

    def describe_db_clusters(self, asked: Parameters) -> dict[str, Any]:
        """Of one name or of all."""
        name = asked.get("DBClusterIdentifier") or asking.filter_of(asked, "db-cluster-id")
        found = [self._account.cluster(name)] if name else list(self._account.clusters.values())
        return asking.page("DBClusters", [documents.cluster(self._aurora, one) for one in found], asked)

    def create_db_cluster(self, asked: Parameters) -> dict[str, Any]:
        """Of Aurora MySQL; without an instance it has a volume and nothing that serves it."""
        if asked.get("Engine") != "aurora-mysql":
            raise Refused("InvalidParameterValue", "the lab has the engine aurora-mysql only")
        if "MasterUsername" not in asked or "MasterUserPassword" not in asked:
            raise Refused(
                "InvalidParameterCombination",
                "MasterUsername and MasterUserPassword are needed: the lab manages no passwords",
            )
        made = self._add(asked, asked.get("EngineVersion") or DEFAULT_VERSION, asked["MasterUsername"])
        try:
            self._aurora.create(made, asked["MasterUserPassword"])
        except Refused:
            del self._account.clusters[made.name]
            raise
        return self._cluster(made)

    def restore_db_cluster_to_point_in_time(self, asked: Parameters) -> dict[str, Any]:
        """A clone; no other restore is there. What is not asked for is the default, not the source's."""
        source = self._account.cluster(asked.get("SourceDBClusterIdentifier") or "")
        if asked.get("RestoreType") != "copy-on-write" or not asked.get("UseLatestRestorableTime"):
            raise Refused(
                "InvalidParameterCombination",
                "the lab restores with RestoreType=copy-on-write and UseLatestRestorableTime only",
            )
        require(source, "available")
        if not self._account.members(source):
            raise Refused("InvalidDBClusterStateFault", f"The source cluster {source.name} has no DB instance.")
        made = self._add(asked, source.version, source.user)
        source.clone_group = made.clone_group = source.clone_group or f"clone-group-of-{source.resource}"
        self._aurora.clone(source, made)
        return self._cluster(made)

    def modify_db_cluster(self, asked: Parameters) -> dict[str, Any]:
        """Another name, version, parameter group, password, security groups, deletion protection."""
        one = self._account.cluster(asked["DBClusterIdentifier"])
        require(one, "available")
        is_upgrade = asked.get("EngineVersion", one.version) != one.version
        if "DBClusterParameterGroupName" in asked and not is_upgrade:
            one.group = self._account.group(asked["DBClusterParameterGroupName"]).name
        if "VpcSecurityGroupIds" in asked:
            one.security_groups = tuple(asked["VpcSecurityGroupIds"])
        one.protected = asked.get("DeletionProtection", one.protected)
        if "MasterUserPassword" in asked:
            self._aurora.change_password(one, asked["MasterUserPassword"])
        if is_upgrade:
            self._upgrade(one, asked)
        if "NewDBClusterIdentifier" in asked:
            before = one.name
            self._account.rename(one, asked["NewDBClusterIdentifier"])
            self._aurora.renamed(before, one)
        return self._cluster(one)

    def failover_db_cluster(self, asked: Parameters) -> dict[str, Any]:
        """To the reader that is named, or the first."""
        one = self._account.cluster(asked["DBClusterIdentifier"])
        require(one, "available")
        readers = [member for member in self._account.members(one) if member.name != one.writer]
        wanted = asked.get("TargetDBInstanceIdentifier")
        target = next((reader for reader in readers if wanted in {None, reader.name}), None)
        if target is None:
            raise Refused("InvalidDBClusterStateFault", f"DB cluster {one.name} has no reader to fail over to.")
        self._aurora.fail_over(one, target)
        return self._cluster(one)

    def delete_db_cluster(self, asked: Parameters) -> dict[str, Any]:
        """Without a last snapshot: the lab has none."""
        one = self._account.cluster(asked["DBClusterIdentifier"])
        if not asked.get("SkipFinalSnapshot"):
            raise Refused(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.",
            )
        self._account.judge_removal(one)
        self._aurora.remove(one)
        return self._cluster(one)

    def _add(self, asked: Parameters, version: str, user: str) -> Cluster:
        made = self._account.add_cluster(
            asked["DBClusterIdentifier"],
            version=version,
            group=asked.get("DBClusterParameterGroupName", ""),
            subnet_group=asked.get("DBSubnetGroupName", ""),
            user=user,
            tags=asking.tags(asked),
        )
        made.security_groups = tuple(asked.get("VpcSecurityGroupIds", ()))
        made.protected = asked.get("DeletionProtection", False)
        made.settings = {name: asked[name] for name in _CLUSTER_SETTINGS if name in asked}
        return made

    def _upgrade(self, one: Cluster, asked: Parameters) -> None:
        version, before = asked["EngineVersion"], one.group
        if version not in VERSIONS:
            raise Refused(
                "InvalidParameterCombination",
                f"Cannot find upgrade target from {one.version} with requested version {version}.",
            )
        if family_of(version) != family_of(one.version):
            if not asked.get("AllowMajorVersionUpgrade"):
                raise Refused(
                    "InvalidParameterCombination",
                    "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.",
                )
            group = self._account.group(asked.get("DBClusterParameterGroupName") or f"default.{family_of(version)}")
            if group.family != family_of(version):
                raise Refused(
                    "InvalidParameterCombination",
                    f"The current DB cluster parameter group {group.name} is custom. You must explicitly specify a new DB "
                    "cluster parameter group, either default or custom, for the engine version upgrade.",
                )
            one.group = group.name
            for member in self._account.members(one):
                member.settings["DBParameterGroupName"] = asked.get(
                    "DBInstanceParameterGroupName", f"default.{family_of(version)}"
                )
        self._aurora.upgrade(one, version, before)

    def _cluster(self, one: Cluster) -> dict[str, Any]:
        return {"DBCluster": documents.cluster(self._aurora, one)}

    # Instances ---------------------------------------------------------------------------------------------------------

    def describe_db_instances(self, asked: Parameters) -> dict[str, Any]:
        """Of one name, of one cluster, or all."""
        name, home = asked.get("DBInstanceIdentifier"), asking.filter_of(asked, "db-cluster-id")
        found = [self._account.instance(name)] if name else list(self._account.instances.values())
        kept = [one for one in found if not home or one.cluster == home.rsplit(":", 1)[-1]]
        return asking.page("DBInstances", [documents.instance(self._aurora, one) for one in kept], asked)

    def create_db_instance(self, asked: Parameters) -> dict[str, Any]:
        """Of a cluster; the first is its writer."""
        made = self._account.add_instance(
            asked["DBInstanceIdentifier"],
            asked.get("DBClusterIdentifier", ""),
            asked["DBInstanceClass"],
            asked.get("PromotionTier", 1),
            asking.tags(asked),
        )
        made.settings = {name: asked[name] for name in _INSTANCE_SETTINGS if name in asked}
        self._aurora.begin(made)
        return {"DBInstance": documents.instance(self._aurora, made)}

    def reboot_db_instance(self, asked: Parameters) -> dict[str, Any]:
        """Applies what waits for a reboot."""
        one = self._account.instance(asked["DBInstanceIdentifier"])
        if one.status != "available":
            raise Refused("InvalidDBInstanceState", f"Instance {one.name} is not in available state.")
        self._aurora.reboot(one)
        return {"DBInstance": documents.instance(self._aurora, one)}

    def delete_db_instance(self, asked: Parameters) -> dict[str, Any]:
        """The volume stays until the cluster goes."""
        one = self._account.instance(asked["DBInstanceIdentifier"])
        if one.status == "deleting":
            raise Refused("InvalidDBInstanceState", f"Instance {one.name} is already being deleted.")
        self._aurora.remove_instance(one)
        return {"DBInstance": documents.instance(self._aurora, one)}


def _snake(operation: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation).lower()
