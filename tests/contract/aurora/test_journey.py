"""From a source without a binlog to a clone that knows where it begins, and all of it taken away again.

Every step is killed before and after each of its calls in turn, and asked for again; every call to RDS is done once with
its answer lost. The end is always the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.adapters import aws
from kuroshio.errors import ServiceUnavailable
from tests.fakes.paper_aurora import Killed

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Paper

STEPS = (
    ("prepare", "binlog_on"), ("prepare", "reboot"), ("prepare", "binlog_state"), ("prepare", "account"),
    ("prepare", "retention"), ("clone", "clone"), ("clone", "state"), ("clone", "instance"), ("clone", "state"),
    ("clone", "seed"),
)  # fmt: skip

LEFT = "shop writes its binlog until it next restarts: nothing was restarted for that"


def journey(paper: Paper, do: Callable[[str, str], dict[str, Any]]) -> dict[str, Any]:
    answers = {}
    for function, step in STEPS:
        answers[step] = do(function, step)
        paper.aurora.rest()
    return answers


def end(paper: Paper, do: Callable[[str, str], dict[str, Any]]) -> list[str]:
    for _ in range(9):
        answer = do("clone", "remove")
        paper.aurora.rest()
        if answer["gone"]:
            left: list[str] = answer["left"] + do("prepare", "restore")["left"]
            return left
    raise AssertionError("it is never gone")


def once(paper: Paper) -> Callable[[str, str], dict[str, Any]]:
    return lambda function, step: getattr(paper, function)(step)  # type: ignore[no-any-return]


def judge_clone(paper: Paper, answers: dict[str, Any]) -> None:
    clone = aws.client("rds").describe_db_clusters(DBClusterIdentifier="shop-copy")["DBClusters"][0]
    source = paper.aurora.paper("shop")
    assert answers["binlog_state"] == {"state": "on"}
    assert answers["retention"] == {"hours": 72, "before": None}
    assert answers["seed"]["told"]
    assert (clone["DBClusterParameterGroup"], clone["VpcSecurityGroups"][0]["VpcSecurityGroupId"]) == (
        "kuroshio-shop-copy",
        "sg-1",
    )
    assert len(clone["DBClusterMembers"]) == 1
    assert source.retention == 72
    (account,) = source.accounts.values()
    assert account[1:] == (True, {"REPLICATION SLAVE", "REPLICATION CLIENT"})
    assert paper.ledger.read("source/shop", "before#retention")["hours"] is None  # type: ignore[index]


def judge_end(paper: Paper, left: list[str]) -> None:
    assert left in ([], [LEFT])  # a call that is killed takes its answer with it
    assert sorted(paper.aurora.account.clusters) == ["shop"]
    assert [name for name in paper.aurora.account.groups if name.startswith("kuroshio")] == []
    assert paper.aurora.account.cluster("shop").group == "default.aurora-mysql8.0"
    source = paper.aurora.paper("shop")
    assert (source.retention, source.accounts) == (None, {})
    assert aws.client("secretsmanager").list_secrets()["SecretList"] == []
    assert paper.ledger.all("source/shop", "") == []
    assert {key for record in paper.ledger.all("shop-copy", "") for key in record} <= {"what", "at", "left"}


@pytest.fixture
def source(paper: Paper) -> Paper:
    paper.source(group="default.aurora-mysql8.0", binlog=False, readers=1)
    return paper


def test_a_source_without_a_binlog_gets_a_clone_and_is_afterwards_as_it_was(source: Paper) -> None:
    answers = journey(source, once(source))
    assert answers["binlog_on"] == {
        "state": "reboot", "group": "kuroshio-binlog-of-shop", "instances": ["shop-1", "shop-2"],
    }  # fmt: skip
    assert answers["reboot"] == {"rebooting": ["shop-1", "shop-2"]}
    judge_clone(source, answers)
    left = end(source, once(source))
    assert left == [LEFT]
    judge_end(source, left)


def test_every_step_may_be_asked_for_twice(source: Paper) -> None:
    def twice(function: str, step: str) -> dict[str, Any]:
        getattr(source, function)(step)
        return getattr(source, function)(step)  # type: ignore[no-any-return]

    answers = journey(source, twice)
    assert source.wire.calls.count("RebootDBInstance") == 1
    assert source.wire.calls.count("RestoreDBClusterToPointInTime") == 1
    assert source.wire.calls.count("CreateDBInstance") == 3  # two of them are the source's
    judge_clone(source, answers)
    judge_end(source, end(source, twice))


class Mortal:
    """Asks for a step until it is done; each time it is killed one call later."""

    def __init__(self, paper: Paper, when: str) -> None:
        self.paper, self.when, self.kills = paper, when, 0

    def __call__(self, function: str, step: str) -> dict[str, Any]:
        for number in range(1, 99):
            self.paper.fate.__init__(number, self.when)  # type: ignore[misc]
            try:
                return getattr(self.paper, function)(step)  # type: ignore[no-any-return]
            except Killed:
                self.kills += 1
        raise AssertionError(f"{step} makes more calls than were tried")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_step_that_is_killed_at_every_call_in_turn_is_done_in_the_end(source: Paper, when: str) -> None:
    mortal = Mortal(source, when)
    judge_clone(source, journey(source, mortal))
    judge_end(source, end(source, mortal))
    assert mortal.kills > 50


@pytest.mark.search
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [*dict.fromkeys(name for _, name in STEPS), "remove", "restore"])
def test_a_step_that_is_killed_anywhere_is_done_by_the_next_call(source: Paper, step: str, when: str) -> None:
    kills = 1
    for number in range(1, 60):
        before, kills = kills, 0

        def mortal(function: str, asked: str, number: int = number) -> dict[str, Any]:
            nonlocal kills
            source.fate.__init__(number if asked == step else 0, when)  # type: ignore[misc]
            try:
                return getattr(source, function)(asked)  # type: ignore[no-any-return]
            except Killed:
                kills += 1
                return getattr(source, function)(asked)  # type: ignore[no-any-return]

        judge_clone(source, journey(source, mortal))
        judge_end(source, end(source, mortal))
        aws.client("rds").reboot_db_instance(DBInstanceIdentifier="shop-1")  # its binlog is off again
        source.aurora.rest()
        if not kills:
            assert before, "nothing was killed at all"
            return
    raise AssertionError("the step makes more calls than were tried")


MUTATIONS = (
    "CreateDBClusterParameterGroup", "ModifyDBClusterParameterGroup", "ModifyDBCluster", "RebootDBInstance",
    "RestoreDBClusterToPointInTime", "CreateDBInstance", "DeleteDBInstance", "DeleteDBCluster",
    "DeleteDBClusterParameterGroup",
)  # fmt: skip


@pytest.mark.parametrize("operation", MUTATIONS)
def test_a_call_that_was_done_and_whose_answer_was_lost_is_not_done_twice(source: Paper, operation: str) -> None:
    source.wire.faults[operation] = ["lost"]

    def stubborn(function: str, step: str) -> dict[str, Any]:
        for _ in range(3):
            try:
                return getattr(source, function)(step)  # type: ignore[no-any-return]
            except ServiceUnavailable:  # as the state machine's first retrier does
                source.aurora.rest()
        raise AssertionError(f"{step} never succeeds")

    answers = journey(source, stubborn)
    judge_clone(source, answers)
    judge_end(source, end(source, stubborn))
    assert source.wire.faults[operation] == []
