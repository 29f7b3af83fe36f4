"""Both stacks, deployed by the commands that users type, do their work in a lab of real containers with their own roles."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness import eventually

from kuroshio.adapters import bundling
from kuroshio.adapters.git import Git
from lab.clients import client
from lab.engine import find
from lab.place import OPERATOR, REGION, place_of, start_time

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CHECKOUT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMMITS = ("HEAD~3", "HEAD")


@dataclass(frozen=True)
class Deployed:
    environment: Mapping[str, str]

    def aws(self, service: str) -> Any:
        return client(service, self.environment["AWS_ENDPOINT_URL"], REGION, OPERATOR)

    def run(self, *command: str, accept: tuple[int, ...] = (0,)) -> str:
        """Run a command of ours as a person would; its standard output. Fails with the end of its messages."""
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=CHECKOUT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in accept, f"{command}: {done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def output(self, stack: str, key: str) -> str:
        [found] = self.aws("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return str(next(one["OutputValue"] for one in found["Outputs"] if one["OutputKey"] == key))

    def plan(self, number: int, *, accept: tuple[int, ...] = (0, 3)) -> str:
        where = ("--repo", ".", "--repository", "kuroshio/kuroshio", "--pr", str(number))
        commits = ("--base", COMMITS[0], "--head", COMMITS[1])
        return self.run("kuroshio", "plan", "request", *where, *commits, "--wait", "--json", accept=accept)


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    name = f"test-{secrets.token_hex(3)}"
    shell = Deployed({"KUROSHIO_LAB": name})
    shell.run("kuroshio", "lab", "up", "--port", "0", "--speed", "60")
    try:
        inside = Deployed({"KUROSHIO_LAB": name, **json.loads(shell.run("kuroshio", "lab", "env", "--json"))})
        deploy_as_a_user_would(inside)
        yield inside
    finally:
        shell.run("kuroshio", "lab", "down")


def deploy_as_a_user_would(shell: Deployed) -> None:
    deploy = ("sam", "deploy", "--no-confirm-changeset", "--config-env")
    architecture = f"Architecture={shell.environment['KUROSHIO_ARCHITECTURE']}"
    shell.run("kuroshio", "image", "build", "--allow-dirty")
    shell.run(*deploy, "foundation-dev")
    shell.run("kuroshio", "image", "push", "--initial")
    parameters = ("Environment=dev", "ImageUri=/kuroshio/dev/image", architecture)
    shell.run(*deploy, "dev", "--parameter-overrides", *parameters)
    shell.run("kuroshio", "image", "push", "--allow-dirty")
    shell.run("kuroshio", "image", "deploy", "--allow-dirty")


def runs(deployed: Deployed) -> list[dict[str, Any]]:
    table = deployed.output("kuroshio-foundation-dev", "LedgerTableName")
    return list(deployed.aws("dynamodb").scan(TableName=table)["Items"])


def statuses(deployed: Deployed) -> str:
    return json.dumps(runs(deployed))


def execute(deployed: Deployed, request: dict[str, Any]) -> dict[str, Any]:
    """Run the workflow to its end, as DescribeExecution tells it."""
    machine, sfn = deployed.output("kuroshio-dev", "DetectChangesWorkflowArn"), deployed.aws("stepfunctions")
    arn = sfn.start_execution(stateMachineArn=machine, name=str(uuid.uuid4()), input=json.dumps(request))[
        "executionArn"
    ]

    def ended() -> Any:
        seen = sfn.describe_execution(executionArn=arn)
        return seen if seen["status"] != "RUNNING" else None

    return dict(eventually(ended, within_s=60))


def test_a_pull_request_becomes_a_plan_and_its_bundle_is_discarded(deployed: Deployed) -> None:
    plan = json.loads(deployed.plan(1))

    incoming = deployed.output("kuroshio-foundation-dev", "IncomingBucketName")
    assert plan["schema"]
    assert deployed.aws("s3").list_objects_v2(Bucket=incoming)["KeyCount"] == 0


def test_the_same_request_again_finds_its_plan_written_and_succeeds(deployed: Deployed, tmp_path: Path) -> None:
    deployed.plan(4)
    machine, sfn = deployed.output("kuroshio-dev", "DetectChangesWorkflowArn"), deployed.aws("stepfunctions")
    started = [one["executionArn"] for one in sfn.list_executions(stateMachineArn=machine)["executions"]]
    inputs = [json.loads(sfn.describe_execution(executionArn=arn)["input"]) for arn in started]
    request = next(one for one in inputs if one["pull_request"] == 4)
    bundling.write(Git(CHECKOUT), tmp_path / "bundle", request["base"], request["head"])
    incoming = deployed.output("kuroshio-foundation-dev", "IncomingBucketName")
    deployed.aws("s3").upload_file(str(tmp_path / "bundle"), incoming, request["bundle"])

    assert execute(deployed, request)["status"] == "SUCCEEDED"


def test_every_run_is_in_the_ledger(deployed: Deployed) -> None:
    deployed.plan(2)

    assert eventually(lambda: "SUCCEEDED" in statuses(deployed), within_s=60)


def test_a_bundle_that_is_not_there_fails_the_run_by_name_and_leaves_a_failure_to_read(deployed: Deployed) -> None:
    base, head = "a" * 40, "b" * 40
    request = {
        "schema": "kuroshio.detect-request/1",
        "repository": "owner/name",
        "pull_request": 9,
        "base": base,
        "head": head,
        "bundle": f"incoming/owner/name/pr-9/{head}-{base}.bundle",
    }

    done = execute(deployed, request)

    plans = deployed.output("kuroshio-foundation-dev", "PlanBucketName")
    left = deployed.aws("s3").list_objects_v2(Bucket=plans, Prefix="failures/owner/name/pr-9/")
    assert (done["status"], left["KeyCount"]) == ("FAILED", 1)
    assert eventually(lambda: "FAILED" in statuses(deployed), within_s=60)


def test_a_service_that_throttles_for_a_moment_does_not_fail_a_run(deployed: Deployed) -> None:
    where = ("--service", "s3", "--operation", "GetObject", "--caller", "DetectChanges", "--times", "2")
    deployed.run("kuroshio", "lab", "fault", "throttled", *where)

    assert json.loads(deployed.plan(3))["head"] == Git(CHECKOUT).commit(COMMITS[1])
    assert deployed.run("kuroshio", "lab", "fault", "list") == ""


def test_a_plan_is_written_once_even_by_the_operator(deployed: Deployed) -> None:
    bucket = deployed.output("kuroshio-foundation-dev", "PlanBucketName")
    s3 = deployed.aws("s3")

    with pytest.raises(s3.exceptions.ClientError, match="PlansAreWrittenOnce"):
        s3.put_object(Bucket=bucket, Key="plans/a.json", Body=b"{}")


def test_deploying_the_infrastructure_again_changes_neither_it_nor_the_code(deployed: Deployed) -> None:
    lambdas = deployed.aws("lambda")
    before = lambdas.get_function(FunctionName="kuroshio-dev-detect-changes")["Code"]["ResolvedImageUri"]
    architecture = f"Architecture={deployed.environment['KUROSHIO_ARCHITECTURE']}"
    parameters = ("--parameter-overrides", "Environment=dev", "ImageUri=/kuroshio/dev/image", architecture)

    said = deployed.run("sam", "deploy", "--no-confirm-changeset", "--config-env", "dev", *parameters)

    after = lambdas.get_function(FunctionName="kuroshio-dev-detect-changes")["Code"]["ResolvedImageUri"]
    assert "No changes to deploy" in said
    assert before == after
    assert "@sha256:" in after


def test_no_role_did_what_it_may_not_and_nothing_is_granted_that_nothing_uses(deployed: Deployed) -> None:
    """Runs last: it judges all that the tests above made the roles do."""
    judged = json.loads(
        deployed.run("kuroshio", "lab", "permissions", "--role", "kuroshio-", "--json", accept=(0, 1, 3))
    )

    assert judged["judged"] > 0
    assert judged["denied"] == []
    assert judged["unused"] == []


def test_going_down_leaves_nothing(deployed: Deployed) -> None:
    """Its own lab: the module's is still needed."""
    own = Deployed({"KUROSHIO_LAB": f"{deployed.environment['KUROSHIO_LAB']}-2"})
    own.run("kuroshio", "lab", "up", "--port", "0")
    again = json.loads(own.run("kuroshio", "lab", "up", "--json"))  # a second `up` finds the first
    running = json.loads(own.run("kuroshio", "lab", "status", "--json"))

    own.run("kuroshio", "lab", "down")

    place = place_of(own.environment)
    assert running["pid"] == again["pid"]
    assert place.read_running() is None
    assert start_time(again["pid"]) == ""
    assert find().containers(place.name) == ()
    own.run("kuroshio", "lab", "status", accept=(1,))
