"""``follow_source`` on real servers: configured, started, watched, mended, skipped, let go."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance
from kuroshio.errors import FollowRefused
from tests.fakes.binlog_files import cut
from tests.lab.aurora.dying import Fate
from tests.lab.aurora.followed import Followed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.adapters.mysql import Login
    from lab.databases import server as databases
    from tests.lab.aurora.conftest import Pair

PASSWORD = "administers"  # as the fixture "prepared" made it


class World(Followed):
    """Two servers, an administrator without SUPER, and a replication account."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.root = Server(pair.login(pair.source)), Server(pair.login(pair.clone))
        super().__init__(
            lambda: self.login(pair.source),
            lambda: self.login(pair.clone),
            pair.source.address(),
            lambda: 3306,
            ("kuroshio", "first"),
        )
        pair.both(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY, v INT)",
        )
        self.change_account("first")
        source = Instance(pair.login(pair.source))
        self.begin = source.position()
        source.close()
        self.begin_at(self.begin)

    def login(self, of: databases.Server) -> Login:
        return replace(self.pair.login(of), user="admin", password=PASSWORD)

    def change_account(self, password: str) -> None:
        self.root[0].rows("SET SESSION sql_log_bin = 0")
        self.root[0].rows("DROP USER IF EXISTS kuroshio@'%'")
        self.root[0].rows("CREATE USER kuroshio@'%%' IDENTIFIED BY %s REQUIRE SSL", (password,))
        self.root[0].rows("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO kuroshio@'%'")
        self.root[0].rows("SET SESSION sql_log_bin = 1")

    def ids(self) -> list[int]:
        return [int(row[0]) for row in self.root[1].rows("SELECT id FROM shop.orders ORDER BY id")]

    def insert(self, *ids: int) -> None:
        for number in ids:
            self.root[0].rows("INSERT INTO shop.orders VALUES (%s, %s)", (number, number))


@pytest.fixture
def world(prepared: Pair) -> Iterator[World]:
    world = World(prepared)
    try:
        yield world
    finally:
        world.root[1].rows("CALL mysql.rds_reset_external_source()")
        for server in world.root:
            server.close()


def test_it_follows_from_the_seed_and_says_so(world: World) -> None:
    world.insert(1, 2)
    world.do("configure")
    world.do("start")
    found = world.done()
    assert found == found | {
        "behind_bytes": 0,
        "behind_transactions": 0,
        "trouble": None,
        "may_skip": False,
        "wait_s": 1,
    }
    assert world.ids() == [1, 2]


def test_every_step_may_be_done_twice(world: World) -> None:
    for step in ("configure", "configure", "start", "configure", "start", "stop", "stop", "start", "detach", "detach"):
        assert world.do(step) == {}
    with pytest.raises(FollowRefused, match="follows nobody yet"):
        world.do("start")
    assert world.do("watch")["state"] == "detached"


def test_a_clone_that_was_detached_goes_on_where_it_stood(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.insert(1, 2)
    world.done()
    world.do("detach")
    world.insert(3)
    world.do("configure")
    world.do("start")
    world.done()
    assert world.ids() == [1, 2, 3]


def test_what_lies_behind_is_counted_in_transactions_and_its_age(world: World) -> None:
    world.do("configure")
    world.insert(*range(1, 21))
    found = world.do("watch")
    assert (found["state"], found["behind_transactions"]) == ("stopped", 20)
    assert found["behind_bytes"] > 20 * 100
    assert 0 <= found["behind_s"] < 60


def test_another_position_or_source_is_refused(world: World) -> None:
    root = world.root[1]
    root.rows("CALL mysql.rds_set_external_source('elsewhere', 3306, 'x', 'y', %s, 4, 1)", (world.begin.file,))
    with pytest.raises(FollowRefused, match="follows elsewhere:3306"):
        world.do("configure")
    address = world.pair.source.address()
    root.rows("CALL mysql.rds_set_external_source(%s, 3306, 'x', 'y', %s, 4, 1)", (address, world.begin.file))
    with pytest.raises(FollowRefused, match="from another position"):
        world.do("configure")


def test_one_that_somebody_reset_is_not_configured_from_the_seed_again(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.insert(1)
    world.done()
    world.root[1].rows("CALL mysql.rds_reset_external_source()")
    with pytest.raises(FollowRefused, match="somebody reset it"):
        world.do("configure")


def test_an_error_is_told_and_skipped_only_as_allowed_with_all_that_is_lost(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.root[1].rows("INSERT INTO shop.orders VALUES (2, 0)")
    world.root[0].rows("INSERT INTO shop.orders VALUES (1, 1), (2, 2), (3, 3)")
    world.insert(4)
    found = world.watch_until(lambda found: found["state"] == "broken")
    assert (found["trouble"]["number"], found["may_skip"]) == (1062, False)
    assert "Verify the table" in found["reason"]
    with pytest.raises(FollowRefused, match="1062 not pass"):
        world.do("skip")
    assert world.ledger.all("shop-next", "skip#") == []
    world.allow(1062)
    assert world.do("watch")["may_skip"]
    assert world.do("skip") == {"skipped": 1}
    assert world.do("skip") == {"skipped": 0}
    world.done()
    assert world.ids() == [2, 4]
    (skip,) = world.ledger.all("shop-next", "skip#")
    assert skip["transaction"].splitlines() == [f"INSERT shop.orders id={n}, v={n}" for n in (1, 2, 3)]
    assert skip["tables"] == ["shop.orders"]
    assert world.ledger.read("shop-next", "suspect#shop.orders") == {
        "schema": "shop", "table": "orders", "since": skip["position"], "why": "a transaction was skipped"
    }  # fmt: skip


def test_what_is_kept_of_a_skip_is_a_binlog_from_which_the_loss_can_be_made_good(world: World) -> None:
    world.allow(1032)
    world.do("configure")
    world.do("start")
    world.insert(1)
    world.done()
    world.root[1].rows("DELETE FROM shop.orders")
    world.root[0].rows("UPDATE shop.orders SET v = 77 WHERE id = 1")
    world.watch_until(lambda found: found["may_skip"])
    world.do("skip")
    world.root[1].rows("INSERT INTO shop.orders VALUES (1, 1)")
    (content,) = world.files.values()
    # What mysqlbinlog prints: the format, and the events of tables and rows.
    events = [base64.b64encode(packet).decode() for packet in cut(content) if packet[4] in {15, *range(19, 33)}]
    world.root[1].rows("BINLOG %s", ("\n".join(events),))
    assert world.root[1].rows("SELECT v FROM shop.orders") == [(77,)]


def test_not_more_are_skipped_than_the_request_says(world: World) -> None:
    world.allow(1062, most=1)
    world.do("configure")
    world.do("start")
    world.root[1].rows("INSERT INTO shop.orders VALUES (1, 0), (2, 0)")
    world.insert(1, 2)
    world.watch_until(lambda found: found["may_skip"])
    assert world.do("skip") == {"skipped": 1}
    found = world.watch_until(lambda found: found["state"] == "broken")
    assert not found["may_skip"]
    with pytest.raises(FollowRefused, match="1 skipped so far"):
        world.do("skip")


def test_a_password_that_was_changed_is_taken_up_from_exactly_where_it_stands(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.insert(1)
    world.done()
    world.change_account("second")
    world.root[1].rows("STOP REPLICA IO_THREAD")
    world.root[1].rows("START REPLICA IO_THREAD")
    world.insert(2)
    found = world.watch_until(lambda found: found["state"] == "broken")
    assert found["trouble"]["number"] == 1045
    world.account = ("kuroshio", "second")
    world.done()
    assert world.ids() == [1, 2]
    assert any("password of kuroshio was changed" in words for words in world.told())


def test_one_that_a_person_stopped_stays_stopped(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.done()
    world.root[1].rows("CALL mysql.rds_stop_replication()")
    assert world.do("watch")["state"] == "stopped"
    assert world.do("watch")["state"] == "stopped"


def test_what_somebody_writes_on_the_clone_is_counted(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.insert(1)
    assert world.done()["strange"] == 0
    world.root[1].rows("INSERT INTO shop.orders VALUES (99, 0)")
    assert world.do("watch")["strange"] == 1
    assert world.do("watch")["strange"] == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_function_that_is_killed_at_any_call_is_simply_started_again(world: World, after: bool) -> None:
    written = 0
    for step in ("configure", "start", "watch", "stop", "start", "detach", "configure", "start"):
        written += 1
        world.insert(written)
        at = 1
        while world.killed_at(step, Fate(at, after)):
            at += 1
        assert at > 2
    world.done()
    assert world.ids() == list(range(1, written + 1))


@pytest.mark.parametrize("after", [False, True])
def test_a_function_that_is_killed_at_any_call_of_a_skip_skips_one_and_no_other(world: World, after: bool) -> None:
    world.allow(1062, most=9)
    world.do("configure")
    world.do("start")
    at = 0
    while True:
        at += 1
        bad, good = 2 * at, 2 * at + 1
        world.root[1].rows("INSERT INTO shop.orders VALUES (%s, 0)", (bad,))
        world.root[0].rows("INSERT INTO shop.orders VALUES (%s, 1)", (bad,))
        world.insert(good)
        world.allow(1062, most=at)
        world.watch_until(lambda found: found["may_skip"])
        killed = world.killed_at("skip", Fate(at, after))
        assert world.do("skip")["skipped"] in {0, 1}
        world.done()
        assert len(world.ledger.all("shop-next", "skip#")) == at
        if not killed:
            break
    assert at > 5
    assert world.ids() == list(range(2, 2 * at + 2))
