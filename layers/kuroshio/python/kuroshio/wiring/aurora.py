"""The composition root of the functions of ``aurora.yaml``: ``from kuroshio.wiring import aurora`` in their handlers."""

from __future__ import annotations

from dataclasses import dataclass


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
