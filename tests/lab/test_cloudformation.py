"""Stacks are created, changed, rolled back and deleted as CloudFormation does it, with reasons that can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from harness import eventually

if TYPE_CHECKING:
    from harness import LabInProcess

QUEUES = """
Parameters:
  Timeout: {Type: String, Default: "10"}
  Setting: {Type: "AWS::SSM::Parameter::Value<String>", Default: /setting}
Resources:
  Work:
    Type: AWS::SQS::Queue
    Properties:
      VisibilityTimeout: !Ref Timeout
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 3}
  Dead: {Type: AWS::SQS::Queue}
  Kept:
    Type: AWS::S3::Bucket
    DeletionPolicy: Retain
  Copy:
    Type: AWS::SSM::Parameter
    Properties: {Type: String, Value: !Sub "seen ${Setting}"}
Outputs:
  Work: {Value: !Ref Work}
  Kept: {Value: !Ref Kept}
  Copy: {Value: !Ref Copy, Export: {Name: !Sub "${AWS::StackName}-copy"}}
"""
BROKEN = """
  Broken:
    Type: AWS::SQS::QueuePolicy
    DependsOn: [Added, Work]
    Properties: {Queues: ["http://127.0.0.1/123456789012/nobody"], PolicyDocument: {Version: "2012-10-17", Statement: []}}
  Added: {Type: AWS::SQS::Queue}
"""


def put_setting(lab: LabInProcess, value: str) -> None:
    lab.aws("ssm").put_parameter(Name="/setting", Value=value, Type="String", Overwrite=True)


def stack(lab: LabInProcess, name: str) -> dict[str, Any]:
    return dict(lab.aws("cloudformation").describe_stacks(StackName=name)["Stacks"][0])


def timeout_of(lab: LabInProcess, url: str) -> str:
    attributes = lab.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    return str(attributes["Attributes"]["VisibilityTimeout"])


def reasons(lab: LabInProcess, name: str) -> list[str]:
    events = lab.aws("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    return [one["ResourceStatusReason"] for one in events if one["ResourceStatus"].endswith("FAILED")]


def test_an_update_with_the_previous_template_resolves_parameters_again_and_keeps_the_others(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    made = lab.deploy("previous", QUEUES, Timeout="20")
    put_setting(lab, "two")

    lab.aws("cloudformation").update_stack(
        StackName="previous",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "Timeout", "UsePreviousValue": True}],
    )

    eventually(lambda: stack(lab, "previous")["StackStatus"] == "UPDATE_COMPLETE")
    assert lab.aws("ssm").get_parameter(Name=made["Copy"])["Parameter"]["Value"] == "seen two"
    assert timeout_of(lab, made["Work"]) == "20"
    with pytest.raises(ClientError, match=r"No updates are to be performed\."):
        lab.aws("cloudformation").update_stack(
            StackName="previous",
            UsePreviousTemplate=True,
            Parameters=[{"ParameterKey": "Timeout", "UsePreviousValue": True}],
        )


def test_an_update_that_fails_is_taken_back_and_says_which_resource_and_why(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    made = lab.deploy("broken", QUEUES)
    changed = QUEUES.replace("Outputs:", BROKEN + "Outputs:").replace('Default: "10"', 'Default: "30"')
    lab.aws("cloudformation").update_stack(StackName="broken", TemplateBody=changed)

    eventually(lambda: stack(lab, "broken")["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE")

    assert timeout_of(lab, made["Work"]) == "10"
    resources = lab.aws("cloudformation").list_stack_resources(StackName="broken")["StackResourceSummaries"]
    assert {one["LogicalResourceId"] for one in resources} == {"Work", "Dead", "Kept", "Copy"}
    assert any("SetQueueAttributes" in one for one in reasons(lab, "broken"))


def test_a_creation_that_fails_leaves_nothing_behind(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    before = len(lab.aws("sqs").list_queues().get("QueueUrls", []))
    body = QUEUES.replace("Outputs:", BROKEN + "Outputs:")
    lab.aws("cloudformation").create_stack(StackName="stillborn", TemplateBody=body)

    eventually(lambda: stack(lab, "stillborn")["StackStatus"] == "ROLLBACK_COMPLETE")

    assert len(lab.aws("sqs").list_queues().get("QueueUrls", [])) == before
    assert reasons(lab, "stillborn")


def test_a_change_set_tells_what_it_would_do_and_does_it_only_when_executed(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    made = lab.deploy("planned", QUEUES)
    cloudformation = lab.aws("cloudformation")
    changed = QUEUES.replace('Default: "10"', 'Default: "40"').replace(
        "{Type: AWS::SQS::Queue}", "{Type: AWS::SQS::Queue, Properties: {QueueName: named}}"
    )
    cloudformation.create_change_set(StackName="planned", ChangeSetName="c", TemplateBody=changed)

    described = cloudformation.describe_change_set(StackName="planned", ChangeSetName="c")
    changes = {one["ResourceChange"]["LogicalResourceId"]: one["ResourceChange"] for one in described["Changes"]}
    assert (changes["Dead"]["Action"], changes["Dead"]["Replacement"]) == ("Modify", "True")
    assert (changes["Work"]["Action"], changes["Work"]["Replacement"]) == ("Modify", "False")
    assert timeout_of(lab, made["Work"]) == "10"
    cloudformation.execute_change_set(StackName="planned", ChangeSetName="c")
    eventually(lambda: stack(lab, "planned")["StackStatus"] == "UPDATE_COMPLETE")
    assert timeout_of(lab, made["Work"]) == "40"


def test_a_change_set_without_changes_fails_in_the_words_that_sam_knows(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    lab.deploy("same", QUEUES)
    cloudformation = lab.aws("cloudformation")
    cloudformation.create_change_set(StackName="same", ChangeSetName="c", TemplateBody=QUEUES)

    described = cloudformation.describe_change_set(StackName="same", ChangeSetName="c")

    assert (described["Status"], described["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert described["StatusReason"].startswith("The submitted information didn't contain changes.")


def test_an_export_in_use_keeps_its_stack_and_a_retained_resource_outlives_it(lab: LabInProcess) -> None:
    put_setting(lab, "one")
    made = lab.deploy("exporting", QUEUES)
    importer = "Resources: {Q: {Type: AWS::SQS::Queue, Properties: {QueueName: !Join ['', [imported-, !Select [1, !Split [CFN-, !ImportValue exporting-copy]]]]}}}"
    lab.deploy("importing", importer)
    with pytest.raises(ClientError, match="in use by importing"):
        lab.delete("exporting")
    lab.delete("importing")

    lab.delete("exporting")

    with pytest.raises(ClientError, match="does not exist"):
        eventually(lambda: stack(lab, "exporting")["StackStatus"] == "nothing", within_s=5)
    assert lab.aws("s3").head_bucket(Bucket=made["Kept"])
    with pytest.raises(ClientError, match="NonExistentQueue"):
        timeout_of(lab, made["Work"])


def test_roles_need_the_capability_that_says_so(lab: LabInProcess) -> None:
    role = "Resources: {R: {Type: AWS::IAM::Role, Properties: {RoleName: named, AssumeRolePolicyDocument: {}}}}"

    with pytest.raises(ClientError, match="CAPABILITY_NAMED_IAM"):
        lab.aws("cloudformation").create_stack(StackName="roles", TemplateBody=role, Capabilities=["CAPABILITY_IAM"])
