"""The composition root of the functions of ``aurora.yaml``: ``from kuroshio.wiring import aurora`` in their handlers."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from kuroshio.config import from_env

if TYPE_CHECKING:
    from kuroshio.aurora.inspecting import Inspecting
    from kuroshio.aurora.making import World
    from kuroshio.aurora.phases import Phased, Verified
    from kuroshio.aurora.sides import Figures
    from kuroshio.aurora.switching import Switching


@dataclass(frozen=True)
class Aurora:
    """The environment that all functions of ``aurora.yaml`` have.

    ``database_authority``: ``s3://bucket/key`` of the certificates that those of the databases lead to.
    """

    ledger_table: str
    plan_bucket: str
    database_authority: str
    outbox_queue_url: str = ""
    mackerel_service: str = ""


@cache
def inspect_cluster() -> Inspecting:
    """Wire ``inspect_cluster``: RDS and the source as they are, findings into the ledger."""
    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.preflight_look import PreflightLook
    from kuroshio.aurora.inspecting import Inspecting

    environment, rds = from_env(Aurora, os.environ), RdsClusters()
    look = PreflightLook(rds, DatabaseLogins(rds, environment.database_authority))
    return Inspecting(AuroraLedger(environment.ledger_table), look, now)


@cache
def follow_source() -> Phased:
    """Wire ``follow_source``: both servers in SQL, how far the clone is into the ledger and, if there is one, the outbox."""
    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.following_sides import SqlSides
    from kuroshio.adapters.work_files import S3WorkFiles
    from kuroshio.aurora.following import Following
    from kuroshio.aurora.phases import FOLLOWING, Phased

    environment, rds = from_env(Aurora, os.environ), RdsClusters()
    ledger = AuroraLedger(environment.ledger_table)
    sides = SqlSides(rds, DatabaseLogins(rds, environment.database_authority), ledger)
    function = Following(sides, ledger, S3WorkFiles(environment.plan_bucket), _figures(environment), now)
    return Phased(function, ledger, FOLLOWING, now)


@cache
def cut_over_cluster() -> Switching:
    """Wire ``cut_over_cluster``: both servers in SQL, the name where applications find it, decisions in the ledger."""
    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.switch_servers import SwitchServers
    from kuroshio.aurora.switching import Switching

    environment, rds = from_env(Aurora, os.environ), RdsClusters()
    ledger = AuroraLedger(environment.ledger_table)
    servers = SwitchServers(rds, DatabaseLogins(rds, environment.database_authority), ledger)
    return Switching(ledger, servers, now, time.monotonic, time.sleep)


@cache
def verify_clone() -> Verified:
    """Wire ``verify_clone``: both databases, documents in the plan bucket, records in the ledger, figures for Mackerel."""
    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.verified_databases import SqlDatabases
    from kuroshio.adapters.work_store import S3Work
    from kuroshio.aurora.phases import Verified
    from kuroshio.aurora.verifying import Verifying

    environment = from_env(Aurora, os.environ)
    databases = SqlDatabases(DatabaseLogins(RdsClusters(), environment.database_authority))
    kept = S3Work(environment.plan_bucket), AuroraLedger(environment.ledger_table), _figures(environment)
    return Verified(Verifying(databases, kept, (now, time.monotonic, time.sleep)), kept[1], now)


def _figures(environment: Aurora) -> Figures:
    if not environment.outbox_queue_url:
        from kuroshio.aurora.sides import NoFigures

        return NoFigures()
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.aurora.figures import OutboxFigures

    outbox = SqsOutbox(environment.outbox_queue_url)
    return OutboxFigures(outbox, environment.mackerel_service, time.time, PowertoolsJournal().warn)


@dataclass(frozen=True)
class PrepareSource:
    """What ``prepare_source`` has besides: with what the names of the environment's secrets begin."""

    secret_prefix: str


@cache
def prepare_source() -> Phased:
    """Wire ``prepare_source``: RDS, the source, and the login for replication in Secrets Manager."""
    from kuroshio.adapters.replication_account import ReplicationSecrets
    from kuroshio.aurora.phases import PREPARING, Phased
    from kuroshio.aurora.preparing import PrepareSource as Preparing

    world, secrets = _world(), ReplicationSecrets(from_env(PrepareSource, os.environ).secret_prefix)
    return Phased(Preparing(world, secrets), world.ledger, PREPARING, now)


@cache
def clone_cluster() -> Phased:
    """Wire ``clone_cluster``: RDS and both servers."""
    from kuroshio.aurora.cloning import CloneCluster
    from kuroshio.aurora.phases import CLONING, Phased

    world = _world()
    return Phased(CloneCluster(world), world.ledger, CLONING, now)


def _world() -> World:
    from kuroshio.adapters.aurora_ledger import AuroraLedger
    from kuroshio.adapters.cluster_changes import RdsChanges
    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database import SqlDatabases
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.aurora.making import World

    environment, rds = from_env(Aurora, os.environ), RdsClusters()
    databases = SqlDatabases(DatabaseLogins(rds, environment.database_authority))
    return World(rds, RdsChanges(rds), databases, AuroraLedger(environment.ledger_table), now)


def now() -> datetime:
    """The time of the records."""
    return datetime.now(UTC)
