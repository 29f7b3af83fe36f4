"""What the steps that prepare a source and make a clone ask of RDS, of servers and of Secrets Manager."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from kuroshio.aurora.account import Account
    from kuroshio.aurora.cluster import Cluster, Event, Group, Parameter
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest


class Rds(Protocol):
    """Reads. ``adapters.clusters``."""

    @property
    def region(self) -> str:
        """Where it looks."""

    def cluster(self, name: str) -> Cluster:
        """Raises NotFound."""

    def clusters(self) -> list[Cluster]:
        """All of the account."""

    def parameters(self, group: str) -> list[Parameter]:
        """Of a cluster parameter group. Raises NotFound."""

    def group(self, name: str) -> Group | None:
        """A cluster parameter group."""

    def groups_used_by(self, group: str) -> list[str]:
        """The clusters that have this group."""

    def events(self, instance: str, since: datetime) -> list[Event]:
        """Of an instance, the earliest first."""

    def cluster_events(self, cluster: str, since: datetime) -> list[Event]:
        """Of a cluster, the earliest first."""

    def upgrade_targets(self, engine: str, version: str) -> list[str]:
        """What a version can become in one step."""

    def family(self, engine: str, version: str) -> str:
        """Of the parameter groups for a version."""


@dataclass(frozen=True)
class Making:
    """How a clone is made where it is not as its source is."""

    source: str
    name: str
    group: str
    subnet_group: str
    security_groups: tuple[str, ...]
    tags: Mapping[str, str]


class Changes(Protocol):
    """Changes RDS. A repeat of any call finds what the first one did, also where its answer was lost.

    All raise ServiceUnavailable where RDS is busy with another change, AccessRefused that names the permission, and
    RequestRefused. ``adapters.cluster_changes``.
    """

    def create_group(self, name: str, family: str, tags: Mapping[str, str], *, base: str = "") -> None:
        """A cluster parameter group with the values of ``base``, or with the engine's own. One that is there stays."""

    def set_parameters(self, group: str, values: Mapping[str, str]) -> list[str]:
        """Set those that are not so yet. Return those that the engine of the group does not take."""

    def reset_parameters(self, group: str, names: Sequence[str]) -> None:
        """Return them to the engine's own."""

    def use_group(self, cluster: str, group: str) -> None:
        """Give a cluster another parameter group; static parameters wait for a reboot."""

    def delete_group(self, name: str) -> bool:
        """Remove a cluster parameter group. False while a cluster has it."""

    def reboot(self, instance: str) -> None:
        """Restart an instance."""

    def clone(self, how: Making) -> None:
        """Ask for a copy-on-write clone, in all else as its source is."""

    def create_writer(self, clone: str, name: str, like: str, instance_class: str, tags: Mapping[str, str]) -> None:
        """Ask for the clone's first instance, in all else as the instance ``like`` is."""

    def upgrade(self, cluster: str, version: str, group: str, *, is_major: bool, instance_group: str = "") -> None:
        """Ask for another engine version."""

    def delete_instance(self, name: str) -> None:
        """Ask for its end."""

    def delete_cluster(self, name: str) -> None:
        """Ask for its end, without a snapshot."""


@dataclass(frozen=True)
class Binlog:
    """Of a server, as SQL tells it: the API may say something that is not in force yet."""

    is_on: bool
    form: str  # binlog_format
    is_enhanced: bool = False

    @property
    def has_rows(self) -> bool:
        """Whether it is as a clone needs it."""
        return self.is_on and self.form == "ROW"


@dataclass(frozen=True)
class Guard:
    """What keeps a clone as its source is."""

    log_bin: bool
    event_scheduler: bool
    read_only: bool


class Database(Protocol):
    """A server, spoken to as its master user. ``adapters.database``."""

    def binlog(self) -> Binlog:
        """What it writes."""

    def guard(self) -> Guard:
        """Whether anything but replication can write to it."""

    def refuse_writes(self) -> bool:
        """Of everybody but replication, until it restarts. False, and nothing is done, where RDS has no procedure for it."""

    def position(self) -> Position:
        """How far its binlog reaches. Raises NotFound where it writes none."""

    def logs(self) -> dict[str, int]:
        """Its binlog files with their sizes in bytes."""

    def readers(self) -> tuple[str, ...]:
        """The users and hosts that read its binlog now."""

    def retention(self) -> int | None:
        """Hours for which RDS keeps binlogs; None: as short as it likes."""

    def keep_binlogs(self, hours: int | None) -> None:
        """Set that, and read it back. Raises RequestRefused where it is not so afterwards."""

    def account(self, user: str) -> Account | None:
        """The account ``user``@'%'."""

    def write_account(self, user: str, password: str) -> None:
        """Make it, or bring it in line."""

    def drop_account(self, user: str) -> None:
        """Remove it, if it is there."""

    def follows(self) -> tuple[bool, str]:
        """Whether it follows another server just now, and up to which position of that it has done all."""

    def open_work(self) -> list[str]:
        """Sentences about transactions that an upgrade would wait for, or fail of."""


class Databases(Protocol):
    """Connections, each closed at its end."""

    def source(self, request: ReplicateRequest) -> AbstractContextManager[Database]:
        """The source's writer."""

    def of(self, cluster: Cluster, request: ReplicateRequest) -> AbstractContextManager[Database]:
        """The writer of the source under the name that it has now."""

    def clone(self, request: ReplicateRequest) -> AbstractContextManager[Database]:
        """The clone's writer."""

    def as_account(self, request: ReplicateRequest, user: str, password: str) -> AbstractContextManager[Database]:
        """The source's writer, as another user than the master."""


@dataclass(frozen=True)
class World:
    """All that the steps reach outside themselves. ``clock`` tells the time with its zone."""

    rds: Rds
    changes: Changes
    databases: Databases
    ledger: Ledger
    clock: Callable[[], datetime]

    def now(self) -> str:
        """The time as records have it: RDS tells its events to the millisecond, and they are held against it."""
        return self.clock().isoformat(timespec="milliseconds")

    def note(self, request: ReplicateRequest, what: str, **more: Any) -> None:
        """Keep in the ledger that something was done."""
        self.ledger.note(request.clone, "event", {"what": what, **more}, self.clock())


@dataclass(frozen=True)
class Secret:
    """A login in Secrets Manager."""

    arn: str
    user: str
    password: str = field(repr=False)
    tags: Mapping[str, str] = field(default_factory=dict)


class Secrets(Protocol):
    """``adapters.replication_account``."""

    def find(self, name: str) -> Secret | None:
        """The login of that name."""

    def create(self, name: str, user: str, password: str, tags: Mapping[str, str]) -> None:
        """Keep a login; one of that name that is there stays."""

    def delete(self, name: str) -> None:
        """Remove it, if it is there, at once: nothing else is opened by it."""
