"""What happens to servers and networks in the middle of everything, on demand: `kuroshio lab disturb KIND CLUSTER`."""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.engine import EngineError
from lab.rds.links import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.databases.disk import Disk
    from lab.databases.server import Server
    from lab.rds.aurora import Aurora

_DISK_MB = 512
_PURGED_WITHIN_S = 30.0
_SLOW = 100_000.0
_NAME = re.compile(r"\w{1,64}\.\w{1,64}")
# Nothing of what root does here on purpose is the source's: it stays in the binlog of the server on which it is done.
_FIRST_TABLE = (
    "SELECT CONCAT(s.TABLE_SCHEMA, '.', s.TABLE_NAME) FROM information_schema.STATISTICS s "
    "JOIN information_schema.COLUMNS c USING (TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME) "
    "WHERE s.INDEX_NAME = 'PRIMARY' AND c.DATA_TYPE IN ('int', 'bigint') "
    "AND s.TABLE_SCHEMA NOT IN ('mysql', 'sys', 'performance_schema', 'information_schema', 'lab') "
    "GROUP BY s.TABLE_SCHEMA, s.TABLE_NAME HAVING MAX(s.SEQ_IN_INDEX) = 1 ORDER BY 1 LIMIT 1"
)


@dataclass(frozen=True)
class Options:
    """``of``: the clone whose link to the cluster is meant, empty for everybody's. ``table``: the first one if empty."""

    of: str = ""
    table: str = ""
    seconds: float = 30.0
    rows: int = 2_000_000
    bytes_per_s: float = _SLOW
    user: str = "kuroshio"
    password: str = "changed"  # noqa: S105 - of the lab


def disturb(aurora: Aurora, kind: str, cluster: str, options: Options | None = None) -> None:
    """Do it. Raises ValueError for a kind that is none, Refused for a cluster that is none, EngineError."""
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no disturbance; there are {', '.join(KINDS)}")
    aurora.account.cluster(cluster)
    KINDS[kind](aurora, cluster, options or Options())


# Servers ---------------------------------------------------------------------------------------------------------------


def _kill(aurora: Aurora, cluster: str, _: Options) -> None:
    """End the server by kill -9; it comes up again at once."""
    found = aurora.account.cluster(cluster)
    aurora.reboot(aurora.account.instance(found.writer), power_cut=True)


def _down(aurora: Aurora, cluster: str, _: Options) -> None:
    """End the server by kill -9; it stays away until `mend`."""
    aurora.halt(aurora.account.cluster(cluster))


def _mend(aurora: Aurora, cluster: str, _: Options) -> None:
    """Links are open, disks have room and take writes, the server runs."""
    aurora.endpoint(cluster).links.clear()
    found = aurora.account.cluster(cluster)
    server = aurora.server(cluster)
    if server.disk is not None:
        server.disk.free()
    if not server.container:
        aurora.restart(found, lambda _: None)
    elif server.disk is not None and not _takes_writes(server.disk):
        aurora.restart(found, _renew_disk, power_cut=True)


def _renew_disk(server: Server) -> None:
    if server.disk is not None:
        server.disk.renew()


def _takes_writes(disk: Disk) -> bool:
    try:
        (disk.folder / ".probe").write_bytes(b"x")
    except OSError:
        return False
    (disk.folder / ".probe").unlink()
    return True


def _full_disk(aurora: Aurora, cluster: str, _: Options) -> None:
    """Not a byte is free. The first time, the server is restarted on a disk of its own."""
    _on_disk(aurora, cluster).fill()


def _read_only_disk(aurora: Aurora, cluster: str, _: Options) -> None:
    """The device fails, and the disk can only be read. Restarted as for `full-disk`."""
    _on_disk(aurora, cluster).fail()


def _on_disk(aurora: Aurora, cluster: str) -> Disk:
    server = aurora.server(cluster)
    if server.disk is None:
        aurora.restart(aurora.account.cluster(cluster), lambda each: each.put_on_disk(_DISK_MB))
        aurora.rest()
    if server.disk is None:
        raise EngineError(f"{cluster} did not get a disk of its own")
    return server.disk


# Links -----------------------------------------------------------------------------------------------------------------


def _link(state: str, words: str) -> Callable[[Aurora, str, Options], None]:
    def set_(aurora: Aurora, cluster: str, options: Options) -> None:
        endpoint, client = aurora.endpoint(cluster), aurora.server(options.of).address() if options.of else ""
        endpoint.links.set(Link(state, options.bytes_per_s), client)
        if state == "cut":
            endpoint.cut(client)

    set_.__doc__ = words
    return set_


# Data ------------------------------------------------------------------------------------------------------------------


def _purge(aurora: Aurora, cluster: str, _: Options) -> None:
    """Of the binlog only a new file is left."""
    server = aurora.server(cluster)
    server.administer("FLUSH BINARY LOGS")
    until = time.monotonic() + _PURGED_WITHIN_S
    while len(files := server.administer("SHOW BINARY LOGS").split("\n")[:-1]) > 1:
        # A file that somebody reads stays, and a reader that is gone is noticed late.
        server.administer(f"PURGE BINARY LOGS TO '{files[-1].partition(chr(9))[0]}'")
        if time.monotonic() > until:
            raise EngineError(f"binlogs of {cluster} are being read, and stay")
        time.sleep(0.2)


def _duplicate_row(aurora: Aurora, cluster: str, options: Options) -> None:
    """Somebody writes the row that the source will write next: 1062."""
    server = aurora.server(cluster)
    table, key, others = _shape(server, options.table)
    columns = "".join(f", {name}" for name in others)
    server.administer(
        f"INSERT INTO {table} ({key}{columns}) SELECT {key} + 1{columns} FROM {table} ORDER BY {key} DESC LIMIT 1"  # noqa: S608
    )


def _missing_row(aurora: Aurora, cluster: str, options: Options) -> None:
    """Somebody deletes the newest row: 1032 as soon as the source changes it."""
    server = aurora.server(cluster)
    table, key, _ = _shape(server, options.table)
    server.administer(f"DELETE FROM {table} ORDER BY {key} DESC LIMIT 1")  # noqa: S608


def _ddl(aurora: Aurora, cluster: str, options: Options) -> None:
    """A column more, in the middle of everything."""
    server = aurora.server(cluster)
    table, _, others = _shape(server, options.table)
    server.administer(f"ALTER TABLE {table} ADD COLUMN added_{len(others)} INT")


def _hot_row(aurora: Aurora, cluster: str, options: Options) -> None:
    """Somebody holds all rows of the table locked for so many seconds."""
    server = aurora.server(cluster)
    table, key, _ = _shape(server, options.table)
    script = (
        f"BEGIN; SELECT COUNT(*) FROM (SELECT {key} FROM {table} FOR UPDATE) t; DO SLEEP({options.seconds:g}); ROLLBACK"  # noqa: S608
    )
    threading.Thread(target=server.administer, args=(script,), daemon=True).start()


def _bulk(aurora: Aurora, cluster: str, options: Options) -> None:
    """One transaction of so many rows."""
    server = aurora.server(cluster)
    server.administer(
        "CREATE DATABASE IF NOT EXISTS lab; "
        "CREATE TABLE IF NOT EXISTS lab.bulk (id INT PRIMARY KEY AUTO_INCREMENT, filler CHAR(40) NOT NULL DEFAULT 'x')"
    )
    doubling, held = ["BEGIN", "DELETE FROM lab.bulk", "INSERT INTO lab.bulk (filler) VALUES ('x')"], 1
    while held < options.rows:
        more = min(held, options.rows - held)
        doubling.append(f"INSERT INTO lab.bulk (filler) SELECT filler FROM lab.bulk LIMIT {more}")  # noqa: S608
        held += more
    server.administer("; ".join([*doubling, "COMMIT"]))


def _event(aurora: Aurora, cluster: str, _: Options) -> None:
    """An event fires there each second, and writes."""
    aurora.server(cluster).administer(
        "CREATE DATABASE IF NOT EXISTS lab; CREATE TABLE IF NOT EXISTS lab.fired (id INT PRIMARY KEY AUTO_INCREMENT, at DATETIME); "
        "CREATE EVENT IF NOT EXISTS lab.fires ON SCHEDULE EVERY 1 SECOND DO INSERT INTO lab.fired (at) VALUES (NOW()); "
        "SET GLOBAL event_scheduler = ON"
    )


def _bypass(aurora: Aurora, cluster: str, _: Options) -> None:
    """A login writes although the server is read only."""
    aurora.server(cluster).administer(
        "SET GLOBAL read_only = 1; CREATE DATABASE IF NOT EXISTS lab; "
        "CREATE TABLE IF NOT EXISTS lab.written (id INT PRIMARY KEY AUTO_INCREMENT, who VARCHAR(80)); "
        "INSERT INTO lab.written (who) VALUES (CURRENT_USER())"
    )


def _password(aurora: Aurora, cluster: str, options: Options) -> None:
    """The account's password is another: 1045 at the next connection, which is made at once."""
    for text in (options.user, options.password):
        if not re.fullmatch(r"[\w.+=/-]{1,80}", text, re.ASCII):
            raise ValueError(f"{text!r} would have to be escaped")
    server = aurora.server(cluster)
    server.administer(f"SET SESSION sql_log_bin = 0; ALTER USER {options.user}@'%' IDENTIFIED BY '{options.password}'")
    aurora.endpoint(cluster).cut()


def _shape(server: Server, table: str) -> tuple[str, str, list[str]]:
    """A table, the column of its key, and its other columns."""
    name = table or server.administer(_FIRST_TABLE).strip()
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no table; one looks like shop.orders")
    schema, _, only = name.partition(".")
    found = server.administer(
        "SELECT COLUMN_NAME, COLUMN_KEY FROM information_schema.COLUMNS "  # noqa: S608 - names of word characters
        f"WHERE TABLE_SCHEMA = '{schema}' AND TABLE_NAME = '{only}' ORDER BY ORDINAL_POSITION"
    )
    columns = [line.split("\t") for line in found.splitlines()]
    keys = [column for column, kind in columns if kind == "PRI"]
    if len(keys) != 1:
        raise ValueError(f"{name} has no key of one column")
    return name, keys[0], [column for column, kind in columns if kind != "PRI"]


KINDS: Mapping[str, Callable[[Aurora, str, Options], None]] = {
    "kill": _kill,
    "down": _down,
    "cut": _link("cut", "Connections to it end, and none is made."),
    "silent": _link("silent", "Nothing of what is sent arrives, and no connection ends."),
    "slow": _link("slow", "So many bytes a second arrive, and no more."),
    "full-disk": _full_disk,
    "read-only-disk": _read_only_disk,
    "purge": _purge,
    "duplicate-row": _duplicate_row,
    "missing-row": _missing_row,
    "ddl": _ddl,
    "hot-row": _hot_row,
    "bulk": _bulk,
    "event": _event,
    "bypass": _bypass,
    "password": _password,
    "mend": _mend,
}
