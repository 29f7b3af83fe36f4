"""What preflight asks of the source's writer, in SQL. It reads, and what it may not read is unknown.

``information_schema`` shows an account what it has privileges on and is silent about the rest, so an empty answer means
nothing before it is known that the account sees all.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from kuroshio.adapters.replication import Instance
from kuroshio.adapters.table_catalogue import tables
from kuroshio.aurora.dialect import OWN_SCHEMAS, normalised
from kuroshio.aurora.preflight.facts import SqlFacts, Transaction, Unknown
from kuroshio.errors import PermanentError, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.preflight.facts import Known

T = TypeVar("T")

_ENGINES = f"""
SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME, ' (', COALESCE(ENGINE, 'unknown'), ')') FROM information_schema.TABLES
WHERE TABLE_TYPE = 'BASE TABLE' AND COALESCE(ENGINE, '') <> 'InnoDB' AND TABLE_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1"""  # noqa: S608
_EVENTS = (
    "SELECT CONCAT(EVENT_SCHEMA, '.', EVENT_NAME) FROM information_schema.EVENTS WHERE STATUS = 'ENABLED' ORDER BY 1"
)
_TRIGGERS = f"""
SELECT CONCAT(TRIGGER_SCHEMA, '.', TRIGGER_NAME) FROM information_schema.TRIGGERS
WHERE TRIGGER_SCHEMA NOT IN {OWN_SCHEMAS} ORDER BY 1"""  # noqa: S608
_DEFINERS = tuple(
    f"SELECT '{kind}', CONCAT({kind_schema}, '.', {name}), DEFINER FROM information_schema.{table} "  # noqa: S608
    f"WHERE {kind_schema} NOT IN {OWN_SCHEMAS} ORDER BY 2"
    for kind, table, kind_schema, name in (
        ("view", "VIEWS", "TABLE_SCHEMA", "TABLE_NAME"),
        ("routine", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME"),
        ("trigger", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME"),
        ("event", "EVENTS", "EVENT_SCHEMA", "EVENT_NAME"),
    )
)
_TRANSACTIONS = """
SELECT t.trx_mysql_thread_id, COALESCE(p.USER, ''), TIMESTAMPDIFF(SECOND, t.trx_started, NOW())
FROM information_schema.INNODB_TRX t LEFT JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id
WHERE t.trx_mysql_thread_id NOT IN (0, CONNECTION_ID()) ORDER BY t.trx_started"""
_READERS = "SELECT HOST FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' ORDER BY 1"
_ACCOUNTS = "SELECT User, Host FROM mysql.user ORDER BY 1, 2"
_PRIVILEGES = "SELECT GRANTEE, PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES"
_EDGES = "SELECT FROM_USER, FROM_HOST, TO_USER, TO_HOST FROM mysql.role_edges"
# Of MySQL 5.7, MySQL 8 and MariaDB.
_BEYOND_READ_ONLY = frozenset({"SUPER", "CONNECTION_ADMIN", "READ_ONLY ADMIN"})
_NOBODYS = frozenset(
    {"rdsadmin", "rds_superuser_role", "mysql.sys", "mysql.session", "mysql.infoschema", "mariadb.sys"}
)
_OFF = frozenset({"OFF", "0"})


def sql_facts(login: Login) -> SqlFacts:
    """Ask all of it. Raises ServiceUnavailable where the server does not answer; where it refuses, all is unknown."""
    instance = Instance(login)
    try:
        return _Asked(instance).facts()
    finally:
        instance.close()


class _Asked:
    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._server = instance.server

    def facts(self) -> SqlFacts:
        try:
            user = self._one("SELECT CURRENT_USER()")
        except PermanentError as error:
            return SqlFacts.unreached(str(error))
        return SqlFacts(
            server_name=_known(lambda: self._variables.get("aurora_server_id", "")),
            is_writable=_known(lambda: {self._variable("innodb_read_only"), self._variable("read_only")} <= _OFF),
            user=user,
            cipher=_known(lambda: self._status("SESSION", "Ssl_cipher")),
            log_bin=_known(lambda: self._variable("log_bin") not in _OFF),
            binlog_format=_known(lambda: self._variable("binlog_format").upper()),
            row_image=_known(lambda: self._variable("binlog_row_image").upper()),
            checksum=_known(lambda: self._variable("binlog_checksum")),
            enhanced=_known(lambda: self._status("GLOBAL", "aurora_enhanced_binlog").upper() == "ACTIVE"),
            retention_hours=_known(self._retention),
            gtid_mode=_known(lambda: self._variables.get("gtid_mode", "")),
            follows=_known(self._follows),
            replicas=_known(lambda: tuple(host.rpartition(":")[0] or host for host in self._seen(_READERS, "PROCESS"))),
            without_key=_known(self._without_key),
            other_engines=_known(lambda: self._seen(_ENGINES, "SELECT")),
            events=_known(lambda: self._seen(_EVENTS, "EVENT")),
            triggers=_known(lambda: self._seen(_TRIGGERS, "TRIGGER")),
            filters=_known(self._filters),
            definers=_known(self._definers),
            transactions=_known(self._transactions),
            prepared=_known(lambda: tuple(_text(row[-1]) for row in self._server.rows("XA RECOVER"))),
            accounts=_known(lambda: tuple(each for each in self._accounts if each.rpartition("@")[0] not in _NOBODYS)),
            privileged=_known(self._privileged),
        )

    @cached_property
    def _variables(self) -> dict[str, str]:
        return {str(name).lower(): _text(value) for name, value in self._server.rows("SHOW GLOBAL VARIABLES")}

    @cached_property
    def _granted(self) -> list[tuple[str, str]]:
        return [
            (str(grantee).replace("'", ""), str(privilege)) for grantee, privilege in self._server.rows(_PRIVILEGES)
        ]

    @cached_property
    def _accounts(self) -> list[str]:
        return [f"{_text(user)}@{_text(host)}" for user, host in self._server.rows(_ACCOUNTS)]

    def _variable(self, name: str) -> str:
        if name not in self._variables:
            raise RequestRefused(f"the server has no variable {name}")
        return self._variables[name]

    def _one(self, statement: str) -> str:
        return _text(self._server.rows(statement)[0][0])

    def _status(self, scope: str, name: str) -> str:
        """Of a server that does not know it: nothing."""
        found = self._server.rows(f"SHOW {scope} STATUS LIKE %s", (name,))
        return _text(found[0][1]) if found else ""

    def _need(self, *privileges: str) -> None:
        """Raise RequestRefused where the account would be shown a part and called it all."""
        me = self._one("SELECT CURRENT_USER()")
        mine = {privilege for grantee, privilege in self._granted if grantee == me}
        lacking = sorted(set(privileges) - mine)
        if lacking:
            raise RequestRefused(f"{me} has no global {' and '.join(lacking)}, so it is shown a part only")

    def _seen(self, statement: str, *privileges: str) -> tuple[str, ...]:
        self._need(*privileges)
        return tuple(_text(row[0]) for row in self._server.rows(statement))

    def _retention(self) -> int:
        for name, value, *_ in self._server.rows("CALL mysql.rds_show_configuration"):
            if _text(name) == "binlog retention hours":
                return int(value or 0)
        raise RequestRefused("mysql.rds_show_configuration tells no binlog retention hours")

    def _follows(self) -> tuple[str, ...]:
        found = map(normalised, self._server.named(self._instance.dialect.replica_status))
        return tuple(f"{each['Source_Host']}:{each['Source_Port']}" for each in found)

    def _without_key(self) -> tuple[str, ...]:
        self._need("SELECT")
        return tuple(f"{table.schema}.{table.name}" for table in tables(self._server) if not table.key)

    def _filters(self) -> tuple[str, ...]:
        found = self._server.named(self._instance.dialect.source_status)
        named = ("Binlog_Do_DB", "Binlog_Ignore_DB")
        return tuple(f"{name} = {row[name]}" for row in found for name in named if row.get(name))

    def _definers(self) -> tuple[str, ...]:
        self._need("SELECT", "EVENT", "TRIGGER")
        there = set(self._accounts)
        found = [row for statement in _DEFINERS for row in self._server.rows(statement)]
        return tuple(f"{kind} {name} of {_text(who)}" for kind, name, who in found if _text(who) not in there)

    def _transactions(self) -> tuple[Transaction, ...]:
        found = self._server.rows(_TRANSACTIONS)  # refused without PROCESS
        return tuple(Transaction(int(thread), _text(user), int(seconds)) for thread, user, seconds in found)

    def _privileged(self) -> tuple[str, ...]:
        self._need("SELECT")
        direct = {grantee for grantee, privilege in self._granted if privilege in _BEYOND_READ_ONLY}
        edges: list[tuple[str, str]] = []
        if not self._instance.dialect.is_mariadb and self._instance.dialect.version >= (8, 0, 0):
            edges = [(f"{role}@{at}", f"{user}@{host}") for role, at, user, host in self._server.rows(_EDGES)]
        return tuple(sorted(each for each in holders(direct, edges) if each.rpartition("@")[0] not in _NOBODYS))


def holders(direct: Iterable[str], edges: Iterable[tuple[str, str]]) -> set[str]:
    """Who has it directly or by a role, which may have it by another. ``edges``: a role, and to whom it is granted."""
    found, known = set(direct), list(edges)
    while more := {to for role, to in known if role in found} - found:
        found |= more
    return found


def _known(ask: Callable[[], T]) -> Known[T]:
    try:
        return ask()
    except PermanentError as error:
        return Unknown(str(error))


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
