"""The step "after-merge" on pushes of each kind of merge, with the user's command as a real process."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from kuroshio.adapters import aws
from kuroshio.adapters.deployment_history import DynamoHistory
from kuroshio.adapters.deployments import DynamoDeployments
from kuroshio.adapters.latest_store import S3Pointers
from kuroshio.adapters.plan_store import S3Plans
from kuroshio.changes.publication import Publication
from kuroshio.changes.request import request as detect_request
from kuroshio.cli import main
from kuroshio.errors import AccessRefused, Outpaced
from kuroshio.github import latest
from kuroshio.github.event import Order
from kuroshio.release.standing import Debt, Standing
from tests.contract.github.conftest import FILES, TEMPLATE, Runner
from tests.fakes.plans import MemoryBundles, MemoryJournal

if TYPE_CHECKING:
    from kuroshio.release.history import Deployment
    from tests.fakes.git_repository import GitRepository

ROOT = Path(__file__).parents[3]
COMMAND = """
import json, os, sys
folder = sys.argv[1]
units = json.load(open(os.environ["KUROSHIO_UNITS_FILE"]))
names = [unit["logical_id"] for unit in units]
seen = {"kind": os.environ["KUROSHIO_KIND"], "names": names, "commit": os.environ["KUROSHIO_COMMIT"]}
seen["token"] = os.environ.get("KUROSHIO_TOKEN")
open(folder + "/seen.jsonl", "a").write(json.dumps(seen) + "\\n")
with open(os.environ["KUROSHIO_RESULTS_FILE"], "a") as results:
    for unit in units:
        if unit["logical_id"] not in sys.argv[2:]:
            results.write(json.dumps({"unit": unit["id"], "digest": "sha256:" + unit["logical_id"]}) + "\\n")
sys.exit(1 if set(sys.argv[2:]) & set(names) else 0)
"""


class World:
    """A release branch of octo/shop, and a deploy command that fails for the units that it is told."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self.repository: GitRepository = runner.repository
        self.base = self.repository.make_commit(FILES)
        self.ledger = DynamoDeployments("ledger", "octo/shop", "main")
        self.script = runner.folder / "deploy.py"
        self.script.write_text(COMMAND)
        runner.with_role()
        runner.give(KUROSHIO_LEDGER_TABLE="ledger")

    def commit(self, *parents: str, **files: str) -> str:
        named = {name.replace("__", "/") + ".txt": text for name, text in files.items()}
        return self.repository.make_commit(FILES | named, *parents)

    def push(self, before: str, after: str, *failing: str, by_kind: bool = False) -> int:
        command: Any = [sys.executable, str(self.script), str(self.runner.folder), *failing]
        self.runner.give(KUROSHIO_DEPLOY=json.dumps({"*": command} if by_kind else command))
        (self.runner.folder / "seen.jsonl").unlink(missing_ok=True)
        return self.runner.run("after-merge", "push", before, after)

    def ran(self) -> list[dict[str, Any]]:
        file = self.runner.folder / "seen.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def names(self) -> list[str]:
        return [name for each in self.ran() for name in each["names"]]

    def merge(self, number: int, merge_commit: str, *commits: str, branch: str = "main", merged: bool = True) -> None:
        """Let GitHub know the pull request of these commits."""
        pull = {
            "number": number,
            "base": {"ref": branch},
            "merged_at": "2026-11-21T05:00:00Z" if merged else None,
            "merge_commit_sha": merge_commit,
        }
        for commit in (merge_commit, *commits):
            self.runner.github.pulls.setdefault(commit, []).append(pull)

    def plan(self, number: int, base: str, head: str) -> None:
        """Store the plan that the pull request had."""
        wanted = detect_request("octo/shop", number, base, head)
        bundles = MemoryBundles({wanted.bundle: self.repository})
        Publication(bundles, S3Plans("plans"), MemoryJournal()).publish(wanted.document())
        pointer = latest.Latest(Order("2026-11-21T05:00:00Z", 1), head, base, wanted.plan, wanted.report)
        S3Pointers("plans").move(latest.key("octo/shop", number), pointer)

    def items(self) -> list[dict[str, Any]]:
        found = aws.client("dynamodb").scan(TableName="ledger")["Items"]
        units = [item for item in found if item["sk"]["S"].startswith("unit#")]
        return [{name: each["S"] for name, each in item.items()} for item in units]

    def history(self) -> list[Deployment]:
        return DynamoHistory("ledger").since(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def world(runner: Runner, cloud: None) -> World:
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    kept = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    aws.client("dynamodb").create_table(TableName="ledger", **kept)
    return World(runner)


def test_affected_units_reach_the_command_and_are_recorded_with_commit_digest_and_time(world: World) -> None:
    after = world.commit(world.base, cart__a="2")
    assert world.push(world.base, after) == 0
    assert [each["names"] for each in world.ran()] == [["Cart"]]
    assert (world.ran()[0]["commit"], world.ran()[0]["token"]) == (after, None)
    (item,) = world.items()
    assert (item["unit"], item["commit"], item["digest"]) == ("t.yaml#Cart", after, "sha256:Cart")
    assert item["time"].endswith("+00:00")
    assert world.ledger.standing() == Standing(after, (), 2)
    assert (world.runner.outputs["status"], world.runner.outputs["deployed"]) == ("deployed", '["t.yaml#Cart"]')


def test_each_deployment_is_kept_with_what_it_came_to(world: World) -> None:
    first = world.commit(world.base, cart__a="2", mail__a="2")
    world.push(world.base, first, "Mail")
    second = world.commit(first, cart__a="2", mail__a="2", common__a="2")
    world.push(first, second)
    failed, done = world.history()
    assert (failed.target, failed.commit, failed.units) == ("octo/shop#main", first, ("t.yaml#Cart", "t.yaml#Mail"))
    assert (failed.deployed, failed.left) == ({"t.yaml#Cart": "sha256:Cart"}, ("t.yaml#Mail",))
    assert (done.commit, done.succeeded, done.left) == (second, True, ())
    assert done.merged == datetime(2026, 11, 21, 3, 30, tzinfo=UTC)
    assert failed.started <= failed.ended <= done.started  # type: ignore[operator]


def test_a_history_that_cannot_be_kept_stops_no_deployment(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_history: DynamoHistory, _deployment: Deployment) -> None:
        raise AccessRefused("no permission")

    monkeypatch.setattr(DynamoHistory, "keep", refuse)
    assert world.push(world.base, world.commit(world.base, cart__a="2")) == 0
    assert "the figures of this deployment will be wrong: no permission" in capsys.readouterr().out


def test_nothing_affected_is_nothing_run_and_the_branch_moves_on(world: World) -> None:
    after = world.repository.make_commit(FILES | {"README.md": "more"}, world.base)
    assert world.push(world.base, after) == 0
    assert (world.ran(), world.runner.outputs["status"]) == ([], "nothing")
    assert world.ledger.standing().settled == after


def test_what_failed_is_carried_by_the_next_push_and_what_succeeded_is_not(world: World) -> None:
    first = world.commit(world.base, cart__a="2", mail__a="2")
    assert world.push(world.base, first, "Mail") == 1
    assert (world.runner.outputs["status"], world.runner.outputs["owed"]) == ("failed", '["t.yaml#Mail"]')
    second = world.commit(first, cart__a="2", mail__a="2", common__a="2")
    assert world.push(first, second) == 0
    assert world.names() == ["Common", "Mail"]
    assert world.ledger.standing().debts == ()


def test_a_unit_that_failed_and_was_reverted_travels_all_the_same(world: World) -> None:
    first = world.commit(world.base, mail__a="2")
    assert world.push(world.base, first, "Mail") == 1
    reverted = world.commit(first)
    assert world.push(first, reverted) == 0
    assert world.names() == ["Mail"]


def test_a_run_that_was_cancelled_before_it_ran_anything_loses_nothing(world: World) -> None:
    first = world.commit(world.base, mail__a="2")
    world.ledger.move(Standing().owing(["t.yaml#Mail"], world.base, first))
    assert world.push(first, first) == 0
    assert world.names() == ["Mail"]


def test_a_push_whose_run_never_began_is_made_up_for(world: World) -> None:
    first = world.commit(world.base, cart__a="2")
    assert world.push(world.base, first) == 0
    missed = world.commit(first, cart__a="2", mail__a="2")
    third = world.commit(missed, cart__a="2", mail__a="2", common__a="2")
    assert world.push(missed, third) == 0
    assert world.names() == ["Common", "Mail"]


def test_a_run_of_an_older_push_deploys_nothing(world: World) -> None:
    first = world.commit(world.base, cart__a="2")
    second = world.commit(first, cart__a="3")
    assert world.push(first, second) == 0
    assert world.push(world.base, first) == 0
    assert (world.ran(), world.ledger.standing().settled) == ([], second)


def test_a_forced_push_deploys_what_differs_from_what_is_deployed(world: World) -> None:
    first = world.commit(world.base, cart__a="2")
    assert world.push(world.base, first) == 0
    forced = world.commit(world.base, mail__a="2")
    assert world.push(first, forced) == 0
    assert world.names() == ["Cart", "Mail"]


def test_a_failure_ends_the_row_and_what_was_not_begun_stays_owed(world: World) -> None:
    after = world.commit(world.base, common__a="2", cart__a="2")
    assert world.push(world.base, after, "Common", by_kind=True) == 1
    assert [(each["kind"], each["names"]) for each in world.ran()] == [("layer", ["Common"])]
    owed = [debt.unit for debt in world.ledger.standing().debts]
    assert owed == ["t.yaml#Cart", "t.yaml#Common"]


def test_a_removed_unit_is_handed_over_last(world: World) -> None:
    smaller = "\n".join(line for line in TEMPLATE.splitlines() if "Mail" not in line)
    after = world.repository.make_commit(FILES | {"t.yaml": smaller, "cart/a.txt": "2"}, world.base)
    assert world.push(world.base, after) == 0
    assert world.names() == ["Cart", "Mail"]
    assert {item["unit"]: item["change"] for item in world.items()}["t.yaml#Mail"] == "removed"


def test_the_same_run_again_runs_nothing(world: World) -> None:
    after = world.commit(world.base, cart__a="2")
    assert world.push(world.base, after) == 0
    assert world.push(world.base, after) == 0
    assert (world.ran(), world.runner.outputs["status"]) == ([], "nothing")


def test_a_command_that_is_no_list_of_words_is_refused_before_anything_is_owed(world: World) -> None:
    after = world.commit(world.base, cart__a="2")
    for wrong in ('"./deploy.sh"', "[]", "{}", "deploy.sh", '{"layer": ["./layer.sh"]}', '["a", 1]'):
        world.runner.give(KUROSHIO_DEPLOY=wrong)
        assert world.runner.run("after-merge", "push", world.base, after) == 2
    assert world.ledger.standing() == Standing()


def test_a_command_that_does_not_exist_fails_and_everything_stays_owed(world: World) -> None:
    after = world.commit(world.base, cart__a="2")
    world.runner.give(KUROSHIO_DEPLOY='["./no-such-command"]')
    assert world.runner.run("after-merge", "push", world.base, after) == 127
    assert world.ledger.standing().debts == (Debt("t.yaml#Cart", world.base, after),)


@pytest.mark.parametrize("way", ["merge commit", "squash", "rebase"])
def test_each_way_of_merging_finds_its_pull_request_and_says_that_the_plan_held(world: World, way: str) -> None:
    head = world.commit(world.base, cart__a="2")
    world.plan(12, world.base, head)
    if way == "merge commit":
        after = world.commit(world.base, head, cart__a="2")
        world.merge(12, after, head)
    elif way == "squash":
        after = world.commit(world.base, cart__a="2")
        world.merge(12, after)
    else:
        middle = world.commit(world.base, cart__a="1.5")
        after = world.commit(middle, cart__a="2")
        world.merge(12, after, middle)
    assert world.push(world.base, after) == 0
    (body,) = world.runner.github.bodies(12)
    assert "The merge changes what the plan forecast." in body
    assert "| `t.yaml#Cart` | modified | deployed |" in body


def test_a_queue_that_merged_two_pull_requests_tells_each(world: World) -> None:
    first = world.commit(world.base, cart__a="2")
    second = world.commit(first, cart__a="2", mail__a="2")
    for number, base, head in ((12, world.base, first), (13, first, second)):
        world.plan(number, base, head)
        world.merge(number, head)
    assert world.push(world.base, second) == 0
    for number in (12, 13):
        (body,) = world.runner.github.bodies(number)
        assert ("t.yaml#Cart" in body, "t.yaml#Mail" in body, "not forecast" in body) == (True, True, False)


def test_what_differs_from_the_plan_is_said_on_the_pull_request(world: World) -> None:
    world.plan(12, world.base, world.commit(world.base, cart__a="2"))
    after = world.commit(world.base, mail__a="2")
    world.merge(12, after)
    assert world.push(world.base, after) == 0
    (body,) = world.runner.github.bodies(12)
    assert "> - forecast, but not changed: `t.yaml#Cart`" in body
    assert "> - changed, but not forecast: `t.yaml#Mail`" in body


def test_pull_requests_that_the_push_did_not_merge_are_left_alone(world: World) -> None:
    after = world.commit(world.base, cart__a="2")
    world.merge(20, after, branch="develop")
    world.merge(21, after, merged=False)
    world.merge(22, "f" * 40, after)
    world.merge(23, after)
    assert world.push(world.base, after) == 0
    assert {each["number"] for each in world.runner.github.comments} == {23}
    assert "There is no stored plan" in world.runner.github.bodies(23)[0]


def test_a_person_can_see_what_is_owed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    def shown(*more: str) -> tuple[int, str]:
        arguments = ["deployed", "--repository", "octo/shop", "--target", "main", "--ledger-table", "ledger", *more]
        with pytest.raises(SystemExit) as end:
            main(arguments)
        return int(end.value.code or 0), capsys.readouterr().out

    assert shown() == (0, "nothing was ever deployed: 0 units are owed\n")
    after = world.commit(world.base, mail__a="2")
    world.push(world.base, after, "Mail")
    capsys.readouterr()
    code, out = shown()
    assert (code, f"t.yaml#Mail  at {world.base[:12]}, wanted {after[:12]}" in out) == (3, True)
    owed = [{"unit": "t.yaml#Mail", "deployed": world.base, "wanted": after}]
    assert json.loads(shown("--json")[1]) == {"settled": after, "owed": owed}


def test_two_runs_at_once_cannot_both_move_the_standing(world: World) -> None:
    world.ledger.move(Standing().owing(["u"], "a", "b"))
    with pytest.raises(Outpaced):
        world.ledger.move(Standing().owing(["v"], "a", "c"))
    seen = world.ledger.standing()
    world.ledger.move(seen.owing(["u", "v"], "b", "c"))
    with pytest.raises(Outpaced):
        world.ledger.move(seen.paid(["u"], "b"))


def test_a_run_cannot_pay_what_a_later_one_owes() -> None:
    standing = Standing().owing(["u"], "a", "b").owing(["u", "v"], "b", "c")
    assert standing.paid(["u"], "b").debts == (Debt("u", "a", "c"), Debt("v", "b", "c"))
    assert standing.paid(["u"], "c").debts == (Debt("v", "b", "c"),)
