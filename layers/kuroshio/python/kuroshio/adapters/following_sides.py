"""The two servers of a clone that follows, in SQL: RDS's procedures on the clone, reading alone on the source."""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from kuroshio.adapters import applier, aws, binlog_dump, table_catalogue
from kuroshio.adapters.mysql import Login, Server
from kuroshio.adapters.replication import Instance
from kuroshio.aurora import replica, trouble
from kuroshio.aurora.binlog import glance, transaction
from kuroshio.aurora.binlog.glance import Waiting
from kuroshio.aurora.sides import Origin
from kuroshio.errors import AccessRefused, FollowRefused, NotFound, Outpaced, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kuroshio.adapters.clusters import RdsClusters
    from kuroshio.adapters.database_logins import DatabaseLogins
    from kuroshio.aurora.binlog.glance import Strange
    from kuroshio.aurora.binlog.transaction import Transaction
    from kuroshio.aurora.follow import Work
    from kuroshio.aurora.position import Position
    from kuroshio.aurora.records import Ledger
    from kuroshio.aurora.request import ReplicateRequest

# A look that takes longer tells that the server hangs; stopping may wait for a transaction, and a skip sleeps four seconds.
_LOOK_S, _CHANGE_S = 15.0, 90.0
_GLANCED = 4 * 2**20  # bytes of binlog that one look reads, of each side
_LOCK, _LOCK_S = "kuroshio.skip", 10
# What rds_skip_repl_error says where nothing was skipped, and where it was and the next transaction fails too.
_NOTHING_TO_SKIP, _BUSY, _NEXT_FAILS = "No errors detected", "in progress", "encountered a new error"
_DOWN = "down or disabled"


class SqlClone:
    """Implements ``sides.Clone``."""

    def __init__(self, login: Login) -> None:
        self._login, self._instance = login, Instance(login, Server(login, answer_s=_LOOK_S))
        self._server, self._changes = self._instance.server, Server(login, answer_s=_CHANGE_S)

    def close(self) -> None:
        """End the connections."""
        self._instance.close()
        self._changes.close()

    def status(self) -> Mapping[str, Any] | None:
        """Rows of ``SHOW REPLICA STATUS`` for more than one source are not expected on Aurora: the first counts."""
        return self._instance.replica_status()

    def work(self) -> Work:
        """Looked up in InnoDB's and the server's own lists."""
        return applier.look(self._instance)

    def up_for(self) -> float:
        """From the status variable."""
        return float(self._server.rows("SHOW GLOBAL STATUS LIKE 'Uptime'")[0][1])

    def number(self) -> int:
        """Another after a failover of the clone: each instance has its own."""
        return self._instance.number

    def position(self) -> Position | None:
        """None where log_bin is off."""
        try:
            return self._instance.position()
        except NotFound:
            return None

    def strange(self, begin: Position, servers: frozenset[int]) -> Strange:
        """At most four megabytes of its binlog from there on."""
        with closing(binlog_dump.events(self._login, begin)) as stream:
            return glance.strange(stream, begin, servers, _GLANCED)

    def configure(self, origin: Origin, position: Position) -> None:
        """The last argument asks for TLS; without REQUIRE SSL on the account a clone could still go without."""
        arguments = (origin.host, origin.port, origin.user, origin.password, position.file, position.offset)
        self._changes.rows(f"CALL {self._instance.dialect.set_source}(%s, %s, %s, %s, %s, %s, 1)", arguments)

    def start(self) -> None:
        """It answers with a message where an error stops it at once, which the status tells better."""
        self._changes.rows("CALL mysql.rds_start_replication()")

    def stop(self) -> None:
        """Waits for the transaction that is being applied."""
        self._changes.rows("CALL mysql.rds_stop_replication()")

    def reset(self) -> None:
        """Stops it too."""
        self._changes.rows(f"CALL {self._instance.dialect.reset_source}()")

    def unskippable(self) -> str:
        """With GTIDs on, the counter by which the procedure skips is taken and does nothing (seen with MySQL 9.7)."""
        if self._instance.dialect.is_mariadb or self._server.rows("SELECT @@gtid_mode")[0][0] != "ON":
            return ""
        return "gtid_mode is ON, where rds_skip_repl_error skips nothing: a person skips it by rds_skip_transaction_with_gtid"

    def skip(self, at: Position) -> bool:
        """Look and skip under a lock of ours: two who saw the same error would else skip two transactions.

        The lock is the connection's, and the server keeps that until the procedure has ended, even where we are gone.
        """
        if not self._changes.rows("SELECT GET_LOCK(%s, %s)", (_LOCK, _LOCK_S))[0][0]:
            raise Outpaced("another skip on this clone is being done just now")
        try:
            status = self.status() or {}
            found = trouble.found(status)
            if found is None or not found.of_apply or replica.done_of(status) != at:
                return False
            return self._skipped()
        finally:
            self._changes.rows("SELECT RELEASE_LOCK(%s)", (_LOCK,))

    def _skipped(self) -> bool:
        try:
            self._changes.rows("CALL mysql.rds_skip_repl_error()")
        except RequestRefused as error:
            if _NEXT_FAILS in str(error):
                return True
            if _NOTHING_TO_SKIP in str(error) or _DOWN in str(error):
                return False
            if _BUSY in str(error):
                raise Outpaced(str(error)) from error
            raise
        return True


class SqlSource:
    """Implements ``sides.Source``."""

    def __init__(self, login: Login) -> None:
        self._login, self._instance = login, Instance(login, Server(login, answer_s=_LOOK_S))

    def close(self) -> None:
        """End the connection."""
        self._instance.close()

    def position(self) -> Position:
        """Of the writer."""
        return self._instance.position()

    def logs(self) -> dict[str, int]:
        """In the order of their numbers."""
        return {str(row[0]): int(row[1]) for row in self._instance.server.rows("SHOW BINARY LOGS")}

    def time(self) -> float:
        """The server's clock."""
        return float(self._instance.server.rows("SELECT UNIX_TIMESTAMP(NOW(6))")[0][0])

    def waiting(self, begin: Position, behind: int) -> Waiting:
        """At most four megabytes are counted, and the rest is taken to be like them."""
        if not behind:
            return Waiting(0, None, is_counted=True)
        with closing(binlog_dump.events(self._login, begin)) as stream:
            return glance.waiting(stream, behind, _GLANCED)

    def transaction(self, begin: Position) -> Transaction:
        """With the names of columns as they are now."""
        tables = table_catalogue.tables(self._instance.server)
        columns = {table.label: table.columns for table in tables}
        with closing(binlog_dump.events(self._login, begin)) as stream:
            return transaction.read(stream, begin, columns, columns)


class SqlSides:
    """Implements ``sides.Sides``."""

    def __init__(self, rds: RdsClusters, logins: DatabaseLogins, ledger: Ledger) -> None:
        self._rds, self._logins, self._ledger = rds, logins, ledger

    @contextmanager
    def clone(self, request: ReplicateRequest) -> Iterator[SqlClone]:
        """Through the clone's cluster endpoint."""
        with closing(SqlClone(self._logins.clone(request))) as clone:
            yield clone

    @contextmanager
    def source(self, request: ReplicateRequest) -> Iterator[SqlSource]:
        """Through the source's cluster endpoint: binlogs lie on the shared volume, so that any writer goes on with them."""
        with closing(SqlSource(self._logins.source(request))) as source:
            yield source

    def origin(self, request: ReplicateRequest) -> Origin:
        """The secret is read each time: it may have been changed since."""
        kept = self._ledger.read(request.clone, "account")
        if kept is None:
            raise FollowRefused(f"the ledger knows no replication account for {request.clone}: it is made first")
        cluster = self._rds.cluster(request.source)
        user, password = _login(str(kept["secret"]))
        return Origin(cluster.endpoint, cluster.port, user, password)

    def takes(self, origin: Origin) -> bool:
        """By logging in."""
        login = Login(origin.host, origin.port, origin.user, origin.password, self._logins.authority())
        with closing(Server(login)) as server:
            try:
                server.rows("SELECT 1")
            except AccessRefused:
                return False
        return True


def _login(secret: str) -> tuple[str, str]:
    with aws.translated(f"reading the replication account in the secret {secret}"):
        text = aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    try:
        found: Any = json.loads(text)
        return str(found["username"]), str(found["password"])
    except (ValueError, TypeError, KeyError):
        raise RequestRefused(f"the secret {secret} holds no replication account") from None  # which would quote it
