"""The two makes of servers that the lab has: MariaDB, which Debian carries, and MySQL itself, which only its sid does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).parent
CHOICE = "KUROSHIO_LAB_DATABASE"
_DURABLE = ("--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1")
_RELAY = "--relay-log=relaylog"


@dataclass(frozen=True)
class Flavour:
    """``binlog``: options of a server that writes one. ``client``: the program that ``administer`` runs inside."""

    name: str
    image: str
    folder: Path
    binlog: tuple[str, ...]
    small: tuple[str, ...]
    durable: tuple[str, ...]
    client: str
    procedures: Path
    monitors: str  # the privileges by which positions and replicas are seen


MARIADB = Flavour(
    "mariadb",
    "kuroshio-lab-database",
    _HERE,
    ("--log-bin=mysql-bin-changelog", "--binlog-format=ROW", "--log-slave-updates", _RELAY),
    (),
    (*_DURABLE, "--sync-master-info=1", "--sync-relay-log-info=1"),
    "mariadb",
    _HERE.parent / "rds" / "procedures.sql",
    "BINLOG MONITOR, SLAVE MONITOR",
)
MYSQL = Flavour(
    "mysql",
    "kuroshio-lab-mysql",
    _HERE / "mysql",
    ("--log-bin=mysql-bin-changelog", "--log-replica-updates", _RELAY),
    # MySQL 9 has GTIDs on by itself; Aurora has them off, and they know no skip counter.
    (
        "--innodb-redo-log-capacity=33554432",
        "--innodb-buffer-pool-size=64M",
        "--gtid-mode=OFF",
        "--enforce-gtid-consistency=OFF",
    ),
    _DURABLE,
    "mysql",
    _HERE.parent / "rds" / "procedures_mysql.sql",
    "REPLICATION CLIENT",
)


def chosen() -> Flavour:
    """MySQL where the environment says ``KUROSHIO_LAB_DATABASE=mysql``, else MariaDB."""
    wanted = os.environ.get(CHOICE, MARIADB.name)
    known = {flavour.name: flavour for flavour in (MARIADB, MYSQL)}
    if wanted not in known:
        raise ValueError(f"{CHOICE} is {wanted!r}; it must be one of {', '.join(known)}")
    return known[wanted]
