"""Both servers of a cut-over, in SQL: a fence, positions, an opening, and the end of connections.

**Why read_only, set by RDS's procedure.** It is in force at once, for everybody who is connected too: a transaction that is
open then cannot commit (1290). It changes nothing that the binlog tells, so that the position stands still and the target
is not fenced by replication. What else there is: the cluster parameter ``read_only`` takes effect when RDS comes to it;
``ALTER USER … ACCOUNT LOCK`` and ``REVOKE`` stop no connection that exists, are written to the binlog, and the way back
would replay their end; a security group leaves established connections alone; RDS refuses ``FLUSH TABLES WITH READ LOCK``.

Who has SUPER or CONNECTION_ADMIN writes past it, as Aurora's own master user does since version 3: such connections are
ended with the fence, ``check`` refuses accounts of that kind, and the position is looked at again. A restart forgets it:
so every look at the position asks whether it stands.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.preflight_facts import holders
from kuroshio.adapters.replication import Instance
from kuroshio.errors import CutOverReturned, RequestRefused, ServiceUnavailable

if TYPE_CHECKING:
    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.position import Position

# MySQL's and RDS's own. Nobody but them can log in so.
OWN_ACCOUNTS = frozenset(
    {"rdsadmin", "mysql", "mariadb.sys", "mysql.sys", "mysql.session", "mysql.infoschema", "rdsrepladmin"}
)
_OWN_THREADS = OWN_ACCOUNTS | {"system user", "event_scheduler", "unauthenticated user", ""}
_PAST_READ_ONLY = (
    "SELECT DISTINCT GRANTEE FROM information_schema.USER_PRIVILEGES "
    "WHERE PRIVILEGE_TYPE IN ('SUPER', 'CONNECTION_ADMIN', 'READ_ONLY ADMIN')"
)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_FENCE_WITHIN_S = 5.0
_GONE = "MySQL 1094:"  # unknown thread


class Side:
    """A server, with one connection that is made before the window and used through it."""

    def __init__(self, login: Login, answer_s: float) -> None:
        """``answer_s``: no single call may take longer."""
        # To become read-only waits for statements that write, and whoever comes after waits behind it: for a year by default.
        session = (f"SET SESSION lock_wait_timeout = {max(int(min(answer_s, _FENCE_WITHIN_S)), 1)}",)
        self.instance = Instance(login, Server(login, session=session, answer_s=answer_s + 5))
        self.server, self.login, self.user = self.instance.server, login, login.user

    def prepare(self) -> None:
        """Connect, and find out all that need not be asked in the window."""
        _ = self.instance.dialect
        self.instance.position()

    def is_read_only(self) -> bool:
        """Whether it refuses writes."""
        return bool(int(self.server.rows("SELECT @@GLOBAL.read_only")[0][0]))

    def set_read_only(self, wanted: bool) -> None:  # noqa: FBT001 - RDS's procedure has this one argument
        """Let it refuse writes, or take them; asked of the server itself."""
        self.server.rows("CALL mysql.rds_set_read_only(%s)", (int(wanted),))
        if self.is_read_only() != wanted:
            raise ServiceUnavailable(f"read_only was set to {int(wanted)}, and is not: somebody else sets it too")

    def past_read_only(self) -> set[str]:
        """The users, other than RDS's own, whom read_only does not stop; the master user may be among them."""
        rows = self.server.rows(_PAST_READ_ONLY)
        found = holders({str(row[0]).replace("'", "") for row in rows}, self._roles())
        accounts = (each.rpartition("@") for each in found)
        return {user for user, _, host in accounts if host not in _LOCAL and user not in OWN_ACCOUNTS}

    def runs_events(self) -> bool:
        """Whether its event scheduler is on."""
        return str(self.server.rows("SELECT @@GLOBAL.event_scheduler")[0][0]).upper() in {"ON", "1"}

    def sleeping_events(self) -> list[str]:
        """Those that came by replication, which run on nobody but where they were made until somebody enables them."""
        rows = self.server.rows(
            "SELECT CONCAT(EVENT_SCHEMA, '.', EVENT_NAME) FROM information_schema.EVENTS WHERE STATUS LIKE '%%SIDE_DISABLED'",
            (),
        )
        return [str(row[0]) for row in rows]

    def connections(self) -> list[tuple[int, str, str]]:
        """Number, user and host of everybody who is connected, but for us and for what belongs to the server."""
        rows = self.server.rows(
            "SELECT ID, USER, SUBSTRING_INDEX(HOST, ':', 1) FROM information_schema.PROCESSLIST "
            "WHERE ID <> CONNECTION_ID() AND COMMAND NOT LIKE 'Binlog Dump%%' AND COMMAND <> 'Daemon'",
            (),
        )
        return [
            (int(number), str(user), str(host)) for number, user, host in rows if str(user or "") not in _OWN_THREADS
        ]

    def end(self, connections: list[tuple[int, str, str]]) -> None:
        """End them; who went meanwhile is no error."""
        for number, _, _ in connections:
            try:
                self.server.rows("CALL mysql.rds_kill(%s)", (number,))
            except RequestRefused as error:
                if _GONE not in str(error):
                    raise

    def follow(self, login: Login, position: Position) -> None:
        """Follow the server of this login from that position on, over TLS; where it does already, let it."""
        status = self.instance.replica_status()
        if status is not None and (status["Source_Host"], int(status["Source_Port"])) == (login.host, login.port):
            if status["Replica_SQL_Running"] == "No":
                self.server.rows("CALL mysql.rds_start_replication()")
            return
        self.detach()
        self.server.rows(
            f"CALL mysql.rds_set_external_{self._word}(%s, %s, %s, %s, %s, %s, 1)",
            (login.host, login.port, login.user, login.password, position.file, position.offset),
        )
        self.server.rows("CALL mysql.rds_start_replication()")

    def go_on(self) -> None:
        """Follow whom it was following: while the name was moved to it, it may have come to itself, and stopped."""
        status = self.instance.replica_status()
        if status is not None and "No" in {status["Replica_IO_Running"], status["Replica_SQL_Running"]}:
            if status["Replica_IO_Running"] != status["Replica_SQL_Running"]:
                self.server.rows("CALL mysql.rds_stop_replication()")
            self.server.rows("CALL mysql.rds_start_replication()")

    def detach(self) -> None:
        """Follow nobody any more, and forget who it was."""
        status = self.instance.replica_status()
        if status is None:
            return
        if not status["Replica_IO_Running"] == status["Replica_SQL_Running"] == "No":
            self.server.rows("CALL mysql.rds_stop_replication()")
        self.server.rows(f"CALL mysql.rds_reset_external_{self._word}()")

    def close(self) -> None:
        """End our own connection."""
        self.instance.close()

    @property
    def _word(self) -> str:
        is_old = not self.instance.dialect.is_mariadb and self.instance.dialect.version < (8, 0, 0)
        return "master" if is_old else "source"

    def _roles(self) -> list[tuple[str, str]]:
        """Roles, and to whom each is granted. MariaDB's have no host, and only who is active in one has its privileges."""
        if self.instance.dialect.is_mariadb or self.instance.dialect.version < (8, 0, 0):
            return []
        rows = self.server.rows("SELECT FROM_USER, FROM_HOST, TO_USER, TO_HOST FROM mysql.role_edges")
        return [(f"{role}@{at}", f"{user}@{host}") for role, at, user, host in rows]


class SwitchedSource(Side):
    """Implements ``cutover.Source``."""

    def __init__(self, login: Login, answer_s: float) -> None:
        super().__init__(login, answer_s)
        self._fenced = False
        self._past: set[str] = set()

    def prepare(self) -> None:
        """Know before the window whose connections the fence must end."""
        super().prepare()
        self._past = self.past_read_only()

    def fence(self) -> None:
        """Refuse writes; who writes past that loses the connection, and may not have another one open in the window."""
        self._fenced = True
        self.set_read_only(True)
        if self._past:
            self.end([one for one in self.connections() if one[1] in self._past])

    def unfence(self) -> None:
        """Let everybody write."""
        self.set_read_only(False)
        self._fenced = False

    def position(self) -> Position:
        """How far its binlog reaches, and whether the fence stands: a restart takes it away."""
        found = self.instance.position()
        if self._fenced and not self.is_read_only():
            raise CutOverReturned("the source takes writes again: it restarted, or somebody set its read_only")
        return found

    def end_all(self) -> dict[str, int]:
        """End what is connected, so that it connects by the name again. Returns how many of each ``user@host`` there were."""
        found = self.connections()
        self.end(found)
        return dict(Counter(f"{user}@{host}" for _, user, host in found))


class SwitchedTarget(Side):
    """Implements ``cutover.Target``."""

    def shut(self) -> None:
        """Refuse writes from now on; what it replicates is not concerned. Never of one that has taken over."""
        self.set_read_only(True)

    def wait(self, position: Position, within_s: float) -> None:
        """Return when it has done all up to there. The server tells at once, whatever the unit of its timeout."""
        self.instance.wait(position, within_s)

    def position(self) -> Position:
        """How far its own binlog reaches."""
        return self.instance.position()

    def open(self) -> None:
        """Let applications write."""
        self.set_read_only(False)
