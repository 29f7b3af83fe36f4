"""The step "detect" on events as GitHub sends them, with a git server, an API and AWS beside it."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import aws
from kuroshio.adapters.latest_store import S3Pointers
from kuroshio.adapters.plan_store import S3Plans
from kuroshio.changes.publication import Publication
from kuroshio.changes.request import request as detect_request
from tests.contract.github.conftest import FILES, Runner
from tests.fakes.plans import MemoryBundles, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.git_repository import GitRepository

PLANNED = (
    "pull_request.opened",
    "pull_request.synchronize",
    "pull_request.reopened",
    "pull_request.draft",
    "pull_request.ready_for_review",
    "pull_request.retargeted",
)
KEY = "latest/octo/shop/pr-12.json"


@pytest.fixture
def commits(repository: GitRepository) -> tuple[str, str]:
    base = repository.make_commit(FILES)
    return base, repository.make_commit(FILES | {"cart/a.txt": "2", "common/a.txt": "2"}, base)


@pytest.mark.parametrize("event", PLANNED)
def test_an_event_that_asks_for_a_plan_gets_a_comment_a_summary_and_outputs(
    runner: Runner, commits: tuple[str, str], event: str
) -> None:
    assert runner.run("detect", event, *commits) == 0
    (body,) = runner.github.bodies()
    assert "| `t.yaml#Cart` | function, zip | modified |" in body
    assert "1. 1 layer\n2. 1 function" in body
    assert "t.yaml#Cart" in runner.summary
    assert [each["id"] for each in json.loads(runner.outputs["units"])] == ["t.yaml#Cart", "t.yaml#Common"]
    assert (runner.outputs["status"], runner.outputs["changed"], runner.outputs["complete"]) == (
        "planned",
        "true",
        "true",
    )


@pytest.mark.parametrize(
    "event", ["pull_request.closed", "pull_request.merged", "pull_request.edited", "merge_group.destroyed"]
)
def test_an_event_that_asks_for_none_is_skipped_and_says_so(
    runner: Runner, commits: tuple[str, str], event: str
) -> None:
    assert runner.run("detect", event, *commits) == 0
    assert (runner.outputs["status"], runner.github.asked) == ("skipped", [])


def test_a_merge_queue_gets_a_plan_of_the_whole_group_and_no_comment(runner: Runner, commits: tuple[str, str]) -> None:
    assert runner.run("detect", "merge_group.checks_requested", *commits) == 0
    assert (runner.outputs["changed"], runner.github.bodies()) == ("true", [])
    assert "t.yaml#Cart" in runner.summary


def test_the_comment_is_made_once_and_then_updated(runner: Runner, commits: tuple[str, str]) -> None:
    base, head = commits
    runner.github.write(12, "<!-- kuroshio:plan --> I am not the bot", login="mallory")
    runner.run("detect", "pull_request.opened", base, head)
    later = runner.repository.make_commit(FILES | {"mail/a.txt": "2"}, base)
    runner.run("detect", "pull_request.synchronize", base, later, run=2, updated_at="2026-11-21T05:01:00Z")
    foreign, ours = runner.github.bodies()
    assert foreign.endswith("I am not the bot")
    assert ("t.yaml#Mail" in ours, "t.yaml#Cart" in ours) == (True, False)


def test_a_run_of_an_older_event_leaves_the_comment_of_a_newer_one(runner: Runner, commits: tuple[str, str]) -> None:
    base, head = commits
    runner.run("detect", "pull_request.synchronize", base, head, run=7)
    before = runner.github.bodies()
    assert runner.run("detect", "pull_request.opened", base, base, run=6) == 0
    assert (runner.outputs["status"], runner.github.bodies()) == ("overtaken", before)


def test_two_comments_that_were_made_at_once_become_one(runner: Runner, commits: tuple[str, str]) -> None:
    runner.github.write(12, "<!-- kuroshio:plan --> one")
    runner.github.asked.append(("", ""))
    runner.github.write(12, "<!-- kuroshio:plan --> two")
    runner.run("detect", "pull_request.opened", *commits)
    (body,) = runner.github.bodies()
    assert "t.yaml#Cart" in body


@pytest.mark.parametrize("event", ["pull_request.fork", "pull_request.fork_deleted"])
def test_a_fork_without_a_token_is_planned_on_the_runner_and_told_so(
    runner: Runner, commits: tuple[str, str], event: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runner.give(KUROSHIO_ROLE="arn:aws:iam::123456789012:role/r")
    assert runner.run("detect", event, *commits) == 0
    assert (runner.outputs["published"], runner.outputs["changed"]) == ("false", "true")
    assert "t.yaml#Cart" in runner.summary
    assert "::notice title=Kuroshio::A pull request of a fork gets no token" in capsys.readouterr().out
    assert runner.github.asked == []


def test_dependabots_job_may_neither_take_the_role_nor_comment_and_has_its_plan_in_the_summary(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Its token reads only, and no token for AWS is offered: https://docs.github.com/code-security/dependabot."""
    runner.give(KUROSHIO_ROLE="arn:aws:iam::123456789012:role/r", GITHUB_ACTOR="dependabot[bot]")
    runner.github.is_read_only = True
    assert runner.run("detect", "pull_request.opened", *commits) == 0
    assert (runner.outputs["status"], runner.outputs["published"]) == ("planned", "false")
    assert "t.yaml#Cart" in runner.summary
    assert runner.github.bodies() == []
    assert "::notice title=Kuroshio::A pull request of Dependabot gets no token" in capsys.readouterr().out


@pytest.mark.usefixtures("cloud")
def test_dependabots_job_whose_permissions_were_raised_is_planned_as_any_other(
    runner: Runner, commits: tuple[str, str]
) -> None:
    deployed(runner)
    published(runner, *commits)
    runner.give(GITHUB_ACTOR="dependabot[bot]")
    assert runner.run("detect", "pull_request.opened", *commits) == 0
    assert (runner.outputs["published"], len(runner.github.bodies())) == ("true", 1)


def test_a_missing_permission_is_a_failure_that_names_it(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    runner.give(KUROSHIO_ROLE="arn:aws:iam::123456789012:role/r")
    assert runner.run("detect", "pull_request.opened", *commits) == 2
    assert "id-token: write" in capsys.readouterr().out
    assert runner.outputs["status"] == "failed"


def test_a_comment_that_may_not_be_written_is_a_warning_and_the_summary_has_the_plan(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    runner.github.is_read_only = True
    assert runner.run("detect", "pull_request.opened", *commits) == 0
    assert "::warning title=Kuroshio::the comment was not written" in capsys.readouterr().out
    assert "t.yaml#Cart" in runner.summary


def test_a_limited_request_is_tried_again(runner: Runner, commits: tuple[str, str]) -> None:
    runner.github.refusals = [(403, {"retry-after": "0"}), (502, {})]
    assert runner.run("detect", "pull_request.opened", *commits) == 0
    assert len(runner.github.bodies()) == 1


@pytest.mark.parametrize(("level", "code"), [("warn", 0), ("pass", 0), ("fail", 3), ("", 0), ("often", 2)])
def test_what_an_incomplete_plan_does_can_be_chosen(
    runner: Runner, commits: tuple[str, str], level: str, code: int
) -> None:
    unknown = runner.repository.make_commit(FILES | {"t.yaml": FILES["t.yaml"].replace("cart}", "dist}")}, commits[0])
    runner.give(KUROSHIO_ON_INCOMPLETE=level)
    assert runner.run("detect", "pull_request.opened", commits[0], unknown) == code
    assert runner.outputs["complete"] == "false"


def test_history_is_deepened_until_the_merge_base_is_certain(runner: Runner, commits: tuple[str, str]) -> None:
    base, head = commits
    for at in range(70):
        base = runner.repository.make_commit(FILES | {"README.md": str(at)}, base)
    assert runner.run("detect", "pull_request.opened", base, head) == 0
    assert runner.outputs["complete"] == "true"
    assert [each["id"] for each in json.loads(runner.outputs["units"])] == ["t.yaml#Cart", "t.yaml#Common"]


def test_unrelated_histories_are_an_incomplete_plan_and_no_endless_fetch(
    runner: Runner, commits: tuple[str, str]
) -> None:
    other = runner.repository.make_commit(FILES)
    assert runner.run("detect", "pull_request.opened", commits[0], other) == 0
    assert runner.outputs["complete"] == "false"


def test_a_commit_that_is_gone_after_a_force_push_is_an_error_in_one_line(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert runner.run("detect", "pull_request.opened", commits[0], "e" * 40) == 1
    assert "::error title=Kuroshio::RepositoryUnreadable: git fetch" in capsys.readouterr().out


def published(runner: Runner, base: str, head: str, number: int = 12) -> None:
    """Do what the workflow does, and let it answer at once."""
    wanted = detect_request("octo/shop", number, base, head)
    bundles = MemoryBundles({wanted.bundle: runner.repository})
    Publication(bundles, S3Plans("plans"), MemoryJournal()).publish(wanted.document())


def deployed(runner: Runner, end: Mapping[str, str] | None = None) -> None:
    machine = aws.client("stepfunctions").create_state_machine(
        name="detect",
        definition=json.dumps({"StartAt": "A", "States": {"A": end or {"Type": "Succeed"}}}),
        roleArn="arn:aws:iam::123456789012:role/r",
    )
    runner.with_role()
    runner.give(KUROSHIO_WORKFLOW_ARN=machine["stateMachineArn"])


@pytest.mark.usefixtures("cloud")
def test_with_a_role_the_workflow_plans_from_a_bundle_and_latest_points_to_it(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(runner)
    published(runner, *commits)
    assert runner.run("detect", "pull_request.opened", *commits) == 0
    assert ("GET", "/token?api=1&audience=sts.amazonaws.com") in runner.github.asked
    wanted = detect_request("octo/shop", 12, *commits)
    handed_in = aws.client("s3").head_object(Bucket="incoming", Key=wanted.bundle)["ContentLength"]
    assert (runner.outputs["published"], runner.outputs["bundle-bytes"]) == ("true", str(handed_in))
    assert f"handing in {handed_in:,} bytes (2 commits, 4 folders, contents of 1 files)" in capsys.readouterr().out
    assert S3Pointers("plans").read(KEY).plan == wanted.plan
    assert len(runner.github.bodies()) == 1


@pytest.mark.usefixtures("cloud")
def test_latest_never_goes_back_but_follows_a_force_push_to_an_old_commit(
    runner: Runner, commits: tuple[str, str]
) -> None:
    base, head = commits
    other = runner.repository.make_commit(FILES | {"mail/a.txt": "2"}, base)
    deployed(runner)
    for each in (head, other):
        published(runner, base, each)
    runner.run("detect", "pull_request.opened", base, head, run=1)
    runner.run("detect", "pull_request.synchronize", base, other, run=2)
    assert runner.run("detect", "pull_request.opened", base, head, run=1) == 0
    assert (runner.outputs["status"], S3Pointers("plans").read(KEY).head) == ("overtaken", other)
    assert "t.yaml#Mail" in runner.github.bodies()[0]
    runner.run("detect", "pull_request.synchronize", base, head, run=3)
    assert (runner.outputs["status"], S3Pointers("plans").read(KEY).head) == ("planned", head)
    assert "t.yaml#Cart" in runner.github.bodies()[0]


@pytest.mark.usefixtures("cloud")
def test_the_same_commit_in_two_pull_requests_has_a_plan_and_a_pointer_in_each(
    runner: Runner, commits: tuple[str, str]
) -> None:
    deployed(runner)
    for number in (12, 13):
        published(runner, *commits, number)
        assert runner.run("detect", "pull_request.opened", *commits, number=number) == 0
        assert S3Pointers("plans").read(f"latest/octo/shop/pr-{number}.json").head == commits[1]


@pytest.mark.usefixtures("cloud")
def test_a_bundle_has_nothing_of_the_history_before_the_merge_base(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(runner)
    noise = "".join(sha256(str(at).encode()).hexdigest() for at in range(2000))
    old = runner.repository.make_commit(FILES | {"old.txt": noise})
    base = runner.repository.make_commit(FILES, old)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2"}, base)
    published(runner, base, head)
    runner.run("detect", "pull_request.opened", base, head)
    assert 0 < int(runner.outputs["bundle-bytes"]) < 5_000


@pytest.mark.usefixtures("cloud")
def test_a_workflow_that_reads_more_than_the_action_foresaw_gets_everything(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(runner, {"Type": "Fail", "Error": "RepositoryUnreadable", "Cause": "the object is missing"})
    assert runner.run("detect", "pull_request.opened", *commits) == 1
    said = capsys.readouterr().out
    assert said.count("handing in") == 2
    assert "contents of 1 files" in said
    assert "contents of 3 files" in said


@pytest.mark.usefixtures("cloud")
def test_a_workflow_that_failed_otherwise_is_not_asked_again(
    runner: Runner, commits: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    deployed(runner, {"Type": "Fail", "Error": "LimitExceeded", "Cause": "too much"})
    assert runner.run("detect", "pull_request.opened", *commits) == 1
    assert capsys.readouterr().out.count("handing in") == 1
