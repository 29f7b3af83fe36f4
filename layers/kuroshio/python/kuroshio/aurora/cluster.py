"""Aurora clusters as RDS tells of them, in the words of its API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True)
class Member:
    """An instance of a cluster. ``applied``: DBClusterParameterGroupStatus, ``in-sync`` or ``pending-reboot``."""

    name: str
    is_writer: bool
    applied: str
    status: str = ""
    instance_class: str = ""
    created: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Cluster:
    """A cluster. ``status`` is the API's word: ``available``, ``creating``, ``upgrading`` …

    A name moves from cluster to cluster at a cut-over; ``resource`` never does.
    """

    name: str
    arn: str
    engine: str  # "aurora-mysql", "aurora-postgresql", "mysql" …
    version: str  # "8.0.mysql_aurora.3.08.0"
    status: str
    endpoint: str
    reader_endpoint: str
    port: int
    parameter_group: str
    subnet_group: str
    security_groups: tuple[str, ...]
    members: tuple[Member, ...] = ()
    engine_mode: str = "provisioned"
    kms_key: str = ""
    master_user: str = ""
    master_secret: str = ""  # ARN of the secret that RDS manages, empty where the password is not managed
    clone_group: str = ""
    created: datetime | None = None
    serverless: bool = False
    global_cluster: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    resource: str = ""
    protected: bool = False  # from being deleted

    @property
    def writer(self) -> Member | None:
        """The instance that takes writes; None while there is none."""
        return next((member for member in self.members if member.is_writer), None)


@dataclass(frozen=True)
class Event:
    """An event of RDS about one instance or cluster."""

    source: str
    at: datetime
    message: str
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One of a cluster parameter group. ``apply_type``: ``static`` or ``dynamic``; read it, never assume it."""

    name: str
    value: str | None
    apply_type: str
    modifiable: bool
    source: str  # "user", "system", "engine-default"


@dataclass(frozen=True)
class Group:
    """A cluster parameter group. ``family``: of the engine versions that it is for, such as ``aurora-mysql8.0``."""

    name: str
    family: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_default(self) -> bool:
        """Whether it is Amazon's own: nobody can change it, and it cannot be copied."""
        return self.name.startswith("default.")


@dataclass(frozen=True)
class Quota:
    """A limit of RDS on an account and region, and how much of it is taken."""

    used: int
    most: int
