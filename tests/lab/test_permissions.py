"""What the lab's roles did is held against what their deployed policies allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.permissions import judge, needs_of, read_roles, unused_grants

if TYPE_CHECKING:
    from harness import LabInProcess

ROLE = """
Resources:
  Worker:
    Type: AWS::IAM::Role
    Properties:
      RoleName: judged
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]
      Policies:
        - PolicyName: work
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Sid: Put, Effect: Allow, Action: s3:PutObject, Resource: "arn:aws:s3:::judged-bucket/in/*"}
              - {Sid: Unneeded, Effect: Allow, Action: s3:DeleteObject, Resource: "arn:aws:s3:::judged-bucket/*"}
              - {Sid: Traces, Effect: Allow, Action: xray:PutTraceSegments, Resource: "*"}
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: judged-bucket}
"""


def test_a_call_beyond_the_roles_policies_is_found_and_so_is_what_nothing_used(lab: LabInProcess) -> None:
    lab.deploy("judged", ROLE)
    keys = lab.aws("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/judged", RoleSessionName="test")
    answer = keys["Credentials"]
    from lab.ports import Credentials

    s3 = lab.aws("s3", Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"]))
    s3.put_object(Bucket="judged-bucket", Key="in/a", Body=b"")
    s3.list_objects_v2(Bucket="judged-bucket")

    roles = [role for role in read_roles(lab.aws("iam")) if role.name == "judged"]
    needs = [need for need in needs_of(lab.records()) if need.role == roles[0].arn]
    verdicts = {(one.need.action, one.need.resource): one.decision for one in judge(needs, roles)}

    assert verdicts == {
        ("s3:PutObject", "arn:aws:s3:::judged-bucket/in/a"): "Allowed",
        ("s3:ListBucket", "arn:aws:s3:::judged-bucket"): "ImplicitlyDenied",
    }
    grants = {grant.sid: grant.reason for grant in unused_grants(roles, needs)}
    assert set(grants) == {"Unneeded", "Traces"}
    assert not grants["Unneeded"]
    assert "the lab keeps none" in grants["Traces"]
