"""What no public judge looks at in our templates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import pytest
from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[3]
TEMPLATES = {
    name: yaml_parse((ROOT / name).read_text()) for name in ("foundation.yaml", "template.yaml", "aurora.yaml")
}
RESOURCES = {
    name: resource for template in TEMPLATES.values() for name, resource in template["Resources"].items()
}  # fmt: skip
_CRON_FIELDS = 6


def of_type(*kinds: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] in kinds}


def walk(value: Any, path: str = "") -> list[tuple[str, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(path, value), *(found for key, item in items for found in walk(item, f"{path}/{key}"))]


def schedule_objection(expression: str) -> str | None:
    """EventBridge: six fields, and exactly one of day-of-month and day-of-week is "?" (User guide, "Cron expressions")."""
    if re.fullmatch(r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)", expression):
        return None
    if re.fullmatch(r"at\(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\)", expression):
        return None
    found = re.fullmatch(r"cron\((.+)\)", expression)
    fields = found[1].split() if found else []
    if len(fields) != _CRON_FIELDS:
        return "neither rate(), at() nor a cron() of six fields"
    return None if [fields[2], fields[4]].count("?") == 1 else "exactly one of day-of-month and day-of-week is ?"


@pytest.mark.parametrize(
    ("expression", "is_sound"),
    [
        ("cron(0 3 * * ? *)", True),
        ("cron(0 3 ? * MON-FRI *)", True),
        ("rate(5 minutes)", True),
        ("rate(1 day)", True),
        ("at(2026-11-21T04:00:00)", True),
        ("cron(0 3 * * * *)", False),
        ("cron(0 3 ? * ? *)", False),
        ("cron(0 3 * * ?)", False),
        ("rate(1 minutes)", False),
        ("every day", False),
    ],
)
def test_the_rule_of_schedules_itself(expression: str, is_sound: bool) -> None:
    assert (schedule_objection(expression) is None) == is_sound


def test_every_schedule_is_one_that_eventbridge_takes_in_a_time_zone_that_exists() -> None:
    found = [pair for template in TEMPLATES.values() for pair in walk(template) if isinstance(pair[1], str)]
    schedules = {path: text for path, text in found if path.rpartition("/")[2] in ("Schedule", "ScheduleExpression")}
    zones = {path: text for path, text in found if path.endswith("/ScheduleExpressionTimezone")}

    assert {path: text for path, text in schedules.items() if schedule_objection(text)} == {}
    assert {path: text for path, text in zones.items() if text not in available_timezones()} == {}


def test_every_file_that_a_template_names_exists() -> None:
    named = [
        *(machine["Properties"]["DefinitionUri"] for machine in of_type("AWS::Serverless::StateMachine").values()),
        *(function["Metadata"]["Dockerfile"] for function in of_type("AWS::Serverless::Function").values()),
    ]
    assert named
    assert [path for path in named if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize("name", of_type("AWS::Serverless::Function"))
def test_a_function_has_a_handler_a_log_group_a_role_of_its_own_and_an_event(name: str) -> None:
    function = RESOURCES[name]["Properties"]
    module, _, entry = function["ImageConfig"]["Command"][0].rpartition(".")
    folder = module.partition(".")[0]

    assert f"def {entry}(" in (ROOT / "functions" / f"{module.replace('.', '/')}.py").read_text()
    assert list((ROOT / "events" / folder).glob("*.json"))
    assert function["Role"] == {"Fn::GetAtt": [f"{name.removesuffix('Function')}Role", "Arn"]}
    assert function["LoggingConfig"]["LogGroup"] == {"Ref": f"{name.removesuffix('Function')}Logs"}


def test_all_functions_of_one_target_have_equal_metadata_and_are_built_once() -> None:
    metadata = [function["Metadata"] for function in of_type("AWS::Serverless::Function").values()]
    targets = {each["DockerBuildTarget"] for each in metadata}
    assert len({str(sorted(each.items())) for each in metadata}) == len(targets)
    recipe = (ROOT / "functions/Dockerfile").read_text()
    assert {target for target in targets if f" AS {target}\n" not in recipe} == set()


@pytest.mark.parametrize("name", of_type("AWS::IAM::Role"))
def test_every_role_takes_the_permissions_boundary(name: str) -> None:
    assert RESOURCES[name]["Properties"]["PermissionsBoundary"] == {
        "Fn::If": ["HasBoundary", {"Ref": "PermissionsBoundaryArn"}, {"Ref": "AWS::NoValue"}]
    }


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_permission_on_everything_says_why_in_a_comment_above_it(template: str) -> None:
    lines = (ROOT / template).read_text().splitlines()
    unexplained = []
    for number, line in enumerate(lines):
        if not re.search(r'(Resource|Action|Principal): "(\*|\w+:\*)"', line) or "Principal" in line:
            continue
        start = max(index for index in range(number) if "Sid:" in lines[index])
        policy = max(index for index in range(number) if "Statement:" in lines[index])
        if not any(above.strip().startswith("#") for above in [*lines[policy:start], lines[start - 1]]):
            unexplained.append(f"{template}:{number + 1}")
    assert unexplained == []


def test_no_allow_grants_a_whole_service() -> None:
    granted = [
        action
        for _, value in walk(RESOURCES)
        if isinstance(value, dict) and value.get("Effect") == "Allow"
        for action in ([value["Action"]] if isinstance(value["Action"], str) else value["Action"])
    ]
    assert granted
    assert [action for action in granted if "*" in action] == []


def test_the_github_role_may_hand_in_start_watch_and_read_and_nothing_else() -> None:
    statements = RESOURCES["GitHubRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert {statement["Action"] for statement in statements} == {
        "s3:PutObject",
        "s3:GetObject",
        "states:StartExecution",
        "states:DescribeExecution",
    }
    written = [str(each["Resource"]).split("Arn}/")[1] for each in statements if each["Action"] == "s3:PutObject"]
    assert [where.strip("'}") for where in written] == ["incoming/*", "latest/*"]


def test_github_is_trusted_by_whole_subjects_from_a_list_and_not_at_all_without_one() -> None:
    role, parameter = RESOURCES["GitHubRole"], TEMPLATES["foundation.yaml"]["Parameters"]["GitHubSubjects"]
    (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]

    assert statement["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": {"Ref": "GitHubSubjects"},
        }
    }
    assert (role["Condition"], parameter["Type"], parameter["Default"]) == ("TrustsGitHub", "CommaDelimitedList", "")


def test_everything_that_the_application_imports_is_exported_by_the_foundation() -> None:
    imported = set(
        re.findall(
            r"kuroshio-foundation-\$\{Environment\}-(\w+)",
            "".join((ROOT / name).read_text() for name in ("template.yaml", "aurora.yaml")),
        )
    )
    outputs = TEMPLATES["foundation.yaml"]["Outputs"].values()
    exported = {str(output.get("Export", {}).get("Name", "")).rpartition("-")[2].rstrip("'}") for output in outputs}
    assert imported
    assert imported - exported == set()


def test_state_stays_when_the_foundation_is_deleted() -> None:
    kinds = ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::ECR::Repository", "AWS::SecretsManager::Secret")
    assert {resource["DeletionPolicy"] for resource in of_type(*kinds).values()} == {"RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for resource in of_type(*kinds).values()} == {"Retain"}


@pytest.mark.parametrize("name", of_type("AWS::S3::Bucket"))
def test_a_bucket_is_private_encrypted_tidy_and_reached_by_tls_alone(name: str) -> None:
    bucket, policy = RESOURCES[name]["Properties"], RESOURCES[f"{name}Policy"]["Properties"]["PolicyDocument"]
    rules = bucket["LifecycleConfiguration"]["Rules"]
    denials = {statement["Sid"] for statement in policy["Statement"] if statement["Effect"] == "Deny"}

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert "BucketEncryption" in bucket
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)
    assert {"OnlyOverTls", "OnlyOverCurrentTls"} <= denials


def test_plans_are_written_once_and_not_deleted() -> None:
    statements = {one["Sid"]: one for one in RESOURCES["PlanBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]}

    assert statements["PlansAreWrittenOnce"]["Condition"] == {"Null": {"s3:if-none-match": "true"}}
    assert statements["PlansAreNotDeleted"]["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]


def test_nothing_that_sends_to_mackerel_exists_without_a_secret() -> None:
    words = ("Outbox", "CollectMetrics", "FlushMetrics", "FlushEvery", "Mackerel")
    senders = {
        name: resource
        for name, resource in RESOURCES.items()
        if name.startswith(words)
        or (name in TEMPLATES["template.yaml"]["Resources"] and resource["Type"] == "AWS::Scheduler::Schedule")
    }
    unconditional = [name for name, resource in senders.items() if resource.get("Condition") != "SendsToMackerel"]
    assert len(senders) > 20
    assert unconditional == ["MackerelKey"]  # the foundation's secret, which a person fills first


def test_every_alarm_of_the_outbox_is_explained_and_hears_figures_that_are_written() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    page = (ROOT / "docs/mackerel.md").read_text()
    journals = "".join(path.read_text() for path in (ROOT / "layers/kuroshio/python/kuroshio/adapters").glob("*.py"))
    sent = {name for name, alarm in alarms.items() if alarm["Properties"]["Namespace"] == "Kuroshio"}
    explained = {
        name for row in re.findall(r"^\| ([A-Z]\w+(?:, [A-Z]\w+)*) \|", page, re.MULTILINE) for name in row.split(", ")
    }

    assert len(sent) > 5
    assert sent | {"OutboxUncollected", "OutboxDeadLetters"} <= explained
    assert {name for name in explained if name.startswith(("Outbox", "Mackerel", "Flush", "Collect"))} <= set(alarms)
    assert {alarms[name]["Properties"]["MetricName"] for name in sent} <= set(re.findall(r'"(\w+)"', journals))
