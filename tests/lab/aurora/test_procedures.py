"""RDS's procedures on real servers, called by an administrator who has no SUPER."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance
from kuroshio.errors import AccessRefused, RequestRefused
from lab.engine import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Pair

    from kuroshio.adapters.mysql import Login

PASSWORD = "administers"  # as the fixture "prepared" made it


class Administered:
    """A source and a clone whose administrator may follow it."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.root = Server(pair.login(pair.source)), Server(pair.login(pair.clone))
        self.source = Server(self.login(pair.login(pair.source)))
        self.clone = Server(self.login(pair.login(pair.clone)))
        pair.both(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY, v INT)",
        )
        self.begin = Instance(self.login(pair.login(pair.source))).position()

    @staticmethod
    def login(root: Login) -> Login:
        return replace(root, user="admin", password=PASSWORD)

    def configure(self, **changes: object) -> None:
        arguments = {
            "host": self.pair.source.address(),
            "port": 3306,
            "user": "admin",
            "password": PASSWORD,
            "file": self.begin.file,
            "offset": self.begin.offset,
            "tls": 1,
        } | changes
        self.clone.rows("CALL mysql.rds_set_external_source(%s, %s, %s, %s, %s, %s, %s)", tuple(arguments.values()))

    def start(self) -> list[tuple[object, ...]]:
        return self.clone.rows("CALL mysql.rds_start_replication()")

    def caught_up(self) -> None:
        instance = Instance(self.login(self.pair.login(self.pair.clone)))
        instance.wait(Instance(self.login(self.pair.login(self.pair.source))).position(), 20)

    def stops_at_an_error(self) -> None:
        eventually(lambda: self.status()["Slave_SQL_Running"] == "No")

    def status(self) -> dict[str, object]:
        return self.clone.named("SHOW REPLICA STATUS")[0]

    def ids(self) -> list[object]:
        return [row[0] for row in self.clone.rows("SELECT id FROM shop.orders ORDER BY id")]


@pytest.fixture
def world(prepared: Pair) -> Iterator[Administered]:
    world = Administered(prepared)
    try:
        yield world
    finally:
        world.root[1].rows("STOP SLAVE")
        world.root[1].rows("RESET SLAVE ALL")
        world.root[1].rows("SET GLOBAL read_only = 0")
        for server in (*world.root, world.source, world.clone):
            server.close()


def eventually(look: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not look():
        assert time.monotonic() < until
        time.sleep(0.05)


def purged_to(server: Server, file: str) -> bool:
    server.rows("PURGE BINARY LOGS TO %s", (file,))
    return bool(server.rows("SHOW BINARY LOGS")[0][0] == file)


def refused(server: Server, statement: str, words: str) -> None:
    with pytest.raises(RequestRefused) as raised:
        server.rows(statement)
    assert str(raised.value).endswith(f"MySQL 1644: {words}")


def test_an_administrator_follows_by_procedures_and_by_nothing_else(world: Administered) -> None:
    with pytest.raises(AccessRefused, match="1227"):
        world.clone.rows("CHANGE MASTER TO MASTER_HOST = 'x'")
    with pytest.raises(AccessRefused, match="1227"):
        world.clone.rows("SET GLOBAL read_only = 1")
    world.configure()
    assert world.start() == [("Slave running normally.",)]
    world.source.rows("INSERT INTO shop.orders VALUES (1, 1), (2, 2)")
    world.caught_up()
    assert world.ids() == [1, 2]
    assert world.status()["Master_SSL_Allowed"] == "Yes"


def test_procedures_refuse_in_the_words_of_rds(world: Administered) -> None:
    configure_first = "isn't configured. First call mysql.rds_set_external_master."
    skip = "CALL mysql.rds_skip_repl_error()"
    refused(world.clone, skip, f"You can't skip a replication error because the replica {configure_first}")
    refused(
        world.clone,
        "CALL mysql.rds_start_replication()",
        f"You can't start replication because the replica {configure_first}",
    )
    stopped = "Slave is already stopped or may not be configured. Run SHOW SLAVE STATUS\\G;"
    refused(world.clone, "CALL mysql.rds_stop_replication()", stopped)
    world.configure()
    refused(world.clone, skip, "Slave is down or disabled.")
    world.start()
    refused(world.clone, skip, "Slave is running normally.  No errors detected to skip.")
    with pytest.raises(RequestRefused, match="You can't modify replication because replication is running"):
        world.configure()
    assert world.clone.rows("CALL mysql.rds_stop_replication()") == [("Slave is down or disabled",)]
    with pytest.raises(RequestRefused, match="1064"):
        world.configure(host=None)


def test_a_skip_loses_the_whole_transaction(world: Administered) -> None:
    world.clone.rows("INSERT INTO shop.orders VALUES (2, 0)")
    world.configure()
    world.start()
    world.source.rows("INSERT INTO shop.orders VALUES (1, 1), (2, 2), (3, 3)")
    world.source.rows("INSERT INTO shop.orders VALUES (4, 4)")
    world.stops_at_an_error()
    assert world.status()["Last_SQL_Errno"] == 1062
    assert world.clone.rows("CALL mysql.rds_skip_repl_error()") == [("Slave is now running normally",)]
    world.caught_up()
    assert world.ids() == [2, 4]
    actions = [row[0] for row in world.clone.rows("SELECT action FROM mysql.rds_history ORDER BY action_timestamp")]
    assert "skip_repl_error:OK" in actions


def test_the_error_of_a_skip_that_finds_another_comes_behind_its_first_result(world: Administered) -> None:
    world.clone.rows("INSERT INTO shop.orders VALUES (1, 0), (2, 0)")
    world.configure()
    world.start()
    world.source.rows("INSERT INTO shop.orders VALUES (1, 1)")
    world.source.rows("INSERT INTO shop.orders VALUES (2, 2)")
    world.stops_at_an_error()
    new = "Slave has encountered a new error. Please use SHOW SLAVE STATUS to see the error."
    refused(world.clone, "CALL mysql.rds_skip_repl_error()", new)
    assert world.clone.rows("CALL mysql.rds_skip_repl_error()") == [("Slave is now running normally",)]


def test_a_position_that_was_purged_is_1236_and_the_next_log_goes_on_with_a_loss(world: Administered) -> None:
    world.configure()
    world.source.rows("INSERT INTO shop.orders VALUES (1, 1)")
    world.root[0].rows("FLUSH BINARY LOGS")
    second = Instance(world.login(world.pair.login(world.pair.source))).position()
    # MariaDB keeps what a replica has not read, or still reads: that of an earlier test may not have ended.
    world.root[0].rows("SET GLOBAL slave_connections_needed_for_purge = 0")
    eventually(lambda: purged_to(world.root[0], second.file))
    world.source.rows("INSERT INTO shop.orders VALUES (2, 2)")
    world.start()
    eventually(lambda: world.status()["Last_IO_Errno"] == 1236)
    world.clone.rows("CALL mysql.rds_next_source_log(%s)", (world.begin.number,))
    world.caught_up()
    assert world.ids() == [2]


def test_a_setting_of_another_name_is_silently_none(world: Administered) -> None:
    def retention() -> object:
        return next(
            row[1]
            for row in world.clone.rows("CALL mysql.rds_show_configuration()")
            if row[0] == "binlog retention hours"
        )

    world.clone.rows("CALL mysql.rds_set_configuration('binlog retention hours', 72)")
    world.clone.rows("CALL mysql.rds_set_configuration('Binlog Retention Hours', 5)")
    world.clone.rows("CALL mysql.rds_set_configuration('binlog retention', 5)")
    assert retention() == "72"
    words = "For binlog retention hours the value must be between 1 and 2160 inclusive or be NULL"
    refused(world.clone, "CALL mysql.rds_set_configuration('binlog retention hours', 0)", words)
    world.clone.rows("CALL mysql.rds_set_configuration('binlog retention hours', NULL)")
    assert retention() is None


def test_read_only_holds_for_the_administrator_and_connections_can_be_ended(world: Administered) -> None:
    world.clone.rows("CALL mysql.rds_set_read_only(1)")
    with pytest.raises(RequestRefused, match="1290"):
        world.clone.rows("INSERT INTO shop.orders VALUES (1, 1)")
    world.clone.rows("CALL mysql.rds_set_read_only(0)")
    victim = Server(world.login(world.pair.login(world.pair.clone)))
    number = victim.rows("SELECT CONNECTION_ID()")[0][0]
    world.clone.rows("CALL mysql.rds_kill(%s)", (number,))
    eventually(lambda: (number,) not in world.clone.rows("SELECT id FROM information_schema.PROCESSLIST"))
    victim.close()


def test_what_procedures_write_down_is_not_in_the_binlog(world: Administered) -> None:
    instance = Instance(world.login(world.pair.login(world.pair.clone)))
    before = instance.position()
    world.clone.rows("CALL mysql.rds_set_configuration('binlog retention hours', 24)")
    world.configure()
    world.clone.rows("CALL mysql.rds_reset_external_source()")
    assert instance.position() == before
    instance.close()


def test_the_owner_of_the_procedures_cannot_log_in(world: Administered) -> None:
    with pytest.raises(EngineError, match="4151"):
        world.pair.clone.engine.execute(
            world.pair.clone.container,
            ["mariadb", "--no-defaults", "-urdsadmin", "--socket=/run/mysqld/mysqld.sock", "-e", "SELECT 1"],
        )
