"""The composition root: one cached function per Lambda, the only place where domains and adapters meet.

A handler calls its function here; nothing is read from the environment and nothing is imported before that. Each
function imports what its own Lambda needs, because every import here is paid for at every cold start.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from kuroshio.config import from_env

if TYPE_CHECKING:
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.outbox_batches import Batches
    from kuroshio.changes.ports import Journal
    from kuroshio.changes.publication import Publication
    from kuroshio.mackerel.flushing import Flushing
    from kuroshio.mackerel.hosting import KeptHost
    from kuroshio.mackerel.ports import Ledger
    from kuroshio.release.reporting import Reporting
    from kuroshio.runs.ports import Figures
    from kuroshio.runs.recording import Recording


@dataclass(frozen=True)
class DetectChanges:
    """The environment of the function ``detect_changes``."""

    incoming_bucket: str
    plan_bucket: str


@cache
def detect_changes() -> Publication:
    """Wire ``detect_changes``: bundles from the incoming bucket, plans into the plan bucket, told of in logs and metrics.

    Analyses are kept beside the bundles, under a prefix that nobody but this function writes.
    """
    from kuroshio.adapters.bundles import S3Bundles
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.notes import S3Notes
    from kuroshio.adapters.plan_store import S3Plans
    from kuroshio.changes.publication import Publication
    from kuroshio.changes.timing import Stopwatch

    environment, journal, watch = from_env(DetectChanges, os.environ), PowertoolsJournal(), Stopwatch()
    bundles, plans = S3Bundles(environment.incoming_bucket, watch), S3Plans(environment.plan_bucket)
    notes = S3Notes(environment.incoming_bucket, journal.warn)
    return Publication(bundles, plans, _plan_journal(journal), notes, watch)


def _plan_journal(journal: PowertoolsJournal) -> Journal:
    """Logs and EMF, and figures for Mackerel where a queue for them exists."""
    sending = from_env(Sending, os.environ)
    if not sending.outbox_queue_url:
        return journal
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.changes.figures import FiguredJournal

    return FiguredJournal(
        journal, SqsOutbox(sending.outbox_queue_url), sending.mackerel_service, time.time, journal.warn
    )


@dataclass(frozen=True)
class Sending:
    """The environment of every function that puts figures into the outbox; empty where nothing goes to Mackerel."""

    outbox_queue_url: str = ""
    mackerel_service: str = ""


@dataclass(frozen=True)
class RecordRun:
    """The environment of the function ``record_run``."""

    ledger_table: str
    environment: str


@cache
def record_run() -> Recording:
    """Wire ``record_run``: runs into the ledger, told of in logs, metrics and figures for Mackerel."""
    from kuroshio.adapters.journal import PowertoolsJournal
    from kuroshio.adapters.ledger import DynamoLedger
    from kuroshio.runs.recording import Recording

    environment = from_env(RecordRun, os.environ)
    return Recording(DynamoLedger(environment.ledger_table), PowertoolsJournal(), _run_figures(environment.environment))


def _run_figures(environment: str) -> Figures:
    sending = from_env(Sending, os.environ)
    if not sending.outbox_queue_url:
        from kuroshio.runs.ports import NoFigures

        return NoFigures()
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.runs.figures import OutboxFigures

    return OutboxFigures(SqsOutbox(sending.outbox_queue_url), sending.mackerel_service, environment, time.time)


@dataclass(frozen=True)
class CollectMetrics:
    """The environment of the function ``collect_metrics``."""

    ledger_table: str


@cache
def collect_metrics() -> Batches:
    """Wire ``collect_metrics``: messages of the outbox into the ledger."""
    from kuroshio.adapters.outbox_batches import Batches
    from kuroshio.adapters.outbox_journal import OutboxJournal
    from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
    from kuroshio.mackerel.collect import Collector

    environment = from_env(CollectMetrics, os.environ)
    return Batches(Collector(DynamoOutboxLedger(environment.ledger_table), time.time), OutboxJournal(), time.time)


@dataclass(frozen=True)
class FlushMetrics:
    """The environment of the function ``flush_metrics``. ``mackerel_check_host`` identifies the host, if there is one."""

    ledger_table: str
    mackerel_api_key_secret: str
    mackerel_api_url: str
    mackerel_service: str
    mackerel_check_host: str = ""
    aws_lambda_log_stream_name: str = "flush_metrics"


@cache
def flush_metrics() -> Flushing:
    """Wire ``flush_metrics``: what is due in the ledger to Mackerel. The log stream's name says whose a turn is."""
    from random import SystemRandom

    from kuroshio.adapters.mackerel import HttpMackerel, SecretKey
    from kuroshio.adapters.outbox_journal import OutboxJournal
    from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
    from kuroshio.mackerel.flush import Flusher
    from kuroshio.mackerel.flushing import Flushing

    environment = from_env(FlushMetrics, os.environ)
    ledger = DynamoOutboxLedger(environment.ledger_table)
    flusher = Flusher(
        ledger,
        HttpMackerel(SecretKey(environment.mackerel_api_key_secret), origin=environment.mackerel_api_url),
        time.time,
        lambda most: SystemRandom().uniform(0, most),
        environment.aws_lambda_log_stream_name,
        home=environment.mackerel_service,
        carrier=_check_host(ledger, environment.mackerel_check_host, environment.mackerel_service),
    )
    return Flushing(flusher, OutboxJournal())


def _check_host(ledger: Ledger, identifier: str, service: str) -> KeptHost | None:
    """In the role whose alerts the dashboard shows (``mackerel.definitions``)."""
    if not identifier:
        return None
    from kuroshio.mackerel.hosting import KeptHost
    from kuroshio.mackerel.hosts import CheckHost

    return KeptHost(ledger, CheckHost(identifier, identifier, (f"{service}:checks",)), time.time)


@dataclass(frozen=True)
class ReportDeployments:
    """The environment of the function ``report_deployments``."""

    ledger_table: str
    outbox_queue_url: str
    mackerel_service: str


@cache
def report_deployments() -> Reporting:
    """Wire ``report_deployments``: the ledger's history of deployments into the outbox, told of in logs and metrics."""
    from kuroshio.adapters.deployment_history import DynamoHistory
    from kuroshio.adapters.deployment_journal import DeploymentJournal
    from kuroshio.adapters.outbox import SqsOutbox
    from kuroshio.release.reporting import Reporting

    environment = from_env(ReportDeployments, os.environ)
    history, outbox = DynamoHistory(environment.ledger_table), SqsOutbox(environment.outbox_queue_url)
    return Reporting(history, outbox, environment.mackerel_service, DeploymentJournal(), time.time)
