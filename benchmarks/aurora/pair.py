"""A source and its clone for measurements: real servers, the clone a frozen copy of the source's files that follows."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.adapters.mysql import Login, Server
from kuroshio.adapters.replication import Instance, Replication
from lab import engine as engines
from lab.databases import server as databases
from lab.databases.authority import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kuroshio.aurora.position import Position

_OWNER = 999  # the user in the servers' image
LABEL = "kuroshio-bench-databases"
# Room for all data and little disk, so that what is measured is what the servers compute.
OPTIONS = (
    *databases.BINLOG,
    "--innodb-buffer-pool-size=2G",
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-log-file-size=512M",
    "--sync-binlog=0",
    "--max-connections=200",
)


@dataclass
class Pair:
    """The two servers, and where the clone began."""

    source: databases.Server
    clone: databases.Server
    authority: Authority
    seed: Position

    def login(self, of: databases.Server) -> Login:
        """As root, with the lab's authority."""
        return Login("127.0.0.1", of.port, "root", "", self.authority.bundle)

    @property
    def logins(self) -> tuple[Login, Login]:
        """Of source and clone."""
        return self.login(self.source), self.login(self.clone)

    @contextmanager
    def connected(self) -> Iterator[tuple[Server, Server]]:
        """A connection to each."""
        found = Server(self.login(self.source)), Server(self.login(self.clone))
        try:
            yield found
        finally:
            for each in found:
                each.close()

    def replication(self, within_s: float = 300) -> Replication:
        """What tells whether the clone has caught up."""
        return Replication(Instance(self.login(self.source)), Instance(self.login(self.clone)), within_s)

    def catch_up(self) -> None:
        """Return when the clone has done what the source has written by now."""
        replication = self.replication()
        replication.wait(replication.mark())


@contextmanager
def pair(folder: Path, schema: Sequence[str]) -> Iterator[Pair]:
    """Execute ``schema`` on a new source, clone it, and let the clone follow. Raises EngineError without an engine."""
    engine = engines.find()
    databases.build(engine)
    authority = Authority.new(folder / "authority")
    source, clone = (
        databases.Server(engine, LABEL, name, folder / name, number, options=OPTIONS)
        for number, name in enumerate(("source", "clone"), 21)
    )
    try:
        source.start(authority)
        source.administer("CREATE USER root@'%'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION")
        for statement in schema:
            source.administer(statement)
        source.stop()
        _copy(source.data, clone.data)
        for server in (source, clone):
            server.start(authority)
        seed = Instance(Login("127.0.0.1", source.port, "root", "", authority.bundle)).position()
        found = Pair(source, clone, authority, seed)
        _follow(found)
        yield found
    finally:
        engine.kill(*(server.container for server in (source, clone) if server.container))
        shutil.rmtree(folder, ignore_errors=True)


def _copy(data: Path, to: Path) -> None:
    shutil.copytree(data, to)
    for path in (to, *to.rglob("*")):
        shutil.chown(path, _OWNER, _OWNER)


def _follow(pair: Pair) -> None:
    with pair.connected() as (_, clone):
        clone.rows(
            "CHANGE MASTER TO MASTER_HOST=%s, MASTER_PORT=3306, MASTER_USER='root', MASTER_PASSWORD='', MASTER_SSL=1, "
            "MASTER_SSL_VERIFY_SERVER_CERT=0, MASTER_LOG_FILE=%s, MASTER_LOG_POS=%s, MASTER_USE_GTID=no",
            (pair.source.address(), pair.seed.file, pair.seed.offset),
        )
        clone.rows("START SLAVE")
