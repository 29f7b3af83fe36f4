"""A server that follows another, as its status tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.aurora.position import Position
from kuroshio.errors import RequestRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.sides import Clone

RECORD = "following"  # of the ledger: what a clone was asked to follow


def note(ledger: Ledger, clone: str, event: Mapping[str, Any], words: str, at: datetime) -> None:
    """Tell in the ledger what was done."""
    ledger.note(clone, "event", {"what": words, "run": str(event.get("run", ""))}, at)


def runs(status: Mapping[str, Any]) -> bool:
    """Whether it fetches, or is about to, and applies."""
    return str(status.get("Replica_IO_Running")) != "No" and str(status.get("Replica_SQL_Running")) == "Yes"


def done_of(status: Mapping[str, Any]) -> Position | None:
    """The position in its source's binlog up to which a replica has done all; None where it tells none."""
    file = str(status.get("Relay_Source_Log_File") or "")
    return Position(file, int(status["Exec_Source_Log_Pos"])) if file else None


def halt(clone: Clone) -> None:
    """Stop it, whether it runs or not."""
    status = clone.status()
    if status is None or not any(str(status.get(f"Replica_{half}_Running")) != "No" for half in ("IO", "SQL")):
        return
    try:
        clone.stop()
    except RequestRefused:
        status = clone.status()
        if status is not None and runs(status):
            raise
