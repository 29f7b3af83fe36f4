"""Preflight as a step of the workflow: who may begin, what is kept, and that nothing is begun otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.aurora.inspecting import Inspecting
from kuroshio.aurora.records import Phase
from kuroshio.errors import AccessRefused, InvalidRequest, PermanentError, PreflightRefused, ServiceUnavailable
from tests.fakes.aurora_ledger import InMemoryAuroraLedger
from tests.unit.aurora.test_preflight import GOOD, SECRET, SOURCE

if TYPE_CHECKING:
    from kuroshio.aurora.preflight.facts import Facts, RdsFacts, SqlFacts
    from kuroshio.aurora.request import ReplicateRequest

REQUEST = {"schema": "kuroshio.replicate-request/1", "source": "orders", "clone": "orders-next"}
BEGIN = datetime(2026, 11, 21, 4, tzinfo=UTC)


@dataclass
class Seen:
    """A source that is as it should be, unless told otherwise."""

    facts: Facts = GOOD
    running: set[str] = field(default_factory=set)
    no_way_in: PermanentError | ServiceUnavailable | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def rds(self, request: ReplicateRequest, runs: tuple[str, ...]) -> RdsFacts:
        self.asked.append(runs)
        return replace(self.facts.rds, runs=runs)

    def sql(self, request: ReplicateRequest) -> SqlFacts:
        if self.no_way_in:
            raise self.no_way_in
        return self.facts.sql

    def secret(self, request: ReplicateRequest) -> str:
        return SECRET

    def is_running(self, run: str) -> bool:
        return run in self.running


@dataclass
class World:
    look: Seen = field(default_factory=Seen)
    ledger: InMemoryAuroraLedger = field(default_factory=InMemoryAuroraLedger)
    minutes: int = 0

    def preflight(self, run: str = "arn:1", **change: Any) -> dict[str, Any]:
        event = {"step": "preflight", "request": REQUEST | change, "run": run, "by": "mika"}
        return Inspecting(self.ledger, self.look, self.now).run(event)

    def now(self) -> datetime:
        self.minutes += 1
        return BEGIN + timedelta(minutes=self.minutes)

    def state(self, clone: str = "orders-next") -> dict[str, Any]:
        return self.ledger.read(clone, "state") or {}


def test_a_person_may_look_at_any_time_and_no_record_and_no_run_knows_of_it() -> None:
    world = World(Seen(replace(GOOD, sql=replace(GOOD.sql, log_bin=False))))
    world.preflight()
    before = world.state(), world.ledger.all("orders-next", "")
    event = {"step": "look", "request": REQUEST | {"retention_hours": 1}, "by": "kenji"}
    answer = Inspecting(world.ledger, world.look, world.now).run(event)
    assert {each["code"] for each in answer["findings"]} == {
        each["code"] for each in (world.ledger.read("orders-next", "preflight") or {})["findings"]
    }
    assert answer["may_begin"] is True
    assert (world.state(), world.ledger.all("orders-next", "")) == before
    world.look.facts = replace(GOOD, sql=replace(GOOD.sql, enhanced=True))
    assert Inspecting(world.ledger, world.look, world.now).run(event)["may_begin"] is False


def test_a_source_without_traps_may_be_cloned_and_all_that_was_found_is_kept() -> None:
    world = World()
    answer = world.preflight()
    kept = world.ledger.read("orders-next", "preflight") or {}
    assert answer["binlog"] == "on"
    assert [each["code"] for each in answer["findings"]] == ["accounts"]
    assert (kept["may_begin"], kept["by"], len(kept["findings"]) > 25) == (True, "mika", True)
    assert world.state()["phase"] == "preflight"
    assert (world.state()["run"], world.state()["source"]) == ("arn:1", "orders")


@pytest.mark.parametrize("change", [{"log_bin": False, "binlog_format": "OFF"}, {"binlog_format": "MIXED"}])
def test_a_binlog_that_is_off_or_not_of_rows_is_told(change: dict[str, Any]) -> None:
    world = World(Seen(replace(GOOD, sql=replace(GOOD.sql, **change))))
    assert world.preflight()["binlog"] == "off"


def test_what_stands_in_the_way_is_named_all_of_it_and_kept_before_it_is_said() -> None:
    sql = replace(GOOD.sql, enhanced=True, is_writable=False)
    world = World(Seen(replace(GOOD, sql=sql)))
    with pytest.raises(
        PreflightRefused, match=r"orders-next cannot be made of orders: writer: .*; enhanced-binlog: "
    ) as caught:
        world.preflight()
    kept = world.ledger.read("orders-next", "preflight") or {}
    stopping = {each["code"] for each in kept["findings"] if each["severity"] in ("blocking", "unknown")}
    assert len(stopping) >= 2
    assert all(code in str(caught.value) for code in stopping)
    assert kept["may_begin"] is False
    assert (world.state()["phase"], world.state()["error"]) == ("failed", "PreflightRefused")


def test_a_source_that_lets_nobody_in_is_refused_with_every_other_finding() -> None:
    world = World(Seen(no_way_in=AccessRefused("orders.cluster: MySQL 1045: Access denied")))
    with pytest.raises(PreflightRefused, match="MySQL 1045"):
        world.preflight()
    kept = world.ledger.read("orders-next", "preflight") or {}
    assert {"fine", "unknown"} <= {each["severity"] for each in kept["findings"]}


def test_a_source_that_does_not_answer_is_asked_again_later() -> None:
    world = World(Seen(no_way_in=ServiceUnavailable("orders.cluster: MySQL 2003")))
    with pytest.raises(ServiceUnavailable):
        world.preflight()
    assert world.ledger.read("orders-next", "preflight") is None
    world.look.no_way_in = None
    assert world.preflight()["binlog"] == "on"


def test_of_two_runs_of_one_clone_the_second_is_refused_and_leaves_the_first_alone() -> None:
    world = World(Seen(running={"arn:1", "arn:2"}))
    world.preflight("arn:1")
    before = world.state()
    with pytest.raises(PreflightRefused, match="the run arn:1 makes orders-next just now"):
        world.preflight("arn:2")
    assert world.state() == before


def test_of_two_runs_of_one_source_the_second_is_refused_until_the_first_only_follows() -> None:
    world = World(Seen(running={"arn:1", "arn:2"}))
    world.preflight("arn:1")
    with pytest.raises(PreflightRefused, match="other-runs: another run makes orders-next"):
        world.preflight("arn:2", clone="orders-staging")
    world.ledger.phase("orders-next", Phase.FOLLOWING, BEGIN)
    assert world.preflight("arn:2", clone="orders-staging")["binlog"] == "on"


def test_a_run_that_was_killed_holds_nobody_up() -> None:
    world = World()
    world.preflight("arn:1")
    assert world.preflight("arn:2", clone="orders-staging")["binlog"] == "on"
    assert world.preflight("arn:3")["binlog"] == "on"
    assert world.state()["run"] == "arn:3"


def taken() -> Facts:
    return replace(GOOD, rds=replace(GOOD.rds, clusters=(SOURCE, replace(SOURCE, name="orders-next"))))


def test_a_cluster_of_the_clones_name_is_refused_unless_an_earlier_run_made_it() -> None:
    world = World(Seen(taken()))
    with pytest.raises(PreflightRefused, match="clone-name"):
        world.preflight("arn:1")
    with pytest.raises(PreflightRefused, match="clone-name"):
        world.preflight("arn:2")
    world.look.facts = GOOD
    world.preflight("arn:3")
    world.ledger.phase("orders-next", Phase.CLONING, world.now())
    world.look.facts = taken()
    assert world.preflight("arn:4")["binlog"] == "on"


def test_what_an_aborted_run_made_is_not_ours_any_more() -> None:
    world = World()
    world.preflight("arn:1")
    world.ledger.phase("orders-next", Phase.CLONING, world.now())
    world.ledger.phase("orders-next", Phase.ABORTED, world.now())
    world.look.facts = taken()
    with pytest.raises(PreflightRefused, match="clone-name"):
        world.preflight("arn:2")


def test_a_clone_of_another_source_is_not_taken_over() -> None:
    world = World()
    world.ledger.phase("orders-next", Phase.FAILED, BEGIN, source="billing", run="arn:0")
    with pytest.raises(PreflightRefused, match="orders-next is a clone of billing that is failed"):
        world.preflight()
    assert world.state()["run"] == "arn:0"


def test_a_step_that_is_repeated_finds_what_it_did() -> None:
    world = World(Seen(running={"arn:1"}))
    world.preflight()
    started = world.state()["started"]
    assert world.preflight()["binlog"] == "on"
    assert world.state()["started"] == started


@pytest.mark.parametrize(
    "event", [{"step": "preflight", "request": REQUEST}, {"step": "preflight", "run": "arn:1"}, {}]
)
def test_an_event_of_another_form_is_refused(event: dict[str, Any]) -> None:
    world = World()
    with pytest.raises(InvalidRequest):
        Inspecting(world.ledger, world.look, world.now).run(event)
    assert world.ledger.clones() == []


def clones(world: World) -> list[tuple[str, str]]:
    found = Inspecting(world.ledger, world.look, world.now).run({"step": "clones"})["clones"]
    return [(each["request"]["clone"], each["due"]) for each in found]


def following(world: World, clone: str, phase: Phase = Phase.READY, **more: Any) -> None:
    world.ledger.phase(
        clone, phase, BEGIN, source="orders", run=f"arn:{clone}", request=REQUEST | {"clone": clone}, **more
    )


def test_clones_that_follow_are_looked_after_unless_a_run_works_at_them() -> None:
    world = World(Seen(running={"arn:busy"}))
    for clone, phase in (
        ("a", Phase.READY),
        ("b", Phase.FAILED),
        ("busy", Phase.FOLLOWING),
        ("c", Phase.CAUGHT_UP),
        ("d", Phase.DONE),
    ):
        following(world, clone, phase)
    assert clones(world) == [("a", "full"), ("c", "full")]


def test_a_clone_is_not_compared_twice_at_once() -> None:
    world = World(Seen(running={"arn:verification"}))
    following(world, "a", verifying="arn:verification")
    following(world, "b", verifying="arn:ended")
    assert clones(world) == [("a", ""), ("b", "full")]
