"""What preflight looks at. A fact that could not be found out is ``Unknown`` with the reason, never a guess."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.aurora.cluster import Cluster, Parameter, Quota


@dataclass(frozen=True)
class Unknown:
    """Stands for a fact that could not be read; ``why`` is what was answered instead."""

    why: str


T = TypeVar("T")
Known: TypeAlias = T | Unknown


@dataclass(frozen=True)
class RdsFacts:
    """What RDS tells. ``clone_parameters`` are those of the group that the clone will have."""

    region: str
    cluster: Known[Cluster | None]  # None: this region has none of that name
    clusters: Known[tuple[Cluster, ...]]
    parameters: Known[Mapping[str, Parameter]]
    clone_parameters: Known[Mapping[str, Parameter]]
    free_addresses: Known[Mapping[str, int]]  # by subnet
    quotas: Known[Mapping[str, Quota]]
    upgrade_targets: Known[tuple[str, ...]]
    runs: Known[tuple[str, ...]]  # the clones that other runs make of this source just now


@dataclass(frozen=True)
class Transaction:
    """One that is open on the source."""

    thread: int
    user: str
    seconds: int


@dataclass(frozen=True)
class SqlFacts:
    """What the source's writer tells in SQL."""

    server_name: Known[str]  # @@aurora_server_id, empty where the server knows no such variable
    is_writable: Known[bool]
    user: Known[str]  # who we are there
    cipher: Known[str]  # of our own connection, empty without TLS
    log_bin: Known[bool]
    binlog_format: Known[str]
    row_image: Known[str]
    checksum: Known[str]
    enhanced: Known[bool]
    retention_hours: Known[int]  # 0: RDS purges as soon as it can
    gtid_mode: Known[str]
    follows: Known[tuple[str, ...]]  # servers whose binlog it follows itself
    replicas: Known[tuple[str, ...]]  # servers that read its binlog
    without_key: Known[tuple[str, ...]]
    other_engines: Known[tuple[str, ...]]  # "app.log (MyISAM)"
    events: Known[tuple[str, ...]]  # those that are enabled
    triggers: Known[tuple[str, ...]]
    filters: Known[tuple[str, ...]]
    definers: Known[tuple[str, ...]]  # "view app.v of gone@%"
    transactions: Known[tuple[Transaction, ...]]
    prepared: Known[tuple[str, ...]]  # XA transactions that are prepared
    accounts: Known[tuple[str, ...]]
    privileged: Known[tuple[str, ...]]  # accounts that read_only does not stop

    @classmethod
    def unreached(cls, why: str) -> SqlFacts:
        """All is unknown: there was no login, or no answer."""
        return cls(**{each.name: Unknown(why) for each in fields(cls)})


@dataclass(frozen=True)
class Facts:
    """All of them."""

    rds: RdsFacts
    sql: SqlFacts
