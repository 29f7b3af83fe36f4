"""The actions' steps against the lab: the foundation as it is deployed, its roles, and its buckets' policies."""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from harness import eventually

from kuroshio.adapters import aws
from kuroshio.adapters.deployments import DynamoDeployments
from kuroshio.adapters.plan_store import S3Plans
from kuroshio.changes.publication import Publication
from kuroshio.changes.request import request as detect_request
from lab.permissions import judge, needs_of, read_roles
from lab.place import REGION
from tests.contract.github.conftest import FILES, Runner
from tests.fakes.git_repository import GitRepository
from tests.fakes.github_server import served
from tests.fakes.plans import MemoryBundles, MemoryJournal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness import LabInProcess

FOUNDATION = (Path(__file__).parents[2] / "foundation.yaml").read_text()
MACHINE = {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}
DEPLOY = "import os; print(open(os.environ['KUROSHIO_UNITS_FILE']).read())"
# Deploys one of two units, says that it did, and hangs.
HALF_WAY = """
import json, os, sys, time
with open(os.environ["KUROSHIO_RESULTS_FILE"], "a") as results:
    results.write(json.dumps({"unit": "t.yaml#Cart"}) + "\\n")
open(sys.argv[1], "w").close()
time.sleep(300)
"""


@pytest.fixture(scope="module")
def foundation(lab: LabInProcess) -> dict[str, str]:
    return lab.deploy(
        "github-foundation",
        FOUNDATION,
        Environment="gh",
        GitHubSubjects="repo:octo/shop:pull_request",
        GitHubReleaseSubjects="repo:octo/shop:environment:production",
    )


@pytest.fixture
def deployed(
    lab: LabInProcess, foundation: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """The foundation's outputs, with this process's AWS being the lab."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", lab.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "operator")
    aws.forget_clients()
    yield foundation
    aws.forget_clients()


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    path = tmp_path / "octo" / "shop"
    path.mkdir(parents=True)
    repository = GitRepository(path)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    with served() as github:
        yield Runner(tmp_path, github, repository, monkeypatch)


def test_both_steps_do_their_work_with_what_their_roles_may_and_no_more(
    lab: LabInProcess, deployed: dict[str, str], runner: Runner
) -> None:
    base = runner.repository.make_commit(FILES)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2"}, base)
    machine = lab.aws("stepfunctions").create_state_machine(
        name="kuroshio-gh-detect-changes", definition=json.dumps(MACHINE), roleArn="arn:aws:iam::123456789012:role/any"
    )
    published(deployed, runner, base, head)
    runner.with_role()
    buckets = {"KUROSHIO_INCOMING_BUCKET": deployed["IncomingBucketName"]}
    runner.give(
        KUROSHIO_AWS_REGION=REGION,
        KUROSHIO_ROLE=deployed["GitHubRoleArn"],
        KUROSHIO_PLAN_BUCKET=deployed["PlanBucketName"],
        KUROSHIO_WORKFLOW_ARN=machine["stateMachineArn"],
        **buckets,
    )
    assert runner.run("detect", "pull_request.opened", base, head) == 0
    later = {"run": 2, "updated_at": "2026-11-21T05:30:00Z"}
    assert runner.run("detect", "pull_request.synchronize", base, head, **later) == 0  # type: ignore[arg-type]

    pull = {"number": 12, "base": {"ref": "main"}, "merged_at": "2026-11-21T05:40:00Z", "merge_commit_sha": head}
    runner.github.pulls[head] = [pull]
    runner.give(
        KUROSHIO_ROLE=deployed["GitHubReleaseRoleArn"],
        KUROSHIO_LEDGER_TABLE=deployed["LedgerTableName"],
        KUROSHIO_DEPLOY=json.dumps([sys.executable, "-c", DEPLOY]),
    )
    assert runner.run("after-merge", "push", base, head) == 0
    assert runner.outputs["deployed"] == '["t.yaml#Cart"]'
    plan, after = runner.github.bodies()
    assert "t.yaml#Cart" in plan
    assert "The merge changes what the plan forecast." in after

    arns = {deployed["GitHubRoleArn"], deployed["GitHubReleaseRoleArn"]}
    roles = [role for role in read_roles(lab.aws("iam")) if role.arn in arns]
    verdicts = judge([need for need in needs_of(lab.records()) if need.role in arns], roles)
    assert {one.need.role for one in verdicts} == arns
    assert [(one.need.action, one.need.resource) for one in verdicts if one.decision != "Allowed"] == []


def test_a_cancelled_deployment_ends_its_command_keeps_what_was_done_and_says_what_is_owed(
    deployed: dict[str, str], runner: Runner, tmp_path: Path
) -> None:
    base = runner.repository.make_commit(FILES)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2", "mail/a.txt": "2"}, base)
    pull = {"number": 50, "base": {"ref": "main"}, "merged_at": "2026-11-21T05:40:00Z", "merge_commit_sha": head}
    runner.github.pulls[head] = [pull]
    runner.with_role()
    runner.give(
        KUROSHIO_AWS_REGION=REGION,
        KUROSHIO_ROLE=deployed["GitHubReleaseRoleArn"],
        KUROSHIO_PLAN_BUCKET=deployed["PlanBucketName"],
        KUROSHIO_LEDGER_TABLE=deployed["LedgerTableName"],
        KUROSHIO_TARGET="cancelled",
        KUROSHIO_DEPLOY=json.dumps([sys.executable, "-c", HALF_WAY, str(tmp_path / "half-way")]),
    )
    step = runner.begin("after-merge", "push", base, head)
    eventually((tmp_path / "half-way").exists, within_s=120)
    step.cancel(signal.SIGINT)
    code, said, outputs = step.ended()
    assert (code, "Traceback" in said) == (130, False), said
    assert (outputs["deployed"], outputs["owed"]) == ('["t.yaml#Cart"]', '["t.yaml#Mail"]')
    (body,) = runner.github.bodies(50)
    assert "| `t.yaml#Cart` | modified | deployed |" in body
    assert "| `t.yaml#Mail` | modified | **not deployed**: it is owed, and the next push carries it |" in body
    standing = DynamoDeployments(deployed["LedgerTableName"], "octo/shop", "cancelled").standing()
    assert [debt.unit for debt in standing.debts] == ["t.yaml#Mail"]


def test_the_pointer_cannot_be_written_without_a_comparison(lab: LabInProcess, deployed: dict[str, str]) -> None:
    where: dict[str, Any] = {"Bucket": deployed["PlanBucketName"], "Key": "latest/octo/shop/pr-99.json"}
    with pytest.raises(ClientError, match="LatestMovesByComparison"):
        lab.aws("s3").put_object(**where, Body=b"")
    etag = lab.aws("s3").put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    lab.aws("s3").put_object(**where, Body=b"2", IfMatch=etag)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        lab.aws("s3").put_object(**where, Body=b"3", IfMatch=etag)


def published(deployed: dict[str, str], runner: Runner, base: str, head: str) -> None:
    wanted = detect_request("octo/shop", 12, base, head)
    bundles = MemoryBundles({wanted.bundle: runner.repository})
    Publication(bundles, S3Plans(deployed["PlanBucketName"]), MemoryJournal()).publish(wanted.document())
