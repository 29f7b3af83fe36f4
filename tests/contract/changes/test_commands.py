"""The commands as people and pipelines use them: output, exit codes, and what they ask of AWS."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from kuroshio.adapters import aws
from kuroshio.adapters.bundles import S3Bundles
from kuroshio.adapters.plan_store import S3Plans
from kuroshio.changes.publication import Publication
from kuroshio.cli import main
from tests.fakes.git_repository import GitRepository
from tests.fakes.plans import MemoryJournal
from tests.unit.changes.test_detection import SCHEMA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEMPLATE = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src}}}"
UNKNOWN = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: dist}}}"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Branches: c1 the base, c2 changes a function, c3 cannot be known, c4 shares no history."""
    (tmp_path / "origin.git").mkdir()
    repository = GitRepository(tmp_path / "origin.git")
    base = repository.make_commit({"t.yaml": TEMPLATE, "src/a": "1"})
    repository.make_commit({"t.yaml": TEMPLATE, "src/a": "2", os.fsdecode(b"src/\xff\x1b[31m"): "1"}, base)
    repository.make_commit({"t.yaml": UNKNOWN, "src/a": "1"}, base)
    repository.make_commit({"t.yaml": TEMPLATE, "src/a": "1"})
    return repository


def detect(repository: GitRepository, head: str, *more: str) -> list[object]:
    return ["detect", "--repo", repository.path, "--base", "c1", "--head", head, *more]


def test_a_complete_plan_ends_with_0_and_an_incomplete_one_with_3(run: Any, repository: GitRepository) -> None:
    assert run(*detect(repository, "c2"))[0] == 0
    assert run(*detect(repository, "c3"))[0] == 3
    assert run(*detect(repository, "c4"))[0] == 3


def test_wrong_usage_ends_with_2_and_failure_with_1_and_one_line(run: Any, repository: GitRepository) -> None:
    assert run("detect", "--repo", repository.path)[0] == 2
    code, out, err = run(*detect(repository, "no-such-branch"))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "RepositoryUnreadable" in err
    assert run("detect", "--repo", "/nowhere", "--base", "a", "--head", "b")[0] == 1


def test_the_table_in_a_pipe_is_plain_and_nothing_in_it_can_command_a_terminal(
    run: Any, repository: GitRepository
) -> None:
    _, out, _ = run(*detect(repository, "c2"))
    assert "t.yaml#F" in out
    assert "content of src/a (CodeUri)" in out
    assert "src/\\xff\\u001b[31m" in out
    assert "\x1b" not in out


@pytest.mark.parametrize("head", ["c2", "c3", "c4"])
def test_the_json_is_a_valid_plan_and_the_same_each_time(run: Any, repository: GitRepository, head: str) -> None:
    _, out, err = run(*detect(repository, head, "--json"))
    jsonschema.validate(json.loads(out), SCHEMA)
    assert err == ""
    assert run(*detect(repository, head, "--format", "json"))[1] == out


def test_the_markdown_cannot_be_broken_out_of(run: Any, repository: GitRepository) -> None:
    evil = "src/`|</details>@octocat\n# injected"
    repository.make_commit({"t.yaml": TEMPLATE, "src/a": "1", evil: "1"}, repository.commit("c1"))
    _, out, _ = run(*detect(repository, "c5", "--format", "markdown"))
    (row,) = [line for line in out.splitlines() if "t.yaml#F" in line]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    assert row.count("`") % 2 == 0
    assert "\n# injected" not in out


def test_the_output_may_go_to_a_file(run: Any, repository: GitRepository, tmp_path: Path) -> None:
    expected = run(*detect(repository, "c2", "--json"))[1]
    code, out, _ = run(*detect(repository, "c2", "--json", "--output", str(tmp_path / "plan.json")))
    assert (code, out, (tmp_path / "plan.json").read_text()) == (0, "", expected)


def test_units_are_listed_with_what_they_are_made_of_and_what_is_not_known(run: Any, repository: GitRepository) -> None:
    code, out, _ = run("units", "--repo", repository.path, "--rev", "c1", "--json")
    found = {"id": "t.yaml#F", "kind": "function", "packaging": "zip", "uses": [], "doubts": []}
    assert (code, json.loads(out)) == (0, [found | {"inputs": [{"path": "src", "through": "CodeUri"}]}])
    _, out, _ = run("units", "--repo", repository.path, "--rev", "c3")
    assert "unknown: its CodeUri dist is not in the repository" in out


def test_a_unit_and_a_path_are_explained(run: Any, repository: GitRepository) -> None:
    code, out, _ = run(*detect(repository, "c2", "--why", "t.yaml#F"))
    assert (code, out.splitlines()[0]) == (0, "t.yaml#F (function, zip): modified")
    code, out, _ = run(*detect(repository, "c2", "--why", "src/a", "--json"))
    found = json.loads(out)
    assert (code, found["units"]) == (0, [{"id": "t.yaml#F", "through": ["CodeUri"]}])
    assert run(*detect(repository, "c2", "--why", "nothing"))[0] == 2


@pytest.fixture
def workflow(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A deployed workflow whose executions end at once in the given state."""
    monkeypatch.setenv("KUROSHIO_INCOMING_BUCKET", "incoming")
    monkeypatch.setenv("KUROSHIO_PLAN_BUCKET", "plans")

    def deploy(end: str) -> None:
        state = {"Type": end} | ({"Error": "RepositoryUnreadable", "Cause": "damaged"} if end == "Fail" else {})
        made = aws.client("stepfunctions").create_state_machine(
            name=f"detect-{end}",
            definition=json.dumps({"StartAt": "A", "States": {"A": state}}),
            roleArn="arn:aws:iam::123456789012:role/r",
        )
        monkeypatch.setenv("KUROSHIO_DETECT_WORKFLOW_ARN", made["stateMachineArn"])

    return deploy


def plan(verb: str, repository: GitRepository, *more: str) -> list[object]:
    options = ["--repo", repository.path, "--repository", "octo/shop", "--pr", 12, "--base", "c1", "--head", "c2"]
    return ["plan", verb, *options, *more]


def publish(answer: dict[str, str]) -> None:
    """Do what the function does, once the bundle was handed in."""
    arn = answer["execution"]
    request = json.loads(aws.client("stepfunctions").describe_execution(executionArn=arn)["input"])
    Publication(S3Bundles("incoming"), S3Plans("plans"), MemoryJournal()).publish(request)


def test_a_request_hands_in_a_bundle_from_which_the_plan_of_the_repository_comes(
    run: Any, repository: GitRepository, workflow: Any
) -> None:
    workflow("Succeed")
    code, out, _ = run(*plan("request", repository, "--json"))
    assert code == 0
    publish(json.loads(out))
    _, expected, _ = run(*detect(repository, "c2", "--json"))
    assert run(*plan("show", repository, "--json")) == (0, expected, "")
    assert run(*plan("request", repository, "--json", "--wait"))[:2] == (0, expected)


def test_asking_again_starts_no_second_execution(run: Any, repository: GitRepository, workflow: Any) -> None:
    workflow("Succeed")
    first = json.loads(run(*plan("request", repository, "--json"))[1])
    code, out, err = run(*plan("request", repository, "--json"))
    assert (code, json.loads(out)) == (0, first)
    assert "asked before" in err


def test_a_failed_execution_is_an_error_with_its_cause_and_can_be_asked_for_again(
    run: Any, repository: GitRepository, workflow: Any
) -> None:
    workflow("Fail")
    code, _, err = run(*plan("request", repository, "--wait"))
    assert code == 1
    assert "WorkflowFailed" in err
    assert "RepositoryUnreadable: damaged" in err
    _, out, _ = run(*plan("request", repository, "--json"))
    assert json.loads(out)["execution"].endswith("-2")


def test_a_plan_that_was_never_made_is_not_found(run: Any, repository: GitRepository, workflow: Any) -> None:
    code, _, err = run(*plan("show", repository))
    assert code == 1
    assert "NotFound" in err


def test_names_come_from_the_stacks_and_what_is_missing_is_named(run: Any, repository: GitRepository, s3: Any) -> None:
    code, _, err = run(*plan("show", repository, "--env", "prod"))
    assert (code, "kuroshio-foundation-prod" in err) == (1, True)
    template = {"Resources": {}, "Outputs": {"PlanBucketName": {"Value": "plans"}}}
    template["Resources"] = {"Topic": {"Type": "AWS::SNS::Topic"}}
    aws.client("cloudformation").create_stack(StackName="kuroshio-foundation-prod", TemplateBody=json.dumps(template))
    code, _, err = run(*plan("show", repository, "--env", "prod"))
    assert (code, "s3://plans/plans/octo/shop/pr-12" in err) == (1, True)
    code, _, err = run(
        *plan(
            "request",
            repository,
            "--env",
            "prod",
            "--workflow-arn",
            "arn:aws:states:ap-northeast-1:123456789012:stateMachine:none",
        )
    )
    assert (code, "IncomingBucketName" in err) == (2, True)


def test_a_request_for_a_repository_that_cannot_be_is_refused(run: Any, repository: GitRepository) -> None:
    code, _, err = run(
        "plan", "show", "--repo", repository.path, "--repository", "../x", "--pr", 1, "--base", "c1", "--head", "c2"
    )
    assert code == 2
    assert "repository is" in err
