"""Aurora's parameters in MariaDB's words: options for a start, statements for a server that runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lab.databases.server import BINLOG

if TYPE_CHECKING:
    from collections.abc import Mapping

# A lab has many servers and little data; the page cache of the machine outlives every process that is killed.
SMALL = (
    "--innodb-log-file-size=16M",
    "--innodb-buffer-pool-size=32M",
    "--innodb-flush-log-at-trx-commit=2",
    "--sync-binlog=0",
    "--slave-connections-needed-for-purge=0",  # MariaDB would keep every binlog until a replica has connected
)
_VALUE = re.compile(r"[\w:+/.-]{1,64}", re.ASCII)
_VARIABLES = ("binlog_checksum", "event_scheduler", "log_bin_trust_function_creators", "max_connections", "read_only",
              "require_secure_transport", "time_zone")  # fmt: skip


def options(values: Mapping[str, str]) -> tuple[str, ...]:
    """For a start. ``binlog_format=OFF``, which MariaDB does not know, is a server without a binlog."""
    form = values.get("binlog_format", "OFF")
    binlog = (*BINLOG, f"--binlog-format={form}") if form != "OFF" else ("--relay-log=relaylog",)
    workers = (f"--slave-parallel-threads={values.get('replica_parallel_workers', '0')}",)
    rest = tuple(
        f"--{name.replace('_', '-')}={value}" for name, value in _variables(values).items() if name != "time_zone"
    )
    zone = tuple(f"--default-time-zone={value}" for name, value in _variables(values).items() if name == "time_zone")
    return (*binlog, *SMALL, *workers, *rest, *zone)


def statements(values: Mapping[str, str]) -> str:
    """For a server that runs: the dynamic ones, as far as MariaDB has them."""
    return "".join(f"SET GLOBAL {name} = {_literal(value)};" for name, value in _variables(values).items())


def _variables(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _in_mariadb(name, values[name]) for name in _VARIABLES if values.get(name)}


def _in_mariadb(name: str, value: str) -> str:
    if not _VALUE.fullmatch(value):
        return "0"  # {TrueIfReplica}
    return "+00:00" if name == "time_zone" and value == "UTC" else value


def _literal(value: str) -> str:
    return value if value.isdecimal() else f"'{value}'"
