"""From a request to a clone that is ready, and away again: the whole workflow on real servers, undisturbed and hindered."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.errors import ServiceUnavailable
from tests.lab.aurora.stage import Killed, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kuroshio.adapters.mysql import Server

# In the order in which they are done, from a source whose binlog is off.
MAKING = [
    ("inspect_cluster", "preflight"),
    ("prepare_source", "binlog_on"),
    ("prepare_source", "reboot"),
    ("prepare_source", "binlog_state"),
    ("prepare_source", "account"),
    ("prepare_source", "retention"),
    ("clone_cluster", "clone"),
    ("clone_cluster", "state"),
    ("clone_cluster", "instance"),
    ("clone_cluster", "seed"),
    ("follow_source", "configure"),
    ("follow_source", "start"),
    ("follow_source", "watch"),
    ("verify_clone", "plan"),
    ("verify_clone", "conclude"),
]
REMOVING = [("clone_cluster", "remove"), ("prepare_source", "restore")]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with pytest.MonkeyPatch.context() as patch, stage(tmp_path_factory.mktemp("replicating"), patch) as made:
        yield made


@pytest.fixture(scope="module")
def shop(world: Stage) -> str:
    """The secret of a source that writes a binlog."""
    return world.make_source("shop")


class Writers:
    """Two threads that insert, change and delete until they are told to stop."""

    def __init__(self, world: Stage, name: str) -> None:
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(world.sql(name), n)) for n in range(2)]

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, server: Server, number: int) -> None:
        count = 0
        while not self._stop.wait(0.005):
            count += 1
            with suppress(ServiceUnavailable):  # it restarts
                server.rows("INSERT INTO app.orders (note, amount) VALUES (%s, %s)", (f"w{number}", count))
                server.rows("UPDATE app.orders SET amount = amount + 1 WHERE id = %s", (count % 200 + 1,))
                if count % 5 == 0:
                    server.rows("DELETE FROM app.orders WHERE note = %s AND amount = %s", (f"w{number}", count))
        server.close()


def phases(world: Stage, clone: str) -> list[str]:
    return [each["phase"] for each in world.ledger.all(clone, "event#") if "phase" in each]


def accounts(world: Stage, source: str) -> list[str]:
    server = world.sql(source)
    found = [str(row[0]) for row in server.rows("SELECT User FROM mysql.user WHERE User LIKE 'kuroshio%%'")]
    server.close()
    return found


def restarts(world: Stage, instance: str) -> int:
    told = world.rds().describe_events(SourceIdentifier=instance, SourceType="db-instance")["Events"]
    return sum(event["Message"] == "DB instance restarted" for event in told)


def test_a_clone_of_a_source_under_writes_is_ready_and_goes_without_a_trace(world: Stage, shop: str) -> None:
    request = world.request("shop", "shop-next", shop)
    with Writers(world, "shop"):
        done = world.run("replicate_cluster", request)
    assert done["status"] == "SUCCEEDED", done
    assert phases(world, "shop-next") == [
        "preflight", "account", "cloning", "seeding", "following", "caught-up", "verifying", "ready",
    ]  # fmt: skip
    assert len(accounts(world, "shop")) == 1
    looked_after(world, "shop-next")
    removed = world.run("remove_clone", request)
    assert removed["status"] == "SUCCEEDED", removed
    assert world.clusters() == ["shop"]
    assert world.state("shop-next")["phase"] == "aborted"
    assert accounts(world, "shop") == []


def looked_after(world: Stage, clone: str) -> None:
    """By the schedule's workflow: watched, and compared again once that is due, once."""
    assert watched(world) == [{"clone": clone, "state": "caught-up"}]
    assert "verifying" not in world.state(clone)
    [proof] = world.ledger.all(clone, "verification#")
    world.ledger.delete(clone, f"verification#{proof['began']}")
    assert watched(world) == watched(world) == [{"clone": clone, "state": "caught-up"}]
    assert world.ended(world.state(clone)["verifying"])["status"] == "SUCCEEDED"
    assert [each["equal"] for each in world.ledger.all(clone, "verification#")] == [True]
    assert world.state(clone)["phase"] == "ready"


def watched(world: Stage) -> list[dict[str, str]]:
    done = world.run("watch_clones", {})
    assert done["status"] == "SUCCEEDED", done
    return list(json.loads(done["output"]))


@dataclass
class Hindrances:
    """Each of them once: the step is killed before or after it did its work, or the whole execution is stopped at it."""

    world: Stage
    left: list[tuple[tuple[str, str], str]]
    execution: str = ""
    met: list[tuple[tuple[str, str], str]] = field(default_factory=list)

    def __call__(self, function: str, step: str, act: Callable[[], Any]) -> Any:
        mine = next((each for each in self.left if each[0] == (function, step)), None)
        if mine is None:
            return act()
        self.left.remove(mine)
        self.met.append(mine)
        if mine[1] == "before":
            raise Killed("before it did anything")
        answer = act()
        if mine[1] == "after":
            raise Killed("after it did everything")
        self.world.lab.aws("stepfunctions").stop_execution(executionArn=self.execution)
        return answer

    def run_until_done(self, machine: str, request: dict[str, Any]) -> list[str]:
        """Start again and again. The statuses of all executions."""
        statuses: list[str] = []
        self.world.hindrance = self
        try:
            for _ in range(2 * len(self.left) + 4):
                self.execution = self.world.start(machine, request)
                statuses.append(self.world.ended(self.execution)["status"])
                if statuses[-1] == "SUCCEEDED":
                    return statuses
        finally:
            self.world.hindrance = lambda _function, _step, act: act()
        raise AssertionError(f"{machine} never succeeded: {statuses}, {self.world.state(request['clone'])}")


def hindered(world: Stage, name: str, kinds: tuple[str, ...], steps: list[tuple[str, str]]) -> None:
    """Make and remove a clone of a source whose binlog is off, with these steps hindered in these ways."""
    secret = world.make_source(name, binlog=False)
    request = world.request(name, f"{name}-next", secret)
    making = Hindrances(world, [(step, kind) for step in steps for kind in kinds])
    with Writers(world, name):
        statuses = making.run_until_done("replicate_cluster", request)
    # A source that restarts is refused for that moment, and has its binlog on when the next run looks.
    assert {step for step, _ in making.left} <= {("prepare_source", "binlog_state")}
    assert len(statuses) > len(making.met)
    assert world.state(f"{name}-next")["phase"] == "ready"
    assert (restarts(world, f"{name}-1"), len(accounts(world, name))) == (1, 1)
    assert [each for each in world.clusters() if each.startswith(name)] == [name, f"{name}-next"]
    removing = Hindrances(world, [(step, kind) for step in REMOVING for kind in kinds])
    removing.run_until_done("remove_clone", request)
    assert removing.left == []
    assert [each for each in world.clusters() if each.startswith(name)] == [name]
    assert (accounts(world, name), world.state(f"{name}-next")["phase"]) == ([], "aborted")


def test_a_run_whose_answers_are_lost_goes_on_where_it_was(world: Stage) -> None:
    dear = {"binlog_on", "account", "clone", "instance", "seed", "start"}
    hindered(world, "answers", ("after",), [step for step in MAKING if step[1] in dear])


@pytest.mark.soak
def test_a_run_that_is_killed_and_stopped_at_every_step_ends_right(world: Stage) -> None:
    hindered(world, "killed", ("before", "after", "stopped"), MAKING)


@pytest.mark.soak
def test_a_source_that_fails_over_at_any_step_is_followed_all_the_same(world: Stage) -> None:
    secret = world.make_source("moving")
    world.rds().create_db_instance(
        DBInstanceIdentifier="moving-2",
        DBClusterIdentifier="moving",
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )
    left = ["account", "retention", "seed", "start", "watch", "plan"]

    def fail_over(_function: str, step: str, act: Callable[[], Any]) -> Any:
        answer = act()
        if step in left:
            left.remove(step)
            world.rds().failover_db_cluster(DBClusterIdentifier="moving")
        return answer

    world.hindrance = fail_over
    request = world.request("moving", "moving-next", secret)
    statuses: list[str] = []
    try:
        with Writers(world, "moving"):
            while "SUCCEEDED" not in statuses and len(statuses) < 8:
                statuses.append(world.run("replicate_cluster", request)["status"])
    finally:
        world.hindrance = lambda _function, _step, act: act()
    assert statuses[-1] == "SUCCEEDED", world.state("moving-next")
    assert left == []
    assert world.run("remove_clone", request)["status"] == "SUCCEEDED"


def test_a_clone_that_is_removed_while_it_is_made_leaves_nothing(world: Stage, shop: str) -> None:
    request = world.request("shop", "shop-short", shop)
    reached = threading.Event()

    def hold(function: str, step: str, act: Callable[[], Any]) -> Any:
        answer = act()
        if (function, step) == ("clone_cluster", "instance"):
            reached.set()
        return answer

    world.hindrance = hold
    execution = world.start("replicate_cluster", request)
    assert reached.wait(60)
    world.hindrance = lambda _function, _step, act: act()
    removed = world.run("remove_clone", request)
    assert removed["status"] == "SUCCEEDED", removed
    assert world.ended(execution)["status"] == "ABORTED"
    assert "shop-short" not in world.clusters()
    assert accounts(world, "shop") == []
