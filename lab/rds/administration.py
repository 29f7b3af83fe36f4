"""Turn a new MariaDB server into what an Aurora cluster looks like from inside: an administrator, RDS's procedures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.databases.server import Server

# What RDS grants the master user, as far as the server has it. No SUPER, no FILE, no SHUTDOWN, no way around read_only.
_GRANTED = (
    "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, "
    "CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, CREATE VIEW, SHOW VIEW, "
    "CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
)
_NAME = re.compile(r"\w{1,80}")
_PASSWORD = re.compile(r"[\w.+=/-]{1,41}", re.ASCII)


def install(server: Server, user: str, password: str) -> None:
    """Make the master user and the procedures. Raises ValueError for a name or a password that SQL would have to escape."""
    account = _account(user, password)
    server.administer(server.flavour.procedures.read_text())
    server.administer(
        f"SET SESSION sql_log_bin = 0; CREATE USER {account}; GRANT {_GRANTED}, {server.flavour.monitors} ON *.* TO {user}@'%' WITH GRANT OPTION"
    )


def change_password(server: Server, user: str, password: str) -> None:
    """Give the master user another password. Raises ValueError as ``install`` does."""
    server.administer(f"SET SESSION sql_log_bin = 0; ALTER USER {_account(user, password)}")


def is_possible(user: str, password: str) -> bool:
    """Whether ``install`` takes them."""
    return bool(_NAME.fullmatch(user) and _PASSWORD.fullmatch(password))


def _account(user: str, password: str) -> str:
    if not is_possible(user, password):
        raise ValueError("the lab's RDS takes names of letters, digits and _, and passwords without quotes and blanks")
    return f"{user}@'%' IDENTIFIED BY '{password}'"
