"""Clusters, their instances, groups and events, with RDS's rules. Nothing here starts a server: see aurora.py."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lab.place import ACCOUNT, REGION
from lab.rds.parameters import Group, default_groups, family_of
from lab.rds.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_IDENTIFIER = re.compile(r"[a-z](?:-?[a-z0-9])*")
_LONGEST, _LONGEST_GROUP = 63, 255
_KEPT = timedelta(days=14)
DEFAULT_VERSION = "8.0.mysql_aurora.3.08.0"
VERSIONS = (
    "5.7.mysql_aurora.2.12.0",
    "8.0.mysql_aurora.3.04.0",
    DEFAULT_VERSION,
    "8.0.mysql_aurora.3.10.0",
    "8.4.mysql_aurora.8.4.7",
)


@dataclass
class Instance:
    """A member of a cluster. ``applied``: the static parameters that it was last started with."""

    name: str
    instance_class: str
    cluster: str
    created: datetime
    status: str = "creating"
    tier: int = 1
    applied: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)  # that RDS keeps and the lab does nothing about
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Cluster:
    """A cluster; ``writer`` names the instance that takes writes, empty while there is none."""

    name: str
    version: str
    group: str
    subnet_group: str
    user: str
    created: datetime
    status: str = "creating"
    writer: str = ""
    security_groups: tuple[str, ...] = ()
    protected: bool = False
    clone_group: str = ""
    resource: str = ""
    settings: dict[str, Any] = field(default_factory=dict)  # that RDS keeps and the lab does nothing about
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """By which tags are set."""
        return f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:{self.name}"


@dataclass(frozen=True)
class Event:
    """What RDS tells of an instance or a cluster."""

    kind: str  # "db-instance" or "db-cluster"
    source: str
    at: datetime
    message: str
    categories: tuple[str, ...] = ()


@dataclass
class Account:
    """All that RDS keeps for an account in a Region."""

    clusters: dict[str, Cluster] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=default_groups)
    subnet_groups: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"default": ("subnet-1", "subnet-2")})
    events: list[Event] = field(default_factory=list)

    # To look up --------------------------------------------------------------------------------------------------------

    def cluster(self, name: str) -> Cluster:
        """Raises Refused where there is none of that name; names are of any case."""
        found = self.clusters.get(_short(name))
        if found is None:
            raise Refused("DBClusterNotFoundFault", f"DBCluster {name} not found.")
        return found

    def instance(self, name: str) -> Instance:
        """Raises Refused where there is none of that name."""
        found = self.instances.get(_short(name))
        if found is None:
            raise Refused("DBInstanceNotFound", f"DBInstance {name} not found.")
        return found

    def group(self, name: str) -> Group:
        """Raises Refused where there is none of that name."""
        found = self.groups.get(_short(name))
        if found is None:
            raise Refused("DBParameterGroupNotFound", f"DBClusterParameterGroup not found: {name}")
        return found

    def tags_of(self, arn: str) -> dict[str, str]:
        """None where nothing has that ARN."""
        kinds: dict[str, Mapping[str, Any]] = {
            "cluster": self.clusters,
            "db": self.instances,
            "cluster-pg": self.groups,
        }
        kind, _, name = arn.partition(":rds:")[2].partition(":")[2].partition(":")[2].partition(":")
        found = kinds.get(kind, {}).get(name.lower())
        return dict(found.tags) if found is not None else {}

    def members(self, cluster: Cluster) -> list[Instance]:
        """The writer first."""
        found = [one for one in self.instances.values() if one.cluster == cluster.name]
        return sorted(found, key=lambda one: (one.name != cluster.writer, one.created))

    def told(
        self, kind: str, source: str, begin: datetime, end: datetime, categories: Iterable[str] = ()
    ) -> Iterator[Event]:
        """Events of 14 days, the oldest first; those of no category only where no category is asked for."""
        wanted = set(categories)
        for event in sorted(self.events, key=lambda event: event.at):
            is_meant = kind in {"", event.kind} and source in {"", event.source}
            is_then = max(begin, end - _KEPT) <= event.at <= end
            if is_meant and is_then and (not wanted or wanted & set(event.categories)):
                yield event

    def tell(self, kind: str, source: str, message: str, *categories: str, at: datetime | None = None) -> None:
        """Add an event."""
        self.events.append(Event(kind, source, at or now(), message, categories))

    def in_sync(self, instance: Instance) -> bool:
        """Whether it was started with the static parameters that its cluster's group now holds."""
        return instance.applied == self.static_values(self.cluster(instance.cluster))

    def static_values(self, cluster: Cluster) -> dict[str, str]:
        """The parameters that a member must be rebooted for, as the cluster's group holds them."""
        from lab.rds.parameters import KNOWN

        wanted = self.group(cluster.group).effective()
        return {name: value for name, value in wanted.items() if KNOWN[name].apply_type == "static"}

    # To change ---------------------------------------------------------------------------------------------------------

    def add_cluster(
        self, name: str, *, version: str, group: str, subnet_group: str, user: str, tags: dict[str, str]
    ) -> Cluster:
        """Raises Refused for a name that is taken or none, and for groups that are not there or of another family."""
        short = _identifier(name)
        if short in self.clusters:
            raise Refused("DBClusterAlreadyExistsFault", f"DB Cluster already exists: {short}")
        family = family_of(version)
        chosen = self.group(group or f"default.{family}")
        if chosen.family != family:
            raise Refused(
                "InvalidParameterCombination",
                f"The Parameter Group {chosen.name} with DBParameterGroupFamily {chosen.family} cannot be used for this "
                f"instance. Please use a Parameter Group with DBParameterGroupFamily {family}",
            )
        if (subnet_group or "default") not in self.subnet_groups:
            raise Refused("DBSubnetGroupNotFoundFault", f"DB subnet group '{subnet_group}' does not exist.")
        made = Cluster(short, version, chosen.name, subnet_group or "default", user, now(), tags=tags)
        made.resource = f"cluster-{short.upper()}"
        self.clusters[short] = made
        self.tell("db-cluster", short, "DB cluster created", "creation")
        return made

    def add_instance(self, name: str, cluster: str, instance_class: str, tier: int, tags: dict[str, str]) -> Instance:
        """The first of a cluster is its writer. Raises Refused as the API does."""
        short, home = _identifier(name), self.cluster(cluster)
        if short in self.instances:
            raise Refused("DBInstanceAlreadyExists", "DB instance already exists")
        require(home, "available")
        if not instance_class.startswith("db."):
            raise Refused("InvalidParameterValue", f"Invalid DB Instance class: {instance_class}")
        made = Instance(short, instance_class, home.name, now(), tier=tier, tags=tags)
        self.instances[short] = made
        home.writer = home.writer or short
        return made

    def rename(self, cluster: Cluster, name: str) -> None:
        """Give it another name, which its members and its endpoints follow."""
        short = _identifier(name)
        if short in self.clusters:
            raise Refused("DBClusterAlreadyExistsFault", f"DB Cluster already exists: {short}")
        for member in self.members(cluster):
            member.cluster = short
        del self.clusters[cluster.name]
        self.tell("db-cluster", short, f"Renamed cluster from {cluster.name} to {short}", "notification")
        cluster.name = short
        self.clusters[short] = cluster

    def judge_removal(self, cluster: Cluster) -> None:
        """Raises Refused while it has members that stay, or is protected, or is being removed."""
        if cluster.status == "deleting":
            raise Refused("InvalidDBClusterStateFault", f"Cluster {cluster.name} is already being deleted.")
        if cluster.protected:
            raise Refused(
                "InvalidParameterCombination",
                "Cannot delete protected Cluster, please disable deletion protection and try again.",
            )
        if any(member.status != "deleting" for member in self.members(cluster)):
            raise Refused(
                "InvalidDBClusterStateFault",
                "Cluster cannot be deleted, it still contains DB instances in non-deleting state.",
            )

    def remove_cluster(self, cluster: Cluster) -> None:
        """Its name is free again."""
        del self.clusters[cluster.name]
        self.tell("db-cluster", cluster.name, "DB cluster deleted", "deletion")

    def remove_instance(self, instance: Instance) -> None:
        """A reader takes over where the writer goes."""
        home = self.cluster(instance.cluster)
        del self.instances[instance.name]
        if home.writer == instance.name:
            left = self.members(home)
            home.writer = left[0].name if left else ""
        self.tell("db-instance", instance.name, "DB instance deleted", "deletion")

    def add_group(self, name: str, family: str, description: str) -> Group:
        """Raises Refused for a name that is taken, or a family that is none."""
        short = _identifier(name, _LONGEST_GROUP)
        if short in self.groups:
            raise Refused("DBParameterGroupAlreadyExists", f"Parameter group {short} already exists")
        if f"default.{family}" not in self.groups:
            raise Refused(
                "InvalidParameterValue", f"ParameterGroupFamily {family} is not a valid parameter group family"
            )
        self.groups[short] = Group(short, family, description)
        return self.groups[short]

    def remove_group(self, name: str) -> None:
        """Raises Refused for a default one, and for one in use."""
        found = self.group(name)
        if found.is_default:
            raise Refused(
                "InvalidDBParameterGroupState", "Default DBClusterParameterGroup cannot be deleted: " + found.name
            )
        if any(cluster.group == found.name for cluster in self.clusters.values()):
            raise Refused(
                "InvalidDBParameterGroupState",
                f"One or more database instances are still members of this parameter group {found.name}, so the group cannot be deleted",
            )
        del self.groups[found.name]


def require(cluster: Cluster, status: str) -> None:
    """Raises Refused where the cluster is in another state."""
    if cluster.status != status:
        raise Refused(
            "InvalidDBClusterStateFault", f"DBCluster {cluster.name} is not in {status} state: it is {cluster.status}."
        )


def now() -> datetime:
    """RDS tells times to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _short(name: str) -> str:
    return name.rsplit(":", 1)[-1].lower()


def _identifier(name: str, longest: int = _LONGEST) -> str:
    if len(name) > longest or not _IDENTIFIER.fullmatch(name.lower()):
        raise Refused(
            "InvalidParameterValue",
            f"The parameter {name} is not a valid identifier. Identifiers must begin with a letter; must contain only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens.",
        )
    return name.lower()
