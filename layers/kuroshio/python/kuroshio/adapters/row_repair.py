"""Rows of a source written onto its clone, while both go on.

A row is locked on the source, the clone awaited at the position that the source then has, and the row written there: no
change of it is on its way meanwhile, so none can meet a row that it does not expect (1062, 1032). The locks are those of a
few rows, for as long as the clone is behind, and never longer than a transaction of an application may wait.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Server
from kuroshio.aurora.verification import fingerprint, rows
from kuroshio.errors import RepairRefused, RequestRefused

if TYPE_CHECKING:
    from kuroshio.adapters.mysql import Login
    from kuroshio.aurora.verification.ports import Follower
    from kuroshio.aurora.verification.spans import Bound
    from kuroshio.aurora.verification.tables import Table

_SESSION = (
    *fingerprint.SESSION[:2],
    # Values go in as they are: no zero becomes the next number, no date is refused.
    "SET SESSION sql_mode = 'NO_BACKSLASH_ESCAPES,NO_AUTO_VALUE_ON_ZERO'",
    # A row that is not there is locked too, by the gap in which it would be: the default level, said aloud.
    "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SET SESSION innodb_lock_wait_timeout = 3",
    # Otherwise removing a row would remove its children on the clone.
    "SET SESSION foreign_key_checks = 0",
)
_READ_ONLY = "MySQL 1290"
_TRIGGERS = (
    "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = %s AND EVENT_OBJECT_TABLE = %s"
)


class SqlRepairs:
    """Implements ``verifying.ports.Repairs``. The clone writes what is repaired into its own binlog: a delta proof sees it."""

    def __init__(self, source: Login, clone: Login) -> None:
        self._source, self._clone = Server(source, session=_SESSION), Server(clone, session=_SESSION)

    def repair(self, table: Table, keys: list[Bound], follower: Follower) -> int:
        """Make these rows on the clone what they are on the source, in one transaction; returns how many they are."""
        self._check(table)
        self._source.rows("START TRANSACTION")
        try:
            found = self._found(table, keys)
            follower.wait(follower.mark())
            self._write(self._planned(table, keys, found))
        finally:
            self._source.rows("ROLLBACK")
        return len(keys)

    def statements(self, table: Table, keys: list[Bound]) -> list[str]:
        """What ``repair`` would execute on the clone as the rows are now."""
        self._check(table)
        self._source.rows("START TRANSACTION")
        try:
            return self._planned(table, keys, self._found(table, keys))
        finally:
            self._source.rows("ROLLBACK")

    def close(self) -> None:
        """End the connections."""
        self._source.close()
        self._clone.close()

    def _check(self, table: Table) -> None:
        name = ".".join(table.label)
        if not table.key:
            raise RepairRefused(f"{name} has no primary key: no statement names a row of it. Copy the table anew")
        triggers = [_text(row[0]) for row in self._clone.rows(_TRIGGERS, table.label)]
        if triggers:
            raise RepairRefused(
                f"{name} has triggers on the clone ({', '.join(triggers)}), which would fire. Drop them there, repair, make them again"
            )

    def _found(self, table: Table, keys: list[Bound]) -> list[list[str]]:
        found = self._source.rows(rows.literals(table, keys))
        return [[_text(value) for value in row] for row in found]

    def _planned(self, table: Table, keys: list[Bound], found: list[list[str]]) -> list[str]:
        return [rows.removal(table, keys), *([rows.insertion(table, found)] if found else [])]

    def _write(self, statements: list[str]) -> None:
        """A clone is read-only until it takes over, which since Aurora 3 does not hold the master user: before that it is opened."""
        try:
            self._execute(statements)
        except RequestRefused as error:
            if _READ_ONLY not in str(error):
                raise
            self._clone.rows("CALL mysql.rds_set_read_only(0)")
            try:
                self._execute(statements)
            finally:
                self._clone.rows("CALL mysql.rds_set_read_only(1)")

    def _execute(self, statements: list[str]) -> None:
        self._clone.rows("START TRANSACTION")
        try:
            for statement in statements:
                self._clone.rows(statement)
        except BaseException:
            self._clone.rows("ROLLBACK")
            raise
        self._clone.rows("COMMIT")


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
