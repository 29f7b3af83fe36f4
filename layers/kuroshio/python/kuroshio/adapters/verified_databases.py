"""The two servers of a verification: their catalogues, binlogs, rows and load, on connections made when they are needed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kuroshio.adapters import binlog_dump, table_catalogue
from kuroshio.adapters.replication import Instance, Replication
from kuroshio.adapters.row_repair import SqlRepairs
from kuroshio.adapters.verified_side import SqlSide
from kuroshio.aurora.verification.pace import Load
from kuroshio.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.binlog.events import Event
    from kuroshio.aurora.binlog.statements import Name
    from kuroshio.aurora.binlog.touched import Layout
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.request import ReplicateRequest
    from kuroshio.aurora.verification.schema import Definition
    from kuroshio.aurora.verification.tables import Table

_CATCHES_UP_WITHIN_S = 50.0  # below the time that a connection waits for an answer
_LOAD = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_running', 'Innodb_history_list_length')"
# MySQL has it as a metric instead; who may not read it, or has turned it off, is shown nothing.
_HISTORY = "SELECT COUNT FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rseg_history_len'"


class SqlServer:
    """Implements ``verifying.ports.Server``."""

    def __init__(self, login: Login) -> None:
        self._login = login
        self.instance = Instance(login)
        self.side = SqlSide(login)

    def tables(self) -> list[Table]:
        """All tables of users."""
        return table_catalogue.tables(self.instance.server)

    def definitions(self) -> dict[Name, Definition]:
        """What their definitions say."""
        return table_catalogue.definitions(self.instance.server)

    def layouts(self, of: Iterable[Table]) -> dict[Name, Layout]:
        """How their rows lie in a binlog."""
        return table_catalogue.layouts(self.instance.server, of)

    def logs(self) -> dict[str, int]:
        """The files of the binlog and their sizes; empty where none is written."""
        if not int(self.instance.server.rows("SELECT @@log_bin")[0][0]):
            return {}
        return {str(row["Log_name"]): int(row["File_size"]) for row in self.instance.server.named("SHOW BINARY LOGS")}

    def position(self) -> Position | None:
        """How far its binlog reaches; None where none is written."""
        try:
            return self.instance.position()
        except NotFound:
            return None

    def number(self) -> int:
        """Its server id."""
        return self.instance.number

    def events(self, begin: Position, end: Position, only: int | None = None) -> Iterator[Event]:
        """Its binlog from a position to another; ``only`` those that began on the server of this id."""
        return binlog_dump.events(self._login, begin, end, only)

    def load(self) -> Load:
        """How busy it is."""
        found = {str(name).lower(): int(value) for name, value in self.instance.server.rows(_LOAD)}
        history = found.get("innodb_history_list_length")
        if history is None:
            rows = self.instance.server.rows(_HISTORY)
            history = int(rows[0][0]) if rows else 0
        return Load(found.get("threads_running", 0), history)

    def close(self) -> None:
        """End its connections."""
        self.instance.close()
        self.side.close()


class SqlDatabases:
    """Implements ``verifying.ports.Databases``."""

    def __init__(self, logins: DatabaseLogins) -> None:
        self._logins = logins

    @contextmanager
    def both(self, request: ReplicateRequest) -> Iterator[tuple[SqlServer, SqlServer, Replication]]:
        """Source, clone and what is between them, as the master users."""
        source, clone = SqlServer(self._logins.source(request)), SqlServer(self._logins.clone(request))
        try:
            yield source, clone, Replication(source.instance, clone.instance, _CATCHES_UP_WITHIN_S)
        finally:
            source.close()
            clone.close()

    @contextmanager
    def repairs(self, request: ReplicateRequest) -> Iterator[SqlRepairs]:
        """What writes on the clone."""
        repairs = SqlRepairs(self._logins.source(request), self._logins.clone(request))
        try:
            yield repairs
        finally:
            repairs.close()
