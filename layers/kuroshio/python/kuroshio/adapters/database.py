"""A source or a clone, asked and changed in SQL as its master user, for the steps that make a clone."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.replication import Instance
from kuroshio.aurora import account as accounts
from kuroshio.aurora.account import Account
from kuroshio.aurora.making import Binlog, Guard
from kuroshio.errors import KuroshioError, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.cluster import Cluster
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.request import ReplicateRequest

# The procedure compares the name byte by byte, changes nothing where it differs, and says nothing.
_RETENTION = "binlog retention hours"
_READERS = "SELECT USER, HOST FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' ORDER BY 1, 2"
_PRIVILEGES = "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = %s"
# Since Aurora 3.06.
_PROCEDURE = "SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'mysql' AND ROUTINE_NAME = 'rds_set_read_only'"
_LONG_S = 60
_TRANSACTIONS = """
SELECT trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, trx_started, NOW()) FROM information_schema.INNODB_TRX
WHERE trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) AND TIMESTAMPDIFF(SECOND, trx_started, NOW()) >= %s ORDER BY trx_started"""


class SqlDatabase:
    """Implements ``aurora.making.Database``."""

    def __init__(self, login: Login) -> None:
        self._instance = Instance(login)
        self._server = self._instance.server

    def binlog(self) -> Binlog:
        """What it writes, by its own word: a parameter group may hold what is not in force."""
        is_on, form = self._server.rows("SELECT @@GLOBAL.log_bin, @@GLOBAL.binlog_format")[0]
        status = self._server.rows("SHOW GLOBAL STATUS LIKE 'aurora_enhanced_binlog'")
        return Binlog(bool(int(is_on)), str(form).upper(), bool(status) and str(status[0][1]).upper() == "ACTIVE")

    def guard(self) -> Guard:
        """Whether anything but replication can write to it."""
        asked = "SELECT @@GLOBAL.log_bin, @@GLOBAL.event_scheduler, @@GLOBAL.read_only"
        log_bin, scheduler, read_only = self._server.rows(asked)[0]
        return Guard(bool(int(log_bin)), str(scheduler).upper() in {"ON", "1"}, bool(int(read_only)))

    def refuse_writes(self) -> bool:
        """Of everybody but replication, until it restarts. False where RDS has no procedure for it."""
        if not self._server.rows(_PROCEDURE)[0][0]:
            return False
        self._server.rows("CALL mysql.rds_set_read_only(1)")
        return self.guard().read_only

    def position(self) -> Position:
        """How far its binlog reaches. Raises NotFound where it writes none."""
        return self._instance.position()

    def logs(self) -> dict[str, int]:
        """Its binlog files with their sizes; none where it writes none."""
        if not self.binlog().is_on:
            return {}
        return {_text(row[0]): int(row[1]) for row in self._server.rows("SHOW BINARY LOGS")}

    def readers(self) -> tuple[str, ...]:
        """The users and hosts that read its binlog now."""
        return tuple(f"{_text(user)} from {_text(host)}" for user, host in self._server.rows(_READERS))

    def retention(self) -> int | None:
        """Hours; None: RDS purges when it likes."""
        for name, value, *_ in self._server.rows("CALL mysql.rds_show_configuration"):
            if _text(name) == _RETENTION:
                return None if value is None else int(value)
        raise RequestRefused(f"mysql.rds_show_configuration tells no {_RETENTION}: the server is none of RDS")

    def keep_binlogs(self, hours: int | None) -> None:
        """Set that, and read it back."""
        self._server.rows("CALL mysql.rds_set_configuration(%s, %s)", (_RETENTION, hours))
        now = self.retention()
        if now != hours:
            raise RequestRefused(f"{_RETENTION} was set to {hours or 'NULL'} without an error, and is {now or 'NULL'}")

    def account(self, user: str) -> Account | None:
        """The account ``user``@'%'."""
        found = self._server.rows("SELECT ssl_type FROM mysql.user WHERE User = %s AND Host = '%%'", (user,))
        if not found:
            return None
        privileges = self._server.rows(_PRIVILEGES, (f"'{user}'@'%'",))
        return Account(user, bool(_text(found[0][0])), frozenset(_text(row[0]) for row in privileges))

    def write_account(self, user: str, password: str) -> None:
        """Make it, or bring it in line."""
        for statement, parameters in accounts.writing(self._instance.dialect, user, password):
            try:
                self._server.rows(statement, parameters)
            except KuroshioError as error:
                # MySQL quotes the statement where it does not understand it, and PyMySQL's error is chained to ours.
                hidden = str(error)
                for secret in parameters[1:]:
                    hidden = hidden.replace(secret, "…")
                raise type(error)(f"making the account {user}: {hidden}") from None

    def drop_account(self, user: str) -> None:
        """Remove it, if it is there."""
        self._server.rows("DROP USER IF EXISTS %s@'%%'", (user,))

    def follows(self) -> tuple[bool, str]:
        """Whether it follows just now, and up to where it has done all that its source wrote."""
        status = self._instance.replica_status()
        if status is None:
            return False, ""
        runs = {str(status.get(f"Replica_{thread}_Running")) for thread in ("IO", "SQL")}
        file = status.get("Relay_Source_Log_File") or ""
        return runs != {"No"}, f"{file}:{status.get('Exec_Source_Log_Pos')}" if file else ""

    def open_work(self) -> list[str]:
        """Sentences about transactions that an upgrade would wait for, or fail of."""
        prepared = [f"the XA transaction {_text(row[-1])} is prepared" for row in self._server.rows("XA RECOVER")]
        rows = self._server.rows(_TRANSACTIONS, (_LONG_S,))
        return prepared + [f"a transaction of the thread {thread} is open for {seconds} s" for thread, seconds in rows]

    def close(self) -> None:
        """End the connection."""
        self._instance.close()


class SqlDatabases:
    """Implements ``aurora.making.Databases``."""

    def __init__(self, logins: DatabaseLogins) -> None:
        self._logins = logins

    @contextmanager
    def source(self, request: ReplicateRequest) -> Iterator[SqlDatabase]:
        """The source's writer."""
        with _opened(self._logins.source(request)) as database:
            yield database

    @contextmanager
    def of(self, cluster: Cluster, request: ReplicateRequest) -> Iterator[SqlDatabase]:
        """The source's writer, where the source may be called otherwise by now."""
        with _opened(self._logins.login(cluster, request.secrets.source)) as database:
            yield database

    @contextmanager
    def clone(self, request: ReplicateRequest) -> Iterator[SqlDatabase]:
        """The clone's writer."""
        with _opened(self._logins.clone(request)) as database:
            yield database

    @contextmanager
    def as_account(self, request: ReplicateRequest, user: str, password: str) -> Iterator[SqlDatabase]:
        """The source's writer, as another user."""
        with _opened(replace(self._logins.source(request), user=user, password=password)) as database:
            yield database


@contextmanager
def _opened(login: Login) -> Iterator[Any]:
    database = SqlDatabase(login)
    try:
        yield database
    finally:
        database.close()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
