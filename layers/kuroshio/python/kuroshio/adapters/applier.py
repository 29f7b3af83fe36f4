"""What a replica applies at a moment, beyond its position: the rows that its open transactions changed, and their locks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kuroshio.aurora.follow import Work

if TYPE_CHECKING:
    from kuroshio.adapters.replication import Instance

# Replication's own connections; MySQL and MariaDB call their user so.
_THREADS = "SELECT ID, STATE, INFO FROM information_schema.PROCESSLIST WHERE USER = 'system user'"
_OPEN = "SELECT trx_mysql_thread_id, trx_rows_modified FROM information_schema.INNODB_TRX"
_HOLDER = "SELECT USER, HOST, TIME, INFO FROM information_schema.PROCESSLIST WHERE ID = %s"
_LOCKED = re.compile(r"waiting for .*lock", re.IGNORECASE)
_DEFINES = re.compile(r"\s*(?:/\*.*?\*/\s*)*(?:ALTER|CREATE|DROP|OPTIMIZE|RENAME|TRUNCATE)\b", re.IGNORECASE)
_IDLE = re.compile(
    r"has read all relay log|waiting for (?:work|an event|the next event|replica mutex|source)", re.IGNORECASE
)
_SHOWN = 120


def look(instance: Instance) -> Work:
    """Needs PROCESS, and is a few short queries of views in memory."""
    server = instance.server
    threads = {int(number): (str(state or ""), str(info or "")) for number, state, info in server.rows(_THREADS)}
    rows = [int(rows) for number, rows in server.rows(_OPEN) if int(number) in threads]
    defining = next((info for _, info in threads.values() if _DEFINES.match(info)), "")
    busy = [state for state, _ in threads.values() if state and not _IDLE.search(state)]
    return Work(
        rows=sum(rows) if rows else None,
        doing=_shown(defining) or "; ".join(sorted(set(busy))),
        blocked=_blocked(instance, threads),
        defining=bool(defining),
    )


def _blocked(instance: Instance, threads: dict[int, tuple[str, str]]) -> str:
    """Locks of rows first, since these say who holds them; a lock of a table's definition tells only that it is waited for."""
    for waits, holds in instance.server.rows(instance.dialect.lock_waits):
        if int(waits) in threads and int(holds) not in threads:
            held = instance.server.rows(_HOLDER, (holds,))
            by = [
                f"{user}@{host}, for {time} s{': ' if info else ''}{_shown(str(info or ''))}"
                for user, host, time, info in held
            ]
            return f"connection {holds} holds it ({by[0] if by else 'gone now'})"
    return next((state for state, _ in threads.values() if _LOCKED.search(state)), "")


def _shown(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
