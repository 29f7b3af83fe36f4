"""The composition root: one cached function per Lambda, the only place where domains and adapters meet.

A handler calls its function here; nothing is read from the environment and nothing is imported before that. Each
function imports what its own Lambda needs, because every import here is paid for at every cold start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from kuroshio.config import from_env

if TYPE_CHECKING:
    from kuroshio.changes.publication import Publication
    from kuroshio.runs.recording import Recording


@dataclass(frozen=True)
class DetectChanges:
    """The environment of the function ``detect_changes``."""

    incoming_bucket: str
    plan_bucket: str


@cache
def detect_changes() -> Publication:
    """Wire ``detect_changes``: bundles from the incoming bucket, plans into the plan bucket, told of in logs and metrics."""
    from kuroshio.adapters.bundles import S3Bundles
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.plan_store import S3Plans
    from kuroshio.changes.publication import Publication

    environment = from_env(DetectChanges, os.environ)
    return Publication(S3Bundles(environment.incoming_bucket), S3Plans(environment.plan_bucket), PowertoolsJournal())


@dataclass(frozen=True)
class RecordRun:
    """The environment of the function ``record_run``."""

    ledger_table: str


@cache
def record_run() -> Recording:
    """Wire ``record_run``: runs into the ledger, told of in logs and metrics."""
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.ledger import DynamoLedger
    from kuroshio.runs.recording import Recording

    environment = from_env(RecordRun, os.environ)
    return Recording(DynamoLedger(environment.ledger_table), PowertoolsJournal())
