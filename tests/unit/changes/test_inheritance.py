"""Globals are merged as SAM merges them: aws-sam-translator is the oracle."""

import copy
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings
from samtranslator.plugins.globals.globals import Globals

from kuroshio.changes.inheritance import effective_properties

KEYS = [
    "Handler", "CodeUri", "Environment", "Tags", "Layers", "Architectures", "VpcConfig", "Timeout", "MemorySize",
]  # fmt: skip
INTRINSICS = st.sampled_from([{"Ref": "A"}, {"Fn::Sub": "${A}"}, {"Fn::If": ["C", 1, 2]}, {"Condition": "C"}])
LEAVES = st.none() | st.booleans() | st.integers(0, 9) | st.sampled_from(["", "a", "b"]) | INTRINSICS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)
PROPERTIES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6)


def as_sam_merges(template: dict[str, Any], resource: dict[str, Any]) -> Any:
    template, resource = copy.deepcopy(template), copy.deepcopy(resource)
    ignored = resource.get("IgnoreGlobals")
    return Globals(template).merge(resource["Type"], resource.get("Properties", {}), "F", ignored)


@settings(max_examples=150, deadline=None)
@given(inherited=PROPERTIES, own=PROPERTIES)
@example(inherited={"Architectures": ["arm64"]}, own={"Architectures": ["x86_64"]})
@example(inherited={"Layers": ["global"]}, own={"Layers": ["own"]})
@example(inherited={"Environment": {"Variables": {"A": 1}}}, own={"Environment": {"Fn::If": ["C", 1, 2]}})
def test_any_properties_are_merged_as_sam_merges_them(inherited: dict[str, Any], own: dict[str, Any]) -> None:
    template = {"Globals": {"Function": inherited}}
    resource = {"Type": "AWS::Serverless::Function", "Properties": own}
    before = copy.deepcopy((template, resource))
    assert effective_properties(template, resource) == as_sam_merges(template, resource)
    assert (template, resource) == before


@settings(max_examples=50, deadline=None)
@given(inherited=PROPERTIES.filter(bool), own=PROPERTIES, data=st.data())
def test_ignored_globals_are_left_out_as_sam_leaves_them_out(
    inherited: dict[str, Any], own: dict[str, Any], data: st.DataObject
) -> None:
    ignored = data.draw(st.just("*") | st.lists(st.sampled_from(sorted(inherited)), unique=True, min_size=1))
    template = {"Globals": {"Function": inherited}}
    resource = {"Type": "AWS::Serverless::Function", "Properties": own, "IgnoreGlobals": ignored}
    assert effective_properties(template, resource) == as_sam_merges(template, resource)


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        ("AWS::Serverless::Function", {"Timeout": 3}),
        ("AWS::Serverless::Api", {}),
        ("AWS::Lambda::Function", {}),
        ("Function", {}),
    ],
)
def test_only_the_type_that_a_section_names_inherits(type_: str, expected: dict[str, int]) -> None:
    assert effective_properties({"Globals": {"Function": {"Timeout": 3}}}, {"Type": type_}) == expected


@pytest.mark.parametrize("section", [None, [], "x", {"Function": None}, {"Function": []}])
def test_globals_that_are_none_give_nothing(section: Any) -> None:
    resource = {"Type": "AWS::Serverless::Function", "Properties": {"Timeout": 1}}
    assert effective_properties({"Globals": section}, resource) == {"Timeout": 1}
