"""What happens to servers and networks under load, and what ``watch`` says and mends. At the end all is there, once."""

from __future__ import annotations

import contextlib
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters.replication import Instance
from kuroshio.errors import FollowRefused, KuroshioError, ServiceUnavailable
from lab.databases.writers import TABLES, writers
from lab.engine import EngineError
from lab.rds.disturbances import Options, disturb
from lab.rds.testing import aurora
from tests.lab.aurora.dying import Fate
from tests.lab.aurora.followed import Followed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.rds.testing import Running

ACCOUNT = ("kuroshio", "first")
TABLE = "writers.writes"
SUMS = "SELECT COUNT(*), SUM(id), SUM(number), BIT_XOR(CRC32(CONCAT_WS(',', id, client, number))) FROM writers.writes"


class World(Followed):
    """A source with writers, and a clone that follows it over the endpoint of the source's name."""

    def __init__(self, lab: Running) -> None:
        self.lab = lab
        super().__init__(
            lambda: lab.login("shop"),
            lambda: lab.login("shop-next"),
            lab.aurora.address,
            lambda: lab.aurora.port("shop"),
            ACCOUNT,
        )

    def disturb(self, kind: str, cluster: str, **options: Any) -> None:
        disturb(self.lab.aurora, kind, cluster, Options(**options))
        self.lab.rest()

    def root(self, cluster: str, script: str) -> str:
        return self.lab.aurora.server(cluster).administer(script)

    def sums(self) -> list[list[tuple[Any, ...]]]:
        found = []
        for cluster in ("shop", "shop-next"):
            server = self.lab.sql(cluster)
            found.append(server.rows(SUMS))
            server.close()
        return found

    def equal(self, within_s: float = 60) -> None:
        """The writers stopped, and the clone has all that they wrote."""
        self.caught_up(within_s)
        source, clone = Instance(self.lab.login("shop")), Instance(self.lab.login("shop-next"))
        clone.wait(source.position(), within_s)
        source.close()
        clone.close()
        left, right = self.sums()
        assert left == right
        assert left[0][0]


@pytest.fixture(scope="module")
def lab() -> Iterator[Running]:
    with aurora() as running:
        running.create_source("shop", rows=0)
        source = running.sql("shop")
        for statement in TABLES:
            source.rows(statement)
        source.rows("INSERT INTO writers.writes (client, number) VALUES (0, 0)")
        source.close()
        running.clone("shop", "shop-next")
        yield running


@pytest.fixture
def world(lab: Running) -> World:
    """Both sides begin equal: what an earlier test left differs on the clone alone."""
    world = World(lab)
    for cluster in ("shop", "shop-next"):
        world.disturb("mend", cluster)
    user, password = ACCOUNT
    world.root(
        "shop",
        f"SET SESSION sql_log_bin = 0; CREATE OR REPLACE USER {user}@'%' IDENTIFIED BY '{password}' REQUIRE SSL; "
        f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO {user}@'%'",
    )
    world.root("shop-next", "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only = 0; SET GLOBAL event_scheduler = OFF")
    world.root("shop-next", "DROP DATABASE IF EXISTS lab; TRUNCATE TABLE writers.writes; TRUNCATE TABLE writers.totals")
    world.root(
        "shop",
        "SET SESSION sql_log_bin = 0; DROP DATABASE IF EXISTS lab; TRUNCATE TABLE writers.writes; TRUNCATE TABLE writers.totals",
    )
    source = Instance(lab.login("shop"))
    world.begin_at(source.position())
    source.close()
    world.root("shop", "INSERT INTO writers.writes (client, number) VALUES (0, 0)")
    world.do("configure")
    world.do("start")
    return world


@pytest.mark.parametrize("cluster", ["shop", "shop-next"])
def test_a_server_that_is_killed_under_load_comes_back_and_nothing_is_lost_or_doubled(
    world: World, cluster: str
) -> None:
    with writers(world.lab.login("shop"), clients=2):
        world.watch_until(lambda found: found["state"] in ("following", "caught-up"))
        world.disturb("kill", cluster)
        world.watch_until(lambda found: found["state"] in ("following", "caught-up"))
    world.equal()


@pytest.mark.soak
def test_a_source_that_stays_away_is_told_of_and_waited_for(world: World) -> None:
    world.caught_up()
    world.disturb("down", "shop")
    found = world.state("reconnecting")
    assert "the source has not answered" in found["reason"]
    world.late = timedelta(minutes=11)
    assert world.do("watch")["state"] == "stalled"
    world.late = timedelta()
    world.disturb("mend", "shop")
    world.equal()


@pytest.mark.soak
def test_a_clone_that_stays_away_is_told_of_and_waited_for(world: World) -> None:
    world.caught_up()
    world.disturb("down", "shop-next")
    found = world.do("watch")
    assert (found["state"], "the clone does not answer" in found["reason"]) == ("reconnecting", True)
    world.late = timedelta(minutes=11)
    assert world.do("watch")["state"] == "stalled"
    world.late = timedelta()
    world.disturb("mend", "shop-next")
    world.equal()


@pytest.mark.soak
def test_a_clone_that_does_not_start_to_follow_by_itself_after_a_restart_is_started(world: World) -> None:
    world.caught_up()
    world.root("shop-next", "STOP SLAVE")
    assert world.do("watch")["state"] == "stopped"
    world.root("shop-next", "SET GLOBAL relay_log_purge = 1")
    server = world.lab.aurora.server("shop-next")
    before = server.options
    time.sleep(1)  # MySQL counts a server's time in whole seconds
    world.root("shop-next", "START SLAVE")
    world.caught_up()
    found = world.lab.aurora.account.cluster("shop-next")
    world.lab.aurora.halt(found)
    world.lab.rest()
    server.options = (*before, "--skip-slave-start")
    server.start(world.lab.aurora.authority)
    world.caught_up()
    assert "started again, because its server was restarted" in world.told()


@pytest.mark.parametrize("kind", ["cut", "silent"])
def test_a_link_that_is_gone_for_a_while_only_delays(world: World, kind: str) -> None:
    with writers(world.lab.login("shop"), clients=2):
        world.caught_up()
        world.disturb(kind, "shop", of="shop-next")
        behind = world.do("watch")["behind_bytes"]
        world.watch_until(lambda found: found["behind_bytes"] > behind + 10_000)
        if kind == "cut":
            assert world.state("reconnecting")["trouble"]["number"] in (2003, 2013)
        world.disturb("mend", "shop")
        world.caught_up()
    world.equal()


@pytest.mark.soak
def test_a_slow_link_is_no_stall_and_what_it_costs_is_told(world: World) -> None:
    world.disturb("slow", "shop", of="shop-next", bytes_per_s=100_000)
    many = "INSERT INTO writers.writes (client, number) SELECT 1, seq FROM writers.seq_1_to_1000;"
    world.root("shop", many * 60)
    found = world.do("watch")
    assert found["state"] == "following"
    found = world.watch_until(lambda found: found["ready_in_s"] is not None and found["behind_bytes"] > 0)
    assert found["ready_in_s"] > 0
    world.disturb("mend", "shop")
    world.equal()


def test_a_binlog_that_was_purged_fails_clearly_with_what_to_do(world: World) -> None:
    world.caught_up()
    world.do("stop")
    world.root("shop", "INSERT INTO writers.writes (client, number) VALUES (1, 1)")
    world.disturb("purge", "shop")
    world.do("start")
    found = world.state("broken")
    assert (found["trouble"]["number"], found["may_skip"]) == (1236, False)
    assert "make the clone again" in found["reason"]
    assert world.do("skip") == {"skipped": 0}


@pytest.mark.soak
def test_a_full_disk_of_the_clone_is_told_and_it_goes_on_once_there_is_room(world: World) -> None:
    world.caught_up()
    world.disturb("full-disk", "shop-next")
    world.root("shop", "INSERT INTO writers.writes (client, number) SELECT 1, seq FROM writers.seq_1_to_100000")
    until = time.monotonic() + 60
    states: set[str] = set()
    while time.monotonic() < until and not states & {"broken", "stalled"}:
        found = world.do("watch")
        states.add(found["state"])
        world.late += timedelta(seconds=400)
    assert states & {"broken", "stalled"}, found
    world.late = timedelta()
    world.disturb("mend", "shop-next")
    world.do("start")
    world.equal(90)


@pytest.mark.soak
def test_a_disk_that_can_only_be_read_is_told_and_another_goes_on(world: World) -> None:
    world.caught_up()
    world.disturb("read-only-disk", "shop-next")
    world.root("shop", "INSERT INTO writers.writes (client, number) SELECT 1, seq FROM writers.seq_1_to_1000")
    found = world.watch_until(lambda found: found["state"] in ("broken", "stalled", "reconnecting", "stopped"))
    assert found["reason"]
    world.disturb("mend", "shop-next")
    world.equal(90)


def test_a_row_that_somebody_else_wrote_breaks_it_until_the_policy_lets_it_pass(world: World) -> None:
    world.caught_up()
    world.disturb("duplicate-row", "shop-next", table=TABLE)
    world.root("shop", "INSERT INTO writers.writes (client, number) VALUES (1, 1)")
    found = world.state("broken")
    assert found["trouble"]["number"] == 1062
    assert found["strange"] == 1
    world.allow(1062)
    assert world.do("skip") == {"skipped": 1}
    world.caught_up()
    assert world.ledger.read("shop-next", f"suspect#{TABLE}") is not None


@pytest.mark.soak
def test_a_row_that_somebody_deleted_breaks_it(world: World) -> None:
    world.caught_up()
    world.disturb("missing-row", "shop-next", table=TABLE)
    world.root("shop", "UPDATE writers.writes SET client = 9 ORDER BY id DESC LIMIT 1")
    found = world.state("broken")
    assert found["trouble"]["number"] == 1032
    with pytest.raises(FollowRefused):
        world.do("skip")


def test_a_change_of_a_definition_in_the_middle_travels(world: World) -> None:
    with writers(world.lab.login("shop"), clients=2):
        world.caught_up()
        world.disturb("ddl", "shop", table=TABLE)
        world.caught_up()
    world.equal()


@pytest.mark.soak
def test_rows_that_somebody_holds_locked_on_the_clone_are_a_stall_that_names_who(world: World) -> None:
    world.caught_up()
    world.disturb("hot-row", "shop-next", table=TABLE, seconds=8)
    time.sleep(1)
    world.root("shop", "UPDATE writers.writes SET client = 8")
    until = time.monotonic() + 7
    while (found := world.do("watch"))["state"] != "stalled":
        assert time.monotonic() < until, found
        world.late += timedelta(seconds=20)
    assert "root@" in found["reason"]
    world.late = timedelta()
    world.equal()


def test_an_event_that_fires_on_the_clone_is_seen_before_it_breaks_anything(world: World) -> None:
    world.caught_up()
    world.disturb("event", "shop-next")
    found = world.watch_until(lambda found: found["strange"] > 3)
    assert found["state"] in ("following", "caught-up")


@pytest.mark.soak
def test_a_login_that_read_only_does_not_hold_is_seen_by_what_it_writes(world: World) -> None:
    world.caught_up()
    world.disturb("bypass", "shop-next")
    assert world.watch_until(lambda found: found["strange"] >= 2)["state"] == "caught-up"


def test_a_changed_password_breaks_it_until_the_secret_has_it(world: World) -> None:
    world.caught_up()
    world.disturb("password", "shop", password="second")
    found = world.state("broken")
    assert found["trouble"]["number"] == 1045
    world.account = ("kuroshio", "second")
    world.equal()


@pytest.mark.soak
def test_a_failover_of_the_source_only_delays(world: World) -> None:
    world.caught_up()
    world.lab.add_instance("shop", "shop-2")
    world.lab.rest()
    world.lab.rds.failover_db_cluster(DBClusterIdentifier="shop", TargetDBInstanceIdentifier="shop-2")
    world.lab.rest()
    world.root("shop", "INSERT INTO writers.writes (client, number) VALUES (1, 1)")
    world.equal()


@pytest.mark.parametrize("rows", [100_000, pytest.param(2_000_000, marks=pytest.mark.soak)])
def test_a_large_transaction_is_not_taken_for_a_stall(world: World, rows: int) -> None:
    world.caught_up()
    world.disturb("bulk", "shop", rows=rows)
    seen = []
    while (found := world.do("watch"))["behind_bytes"] > 0:
        seen.append(found)
        world.late += timedelta(minutes=4)
    assert {each["state"] for each in seen} <= {"following", "caught-up"}
    assert rows < 1_000_000 or any("of which it has changed" in each["reason"] for each in seen)


def test_what_the_lab_cannot_do_is_refused(lab: Running) -> None:
    with pytest.raises(ValueError, match="no disturbance"):
        disturb(lab.aurora, "earthquake", "shop")
    with pytest.raises(ValueError, match="is no table"):
        disturb(lab.aurora, "ddl", "shop", Options(table="x; DROP"))


KINDS = ("kill", "kill", "down", "cut", "silent", "slow", "ddl", "")
STEPS = ("configure", "start", "watch", "watch", "stop", "configure", "start", "watch", "detach", "configure", "start")


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 30))])
def test_whatever_happens_at_any_step_the_end_is_right(world: World, seed: int) -> None:
    """A disturbance before each step, a function that is killed in the middle of it, and the step again until it is done."""
    chance = random.Random(seed)  # noqa: S311
    with writers(world.lab.login("shop"), clients=1):
        for step in STEPS:
            kind, cluster = chance.choice(KINDS), chance.choice(("shop", "shop-next"))
            if kind:
                others = {"table": TABLE} if kind == "ddl" else {}
                with contextlib.suppress(EngineError):  # a server that is down takes no statement
                    world.disturb(kind, "shop" if kind in LINKED else cluster, **others)
            with contextlib.suppress(KuroshioError):
                world.killed_at(step, Fate(chance.randint(1, 12), chance.random() < 0.5))
            again(world, step)
        for cluster in ("shop", "shop-next"):
            world.disturb("mend", cluster)
    world.equal(90)
    assert world.ledger.all("shop-next", "skip#") == []


LINKED = frozenset({"cut", "silent", "slow", "ddl"})


def again(world: World, step: str) -> None:
    """As a state machine does: what is transient is tried again, and the world gets better meanwhile."""
    for attempt in range(20):
        try:
            world.do(step)
        except ServiceUnavailable:
            if attempt == 2:
                for cluster in ("shop", "shop-next"):
                    world.disturb("mend", cluster)
            time.sleep(0.2)
        else:
            return
    raise AssertionError(f"{step} never ended")
