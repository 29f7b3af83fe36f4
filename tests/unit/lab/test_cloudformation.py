"""Templates are read as CloudFormation reads them, and refused in its words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.cloudformation.errors import Refused
from lab.cloudformation.intrinsics import Resolver
from lab.cloudformation.model import Resource, Stack
from lab.cloudformation.planning import plan
from lab.cloudformation.template import expand_sam, fill_parameters, parse
from lab.cloudformation.wire import read_form


def resolver(template: dict[str, Any], **parameters: Any) -> Resolver:
    made = {"Bucket": ("the-bucket", {"Arn": "arn:aws:s3:::the-bucket"})}
    return Resolver(
        template=template,
        parameters=parameters,
        stack_name="stack",
        stack_id="id",
        region="ap-northeast-1",
        reference=lambda name: made[name][0],
        attribute=lambda name, attribute: made[name][1][attribute],
        exports={"shared": "exported"},
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Bucket"}, "the-bucket"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "arn:aws:s3:::the-bucket"),
        (
            {"Fn::Sub": "${Bucket.Arn}/${Name}/${!literal}-${AWS::Region}"},
            "arn:aws:s3:::the-bucket/n/${literal}-ap-northeast-1",
        ),
        ({"Fn::Sub": ["${A}-${Name}", {"A": {"Ref": "Bucket"}}]}, "the-bucket-n"),
        ({"Fn::Join": ["/", ["a", {"Ref": "Name"}]]}, "a/n"),
        ({"Fn::Select": ["1", {"Fn::Split": [",", "a,b"]}]}, "b"),
        ({"Fn::If": ["Yes", "y", "n"]}, "y"),
        ({"Fn::If": ["No", "y", {"Ref": "AWS::NoValue"}]}, None),
        ({"k": {"Ref": "AWS::NoValue"}, "l": [{"Ref": "AWS::NoValue"}, 1]}, {"l": [1]}),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "Name"}, "cpu"]}, 4),
        ({"Fn::ImportValue": {"Fn::Sub": "shared"}}, "exported"),
        ({"Fn::Base64": "a"}, "YQ=="),
        (
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        ),
    ],
)
def test_functions_have_their_documented_values(value: Any, expected: Any) -> None:
    conditions = {"Yes": {"Fn::Equals": [{"Ref": "Name"}, "n"]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}}
    template = {"Conditions": conditions, "Mappings": {"Sizes": {"n": {"cpu": 4}}}, "Resources": {}}

    assert resolver(template, Name="n").resolve(value) == expected


@pytest.mark.parametrize(
    "value", [{"Ref": "Nobody"}, {"Fn::GetAtt": ["Bucket", "Nothing"]}, {"Fn::ImportValue": "absent"}, {"Fn::Cidr": []}]
)
def test_what_cannot_be_resolved_is_refused(value: Any) -> None:
    with pytest.raises(Refused):
        resolver({"Resources": {}}).resolve(value)


def test_a_parameter_from_parameter_store_has_its_value_and_keeps_its_name() -> None:
    document = {"Parameters": {"Image": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/image"}}}

    texts, values = fill_parameters(document, {}, lambda name: f"value of {name}")

    assert (texts, values) == ({"Image": "/image"}, {"Image": "value of /image"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "must have values"),
        ({"Size": "9", "Other": "x"}, "do not exist"),
        ({"Size": "9"}, "AllowedValues"),
        ({"Size": "1", "Mail": "nonsense"}, "a mail address"),
    ],
)
def test_a_bad_parameter_is_refused_by_name(given: dict[str, str], words: str) -> None:
    declared = {
        "Size": {"Type": "Number", "AllowedValues": [1, 2]},
        "Mail": {
            "Type": "String",
            "Default": "a@b",
            "AllowedPattern": ".+@.+",
            "ConstraintDescription": "a mail address",
        },
    }

    with pytest.raises(Refused, match=words):
        fill_parameters({"Parameters": declared}, given, str)


def desired(resources: dict[str, Any]) -> Stack:
    return Stack("stack", "ap-northeast-1", template={"Resources": resources})


def test_a_plan_orders_by_reference_and_names_what_changes_and_what_is_replaced() -> None:
    stack = Stack("stack", "ap-northeast-1")
    for name, properties in {
        "Same": {},
        "Changed": {"VisibilityTimeout": 1},
        "Renamed": {"QueueName": "a"},
        "Gone": {},
    }.items():
        stack.resources[name] = Resource(name, "AWS::SQS::Queue", f"url-{name}", properties, {"Arn": f"arn-{name}"})
    queue = {"Type": "AWS::SQS::Queue"}
    wanted = desired(
        {
            "Policy": {
                "Type": "AWS::SQS::QueuePolicy",
                "Properties": {"Queues": [{"Ref": "New"}], "PolicyDocument": {}},
            },
            "Same": queue,
            "Changed": {**queue, "Properties": {"VisibilityTimeout": 2}},
            "Renamed": {**queue, "Properties": {"QueueName": "b"}},
            "New": queue,
        }
    )

    changes = plan(stack, wanted, {})

    seen = {change.logical_id: (change.action, change.replacement) for change in changes}
    assert seen == {
        "New": ("Add", ""),
        "Policy": ("Add", ""),
        "Changed": ("Modify", "False"),
        "Renamed": ("Modify", "True"),
        "Gone": ("Remove", ""),
    }
    order = [change.logical_id for change in changes]
    assert order.index("New") < order.index("Policy")


def test_a_type_that_the_lab_does_not_know_is_refused_with_its_name_and_what_to_do() -> None:
    with pytest.raises(Refused, match=r"AWS::Quantum::Computer.*lab/cloudformation/resources"):
        plan(Stack("stack", "r"), desired({"Q": {"Type": "AWS::Quantum::Computer"}}), {})


def test_a_circle_of_references_is_refused() -> None:
    queue = "AWS::SQS::Queue"
    circle = {"A": {"Type": queue, "DependsOn": "B"}, "B": {"Type": queue, "DependsOn": ["A"]}}

    with pytest.raises(Refused, match=r"Circular dependency between resources: \[A, B\]"):
        plan(Stack("stack", "r"), desired(circle), {})


def test_sam_is_expanded_and_its_own_refusals_are_told() -> None:
    function = {"PackageType": "Image", "ImageUri": "i:1", "Policies": ["AWSLambdaBasicExecutionRole"]}
    document = {
        "Transform": "AWS::Serverless-2016-10-31",
        "Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": function}},
    }

    expanded = expand_sam(document, {})

    assert expanded["Resources"]["F"]["Type"] == "AWS::Lambda::Function"
    attached = expanded["Resources"]["FRole"]["Properties"]["ManagedPolicyArns"]
    assert "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole" in attached
    function["Nonsense"] = "x"
    with pytest.raises(Refused, match="Invalid Serverless Application"):
        expand_sam(document, {})


def test_text_that_is_no_template_is_refused() -> None:
    for text in ("", "[", "Resources:", json.dumps({"Description": "x"})):
        with pytest.raises(Refused, match="Template format error"):
            parse(text)


def test_a_flat_form_becomes_lists_and_structures() -> None:
    form = {"A.member.2": "b", "A.member.1": "a", "B.member.1.Key": "k", "C": "c", "D.E": "f"}

    assert read_form(form) == {"A": ["a", "b"], "B": [{"Key": "k"}], "C": "c", "D": {"E": "f"}}
