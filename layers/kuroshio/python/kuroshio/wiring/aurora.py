"""The composition root of the functions of ``aurora.yaml``: ``from kuroshio.wiring import aurora`` in their handlers."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from kuroshio.config import from_env

if TYPE_CHECKING:
    from kuroshio.aurora.inspecting import Inspecting


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


def now() -> datetime:
    """The time of the records."""
    return datetime.now(UTC)
