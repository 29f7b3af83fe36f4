"""``follow_source`` on real servers: configured, started, watched, mended, skipped, let go."""

from __future__ import annotations

import base64
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.following_sides import SqlClone, SqlSource
from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance
from kuroshio.aurora.following import Following
from kuroshio.aurora.request import ErrorPolicy, ReplicateRequest
from kuroshio.aurora.seed import Seed
from kuroshio.aurora.sides import NoFigures, Origin
from kuroshio.errors import AccessRefused, FollowRefused
from tests.fakes.aurora_ledger import InMemoryAuroraLedger
from tests.fakes.binlog_files import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.adapters.mysql import Login
    from tests.lab.aurora.conftest import Pair

PASSWORD = "administers"  # as the fixture "prepared" made it
REQUEST = ReplicateRequest("shop", "shop-next")


@dataclass
class World:
    """Two servers, an administrator without SUPER, and a replication account. Implements ``sides.Sides``."""

    pair: Pair
    account: str = "first"
    secret: str = "first"
    ledger: InMemoryAuroraLedger = field(default_factory=InMemoryAuroraLedger)
    files: dict[str, bytes] = field(default_factory=dict)
    request: ReplicateRequest = REQUEST

    def __post_init__(self) -> None:
        self.root = Server(self.pair.login(self.pair.source)), Server(self.pair.login(self.pair.clone))
        self.pair.both(
            "DROP DATABASE IF EXISTS shop",
            "CREATE DATABASE shop",
            "CREATE TABLE shop.orders (id INT PRIMARY KEY, v INT)",
        )
        self.change_account("first")
        begin = Instance(self.pair.login(self.pair.source))
        self.begin = begin.position()
        begin.close()
        self.ledger.create("shop-next", "seed", Seed(self.begin, datetime.now(UTC), "told").document())
        self.function = Following(self, self.ledger, self, NoFigures(), lambda: datetime.now(UTC))

    def login(self, of: Any) -> Login:
        return replace(self.pair.login(of), user="admin", password=PASSWORD)

    @contextmanager
    def clone(self, _: ReplicateRequest) -> Iterator[SqlClone]:
        with closing(SqlClone(self.login(self.pair.clone))) as clone:
            yield clone

    @contextmanager
    def source(self, _: ReplicateRequest) -> Iterator[SqlSource]:
        with closing(SqlSource(self.login(self.pair.source))) as source:
            yield source

    def origin(self, _: ReplicateRequest) -> Origin:
        return Origin(self.pair.source.address(), 3306, "kuroshio", self.secret)

    def takes(self, origin: Origin) -> bool:
        login = replace(self.pair.login(self.pair.source), user=origin.user, password=origin.password)
        with closing(Server(login)) as server:
            try:
                server.rows("SELECT 1")
            except AccessRefused:
                return False
        return True

    def put(self, key: str, content: bytes) -> str:
        self.files.setdefault(key, content)
        return f"s3://kept/{key}"

    def change_account(self, password: str) -> None:
        self.root[0].rows("SET SESSION sql_log_bin = 0")
        self.root[0].rows("CREATE OR REPLACE USER kuroshio@'%%' IDENTIFIED BY %s REQUIRE SSL", (password,))
        self.root[0].rows("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO kuroshio@'%'")
        self.root[0].rows("SET SESSION sql_log_bin = 1")

    def do(self, step: str) -> dict[str, Any]:
        return self.function.run({"step": step, "request": self.request.document(), "run": "run-1"})

    def watch_until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        until = time.monotonic() + 30
        while not holds(found := self.do("watch")):
            assert time.monotonic() < until, found
            time.sleep(0.1)
        return found

    def caught_up(self) -> dict[str, Any]:
        return self.watch_until(lambda found: found["state"] == "caught-up")

    def ids(self) -> list[int]:
        return [int(row[0]) for row in self.root[1].rows("SELECT id FROM shop.orders ORDER BY id")]

    def insert(self, *ids: int) -> None:
        for number in ids:
            self.root[0].rows("INSERT INTO shop.orders VALUES (%s, %s)", (number, number))

    def allow(self, *numbers: int, most: int = 5) -> None:
        self.request = replace(self.request, errors=ErrorPolicy("skip", numbers, most))


@pytest.fixture
def world(prepared: Pair) -> Iterator[World]:
    world = World(prepared)
    try:
        yield world
    finally:
        world.root[1].rows("STOP SLAVE")
        world.root[1].rows("RESET SLAVE ALL")
        for server in world.root:
            server.close()


def test_it_follows_from_the_seed_and_says_so(world: World) -> None:
    world.insert(1, 2)
    world.do("configure")
    world.do("start")
    found = world.caught_up()
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
    world.caught_up()
    world.do("detach")
    world.insert(3)
    world.do("configure")
    world.do("start")
    world.caught_up()
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
    world.caught_up()
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
    world.caught_up()
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
    world.caught_up()
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
    world.caught_up()
    world.change_account("second")
    world.root[1].rows("STOP SLAVE IO_THREAD")
    world.root[1].rows("START SLAVE IO_THREAD")
    world.insert(2)
    found = world.watch_until(lambda found: found["state"] == "broken")
    assert found["trouble"]["number"] == 1045
    world.secret = "second"
    world.caught_up()
    assert world.ids() == [1, 2]
    assert any("password" in event["what"] for event in world.ledger.all("shop-next", "event#"))


def test_one_that_a_person_stopped_stays_stopped(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.caught_up()
    world.root[1].rows("STOP SLAVE")
    assert world.do("watch")["state"] == "stopped"
    assert world.do("watch")["state"] == "stopped"


def test_what_somebody_writes_on_the_clone_is_counted(world: World) -> None:
    world.do("configure")
    world.do("start")
    world.insert(1)
    assert world.caught_up()["strange"] == 0
    world.root[1].rows("INSERT INTO shop.orders VALUES (99, 0)")
    assert world.do("watch")["strange"] == 1
    assert world.do("watch")["strange"] == 1
