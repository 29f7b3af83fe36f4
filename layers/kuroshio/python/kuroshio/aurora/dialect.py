"""What the same thing is called on MySQL 5.7, 8.0, 8.4, 9 and MariaDB.

MySQL renamed masters and slaves step by step and removed the old words in 8.4; MariaDB keeps them, and answers even
``SHOW REPLICA STATUS`` with columns of the old names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# The schemas that are MySQL's and RDS's own, as SQL takes a list.
OWN_SCHEMAS = "('mysql', 'information_schema', 'performance_schema', 'sys', 'rdsadmin')"

_NUMBERS = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?")


@dataclass(frozen=True)
class Dialect:
    """Of one server, by what ``SELECT VERSION()`` says."""

    version: tuple[int, int, int]
    is_mariadb: bool

    @classmethod
    def of(cls, version: str) -> Dialect:
        """Versions read ``8.0.36``, ``5.7.12-log``, ``11.8.3-MariaDB-0+deb13u1``."""
        found = _NUMBERS.search(version)
        numbers = (0, 0, 0) if found is None else tuple(int(part or 0) for part in found.groups())
        return cls((numbers[0], numbers[1], numbers[2]), "mariadb" in version.lower())

    @property
    def source_status(self) -> str:
        """The statement that tells how far this server's own binlog reaches."""
        return "SHOW BINARY LOG STATUS" if self._since(8, 4) else "SHOW MASTER STATUS"

    @property
    def replica_status(self) -> str:
        """The statement that tells how this server follows another; ``normalised`` reads its columns."""
        return "SHOW REPLICA STATUS" if self._since(8, 0, 22) else "SHOW SLAVE STATUS"

    @property
    def wait_for_position(self) -> str:
        """The function that waits on a replica: file, offset, seconds."""
        return "SOURCE_POS_WAIT" if self._since(8, 0, 26) else "MASTER_POS_WAIT"

    @property
    def checksum_variable(self) -> str:
        """The session variable by which who reads a binlog says that it knows about checksums."""
        return "@source_binlog_checksum" if self._since(8, 4) else "@master_binlog_checksum"

    @property
    def set_source(self) -> str:
        """RDS's procedure that names a source, a position and an account to a replica."""
        return f"mysql.rds_set_external_{self._source}"

    @property
    def reset_source(self) -> str:
        """RDS's procedure that lets a replica follow nobody."""
        return f"mysql.rds_reset_external_{self._source}"

    @property
    def lock_waits(self) -> str:
        """Pairs of connections: one that waits for a lock of InnoDB, and one that holds it."""
        if self._since(8):
            return (
                "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM performance_schema.data_lock_waits w "
                "JOIN information_schema.INNODB_TRX r ON r.trx_id = w.REQUESTING_ENGINE_TRANSACTION_ID "
                "JOIN information_schema.INNODB_TRX b ON b.trx_id = w.BLOCKING_ENGINE_TRANSACTION_ID"
            )
        return (
            "SELECT r.trx_mysql_thread_id, b.trx_mysql_thread_id FROM information_schema.INNODB_LOCK_WAITS w "
            "JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id "
            "JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id"
        )

    @property
    def _source(self) -> str:
        return "source" if self._since(8) else "master"

    def _since(self, *version: int) -> bool:
        return not self.is_mariadb and self.version >= version


def normalised(status: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a replica's status by the new words: ``Source_Log_File``, ``Replica_SQL_Running``."""
    return {name.replace("Slave", "Replica").replace("Master", "Source"): value for name, value in status.items()}
