"""Both stacks, deployed by the commands that users type, do their work in a lab of real containers with their own roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from deployed import APPLICATION, CHECKOUT, COMMITS, FOUNDATION, Deployed
from harness import eventually

from kuroshio.adapters import bundling
from kuroshio.adapters.git import Git
from lab.engine import find
from lab.place import place_of, start_time

if TYPE_CHECKING:
    from pathlib import Path


def runs(deployed: Deployed) -> list[dict[str, Any]]:
    table = deployed.output(FOUNDATION, "LedgerTableName")
    return list(deployed.aws("dynamodb").scan(TableName=table)["Items"])


def statuses(deployed: Deployed) -> str:
    return json.dumps(runs(deployed))


def test_a_pull_request_becomes_a_plan_its_bundle_is_discarded_and_its_analyses_are_kept(deployed: Deployed) -> None:
    plan = json.loads(deployed.plan(1))

    incoming, s3 = deployed.output(FOUNDATION, "IncomingBucketName"), deployed.aws("s3")
    assert plan["schema"]
    assert s3.list_objects_v2(Bucket=incoming, Prefix="incoming/")["KeyCount"] == 0
    assert s3.list_objects_v2(Bucket=incoming, Prefix="analyses/kuroshio/kuroshio/")["KeyCount"] == 1


def test_the_same_request_again_finds_its_plan_written_and_succeeds(deployed: Deployed, tmp_path: Path) -> None:
    deployed.plan(4)
    machine, sfn = deployed.output(APPLICATION, "DetectChangesWorkflowArn"), deployed.aws("stepfunctions")
    started = [one["executionArn"] for one in sfn.list_executions(stateMachineArn=machine)["executions"]]
    inputs = [json.loads(sfn.describe_execution(executionArn=arn)["input"]) for arn in started]
    request = next(one for one in inputs if one["pull_request"] == 4)
    bundling.write(Git(CHECKOUT), tmp_path / "bundle", request["base"], request["head"])
    incoming = deployed.output(FOUNDATION, "IncomingBucketName")
    deployed.aws("s3").upload_file(str(tmp_path / "bundle"), incoming, request["bundle"])

    assert deployed.execute(request)["status"] == "SUCCEEDED"


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

    done = deployed.execute(request)

    plans = deployed.output(FOUNDATION, "PlanBucketName")
    left = deployed.aws("s3").list_objects_v2(Bucket=plans, Prefix="failures/owner/name/pr-9/")
    assert (done["status"], left["KeyCount"]) == ("FAILED", 1)
    assert eventually(lambda: "FAILED" in statuses(deployed), within_s=60)


def test_a_service_that_throttles_for_a_moment_does_not_fail_a_run(deployed: Deployed) -> None:
    where = ("--service", "s3", "--operation", "GetObject", "--caller", "DetectChanges", "--times", "2")
    deployed.run("kuroshio", "lab", "fault", "throttled", *where)

    assert json.loads(deployed.plan(3))["head"] == Git(CHECKOUT).commit(COMMITS[1])
    assert deployed.run("kuroshio", "lab", "fault", "list") == ""


def test_a_plan_is_written_once_even_by_the_operator(deployed: Deployed) -> None:
    bucket = deployed.output(FOUNDATION, "PlanBucketName")
    s3 = deployed.aws("s3")

    with pytest.raises(s3.exceptions.ClientError, match="PlansAreWrittenOnce"):
        s3.put_object(Bucket=bucket, Key="plans/a.json", Body=b"{}")


def test_deploying_the_infrastructure_again_changes_neither_it_nor_the_code(deployed: Deployed) -> None:
    lambdas = deployed.aws("lambda")
    before = lambdas.get_function(FunctionName="kuroshio-dev-detect-changes")["Code"]["ResolvedImageUri"]

    said = deployed.deploy("dev", *deployed.parameters)

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
