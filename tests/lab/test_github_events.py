"""The action's step on every event of a pull request's life, against the workflow as it is deployed: its state machine and
the function's own container, a git server over HTTP behind the job's token, and GitHub's API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from deployed import APPLICATION, FOUNDATION, Deployed

from kuroshio.adapters import aws
from kuroshio.changes.detection import detect
from kuroshio.changes.rendering import document
from kuroshio.changes.request import request as detect_request
from tests.contract.github.conftest import FILES, Runner
from tests.fakes import git_server, github_server
from tests.fakes.git_repository import GitRepository

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghs_of_the_job"
LATEST = "latest/octo/shop/pr-{}.json"


class Life:
    """A pull request of octo/shop, and what became of it in AWS."""

    def __init__(self, deployed: Deployed, runner: Runner, role: str) -> None:
        self.runner, self.repository = runner, runner.repository
        self.plans = deployed.output(FOUNDATION, "PlanBucketName")
        self.incoming = deployed.output(FOUNDATION, "IncomingBucketName")
        self.s3 = deployed.aws("s3")
        runner.with_role()
        runner.give(
            AWS_ENDPOINT_URL=deployed.environment["AWS_ENDPOINT_URL"],
            KUROSHIO_ROLE=role,
            KUROSHIO_INCOMING_BUCKET=self.incoming,
            KUROSHIO_PLAN_BUCKET=self.plans,
            KUROSHIO_WORKFLOW_ARN=deployed.output(APPLICATION, "DetectChangesWorkflowArn"),
        )
        self.base = self.repository.make_commit(FILES)
        self.moved = self.repository.make_commit(FILES | {"mail/a.txt": "2"}, self.base)

    def commit(self, **files: str) -> str:
        named = {name.replace("__", "/") + ".txt": text for name, text in files.items()}
        return self.repository.make_commit(FILES | named, self.base)

    def in_force(self, number: int = 12) -> str:
        found = self.s3.get_object(Bucket=self.plans, Key=LATEST.format(number))["Body"].read()
        return str(json.loads(found)["head"])

    def has(self, base: str, head: str, number: int = 12) -> bool:
        """Whether the workflow kept the very plan that detection gives from the repository, and discarded the bundle."""
        wanted = detect_request("octo/shop", number, base, head)
        kept = self.s3.get_object(Bucket=self.plans, Key=wanted.plan)["Body"].read()
        assert document.read(kept) == detect(self.repository, base, head)
        return int(self.s3.list_objects_v2(Bucket=self.incoming, Prefix=wanted.bundle)["KeyCount"]) == 0

    def keys(self) -> int:
        return int(self.s3.list_objects_v2(Bucket=self.plans)["KeyCount"])


@pytest.fixture(scope="module")
def role(deployed: Deployed) -> str:
    """A role for the job. What the foundation's own may is judged in test_github.py."""
    iam = deployed.aws("iam")
    return str(iam.create_role(RoleName="job-of-octo-shop", AssumeRolePolicyDocument="{}")["Role"]["Arn"])


@pytest.fixture
def life(deployed: Deployed, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Life]:
    path = tmp_path / "octo" / "shop"
    path.mkdir(parents=True)
    repository = GitRepository(path)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    with github_server.served() as github, git_server.served(tmp_path, TOKEN) as server:
        runner = Runner(tmp_path, github, repository, monkeypatch)
        runner.give(GITHUB_SERVER_URL=server.url, KUROSHIO_TOKEN=TOKEN, no_proxy="*")
        yield Life(deployed, runner, role)
    aws.forget_clients()


def test_a_pull_request_lives_through_its_events_and_the_newest_plan_is_in_force(life: Life) -> None:
    runner, first, forced = life.runner, life.commit(cart__a="2"), life.commit(common__a="2")

    assert runner.run("detect", "pull_request.opened", life.base, first, run=1) == 0
    assert (runner.outputs["published"], life.in_force(), life.has(life.base, first)) == ("true", first, True)
    assert "t.yaml#Cart" in runner.github.bodies()[0]

    later = {"run": 2, "updated_at": "2026-11-21T06:00:00Z"}
    assert runner.run("detect", "pull_request.synchronize", life.base, forced, **later) == 0  # type: ignore[arg-type]
    assert (life.in_force(), life.has(life.base, forced), life.has(life.base, first)) == (forced, True, True)
    (body,) = runner.github.bodies()
    assert ("t.yaml#Common" in body, "t.yaml#Cart" in body) == (True, False)

    # The job of the first event is run again: nothing is handed in, and it does not put itself in force.
    assert runner.run("detect", "pull_request.opened", life.base, first, run=1) == 0
    assert (runner.outputs["status"], runner.outputs["bundle-bytes"]) == ("overtaken", "0")
    assert (life.in_force(), runner.github.bodies()) == (forced, [body])

    moved = {"run": 3, "updated_at": "2026-11-21T06:10:00Z"}
    assert runner.run("detect", "pull_request.retargeted", life.moved, forced, **moved) == 0  # type: ignore[arg-type]
    assert (runner.outputs["base"], life.has(life.moved, forced)) == (life.moved, True)

    before = life.keys()
    assert runner.run("detect", "pull_request.closed", life.moved, forced, run=4) == 0
    assert (runner.outputs["status"], life.keys()) == ("skipped", before)


def test_a_draft_and_a_merge_queue_are_planned_and_only_the_draft_is_told(life: Life) -> None:
    runner, head = life.runner, life.commit(mail__a="3")
    assert runner.run("detect", "pull_request.draft", life.base, head, number=31) == 0
    assert (runner.outputs["status"], life.in_force(31), len(runner.github.bodies(31))) == ("planned", head, 1)
    runner.github.comments.clear()
    assert runner.run("detect", "merge_group.checks_requested", life.moved, head, run=2) == 0
    assert (runner.outputs["published"], runner.outputs["changed"], runner.github.comments) == ("true", "true", [])
    assert life.has(life.moved, head)


def test_a_fork_and_dependabot_are_planned_on_the_runner_and_leave_nothing_in_aws(life: Life) -> None:
    runner, head, before = life.runner, life.commit(cart__a="4"), life.keys()
    for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
        del runner.environ[name]
    runner.github.is_read_only = True
    assert runner.run("detect", "pull_request.fork", life.base, head) == 0
    assert (runner.outputs["published"], "t.yaml#Cart" in runner.summary) == ("false", True)
    runner.give(GITHUB_ACTOR="dependabot[bot]")
    assert runner.run("detect", "pull_request.opened", life.base, head) == 0
    assert (runner.outputs["published"], "t.yaml#Cart" in runner.summary) == ("false", True)
    assert (life.keys(), runner.github.comments) == (before, [])


def test_two_runs_at_once_and_the_same_commit_in_two_pull_requests_agree(life: Life) -> None:
    runner, old, new = life.runner, life.commit(cart__a="5"), life.commit(common__a="5")
    times = {1: "2026-11-21T07:00:00Z", 2: "2026-11-21T07:00:01Z"}
    steps = [
        runner.begin("detect", "pull_request.synchronize", life.base, head, run=run, number=41, updated_at=times[run])
        for run, head in ((1, old), (2, new))
    ]
    other = runner.begin("detect", "pull_request.opened", life.base, new, run=3, number=42)
    ended = [step.ended() for step in (*steps, other)]
    assert [code for code, _, _ in ended] == [0, 0, 0], ended
    assert ended[0][2]["status"] in {"planned", "overtaken"}
    assert [outputs["status"] for _, _, outputs in ended[1:]] == ["planned", "planned"]
    assert (life.in_force(41), life.in_force(42)) == (new, new)
    assert life.has(life.base, new, 41)
    assert life.has(life.base, new, 42)
    (body,) = runner.github.bodies(41)
    assert "t.yaml#Common" in body
