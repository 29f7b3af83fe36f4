from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.mysql import Login, Server
from kuroshio.adapters.replication import Instance
from lab import engine as engines
from lab.databases import flavour as flavours
from lab.databases import server as databases
from lab.databases.authority import Authority
from lab.rds import administration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LABEL = "kuroshio-test-databases"


@dataclass
class Pair:
    """Two servers that hold the same, and nothing between them."""

    source: databases.Server
    clone: databases.Server
    authority: Authority

    def login(self, of: databases.Server) -> Login:
        return Login("127.0.0.1", of.port, "root", "", self.authority.bundle)

    def both(self, *statements: str) -> None:
        for each in (self.source, self.clone):
            server = Server(self.login(each))
            for statement in statements:
                server.rows(statement)
            server.close()


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    engine = engines.find()
    flavour = flavours.chosen()
    databases.build(engine, flavour)
    folder: Path = tmp_path_factory.mktemp("databases")
    authority = Authority.new(folder / "authority")
    servers = [
        databases.Server(engine, LABEL, name, folder / name, number, options=flavour.binlog, flavour=flavour)
        for number, name in enumerate(("source", "clone"), 11)
    ]
    try:
        for server in servers:
            server.start(authority)
            _open_to_us(server)
        yield Pair(*servers, authority)
    finally:
        engine.kill(*(server.container for server in servers if server.container))


def _open_to_us(server: databases.Server) -> None:
    server.administer(
        "SET SESSION sql_log_bin = 0; CREATE USER root@'%'; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION"
    )


@pytest.fixture(scope="session")
def prepared(pair: Pair) -> Pair:
    """Both with RDS's procedures and an administrator, once: modules share the servers, and a user is made only once."""
    for server in (pair.source, pair.clone):
        administration.install(server, "admin", "administers")
    return pair


@pytest.fixture
def following(pair: Pair) -> Iterator[Pair]:
    """The clone follows the source, from an empty schema ``live`` on."""
    clone, source = Server(pair.login(pair.clone)), Server(pair.login(pair.source))
    pair.both("DROP DATABASE IF EXISTS live", "CREATE DATABASE live")
    begin = Instance(pair.login(pair.source)).position()
    words = ("REPLICATION SOURCE", "SOURCE", "AUTO_POSITION=0")
    if pair.clone.flavour is flavours.MARIADB:
        words = ("MASTER", "MASTER", "USE_GTID=no")
    change, source_, gtid = words
    clone.rows(
        f"CHANGE {change} TO {source_}_HOST=%s, {source_}_PORT=3306, {source_}_USER='root', {source_}_PASSWORD='', {source_}_SSL=1, "
        f"{source_}_SSL_VERIFY_SERVER_CERT=0, {source_}_LOG_FILE=%s, {source_}_LOG_POS=%s, {source_}_{gtid}",
        (pair.source.address(), begin.file, begin.offset),
    )
    clone.rows("START REPLICA")
    try:
        yield pair
    finally:
        clone.rows("STOP REPLICA")
        clone.rows("RESET REPLICA ALL")
        clone.close()
        source.close()
