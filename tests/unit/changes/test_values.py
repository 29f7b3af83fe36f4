"""What CloudFormation computes, where the template says enough: sources, nested templates, loops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from samcli.yamlhelper import yaml_parse

from kuroshio.changes.detection import inventory
from kuroshio.changes.values import MAX_TEXTS, Values
from tests.fakes.repository import MemoryRepository
from tests.unit.changes.test_detection import plan_of

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan

TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Root": {"Type": "String", "Default": "services"},
        "Names": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Later": {"Type": "String"},
    },
    "Mappings": {
        "Places": {"eu": {"code": "eu-src", "names": ["c", "d"]}, "us": {"code": "us-src", "names": ["e"]}},
        "Many": {f"k{at}": {"v": f"v{at}"} for at in range(MAX_TEXTS + 1)},
    },
}
LOCAL = {"Ref": "AWS::Region"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", ("plain",)),
        ({"Ref": "Root"}, ("services",)),
        ({"Ref": "Later"}, None),
        ({"Ref": "Names"}, None),
        ({"Ref": "AWS::NoValue"}, ()),
        ({"Fn::Sub": "${Root}/orders/${!Literal}"}, ("services/orders/${Literal}",)),
        ({"Fn::Sub": ["${Root}/${What}", {"What": {"Ref": "Root"}}]}, ("services/services",)),
        ({"Fn::Sub": "${AWS::Region}/x"}, None),
        ({"Fn::Join": ["/", [".", {"Ref": "Root"}, "x"]]}, ("./services/x",)),
        ({"Fn::Join": ["/", {"Ref": "Names"}]}, None),
        ({"Fn::If": ["IsProd", "dist", {"Ref": "Root"}]}, ("dist", "services")),
        ({"Fn::If": ["IsProd", "dist", {"Ref": "Later"}]}, None),
        ({"Fn::FindInMap": ["Places", "eu", "code"]}, ("eu-src",)),
        ({"Fn::FindInMap": ["Places", LOCAL, "code"]}, ("eu-src", "us-src")),
        ({"Fn::FindInMap": ["Places", "ap", "code", {"DefaultValue": "x"}]}, ("x",)),
        ({"Fn::FindInMap": ["Places", LOCAL, "code", {"DefaultValue": "x"}]}, ("eu-src", "us-src", "x")),
        ({"Fn::FindInMap": ["Places", "ap", "code"]}, None),
        ({"Fn::FindInMap": ["Many", LOCAL, "v"]}, None),
        ({"Fn::GetAtt": ["A", "B"]}, None),
        ({"Fn::Sub": 3}, None),
        ({"Fn::If": "no"}, None),
        ({"Fn::FindInMap": ["Places"]}, None),
        (3, None),
    ],
)
def test_all_texts_that_a_value_may_be(value: object, expected: tuple[str, ...] | None) -> None:
    assert Values(TEMPLATE).texts(value) == expected


def test_a_value_that_refers_to_itself_without_end_is_unknown() -> None:
    value: Any = "x"
    for _ in range(50):
        value = {"Fn::Join": ["", [value, "y"]]}
    assert Values({}).texts(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["a", 1], ["a", "1"]),
        (["a", {"Ref": "Root"}], ["a", "services"]),
        (["a", {"Ref": "Later"}], None),
        ({"Ref": "Names"}, ["a", "b"]),
        ({"Fn::FindInMap": ["Places", "eu", "names"]}, ["c", "d"]),
        ({"Fn::FindInMap": ["Places", LOCAL, "names"]}, None),
        ({"Fn::Split": [",", "x,y"]}, ["x", "y"]),
        ({"Fn::Split": ["", "x,y"]}, None),
        ({}, None),
    ],
)
def test_all_items_of_a_list(value: object, expected: list[str] | None) -> None:
    assert Values(TEMPLATE).items(value) == expected


def test_the_beginning_tells_a_url_from_a_path() -> None:
    values = Values(TEMPLATE)
    assert values.prefix({"Fn::Sub": "https://${Later}.example/x"}) == "https://"
    assert values.prefix({"Fn::Join": ["/", ["s3:/", {"Ref": "Later"}, "x"]]}) == "s3://"
    assert values.prefix({"Fn::Sub": "${Later}://x"}) == ""


def function(code: str, more: str = "") -> str:
    return f"""
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {{Root: {{Type: String, Default: services}}, Later: {{Type: String}}}}
Mappings:
  Places: {{eu: {{code: eu, names: [x, y]}}, us: {{code: us, names: [z]}}}}
{more}
Resources:
  F: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: {code}}}}}
"""


def inputs(template: str, **files: str) -> dict[str, set[str]]:
    repository = MemoryRepository()
    found = inventory(repository, repository.make_commit({"t.yaml": template, **files}))
    return {unit.id.partition("#")[2]: {each.path for each in unit.inputs} for unit in found}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("!Sub '${Root}/orders'", {"services/orders"}),
        ("!Join [/, [!Ref Root, orders]]", {"services/orders"}),
        ("!FindInMap [Places, eu, code]", {"eu"}),
        ("!FindInMap [Places, !Ref AWS::Region, code]", {"eu", "us"}),
        ("!If [IsProd, dist, src]", {"dist", "src"}),
    ],
)
def test_a_source_is_computed_where_the_template_says_enough(code: str, expected: set[str]) -> None:
    assert inputs(function(code))["F"] == expected


def test_a_source_that_is_known_at_deployment_only_stays_a_doubt() -> None:
    before = {"t.yaml": function("!Sub '${Later}/x'"), "a.sh": "1"}
    plan = plan_of(before, before | {"a.sh": "2"})
    assert [warning.code for warning in plan.warnings] == ["source-unknown"]


PARENT = """
Parameters: {{Where: {{Type: String, Default: child.yaml}}, Later: {{Type: String}}}}
Resources:
  Child:
    Type: AWS::CloudFormation::Stack
    Properties: {{TemplateURL: {url}, Parameters: {{Size: {size}, Odd: 1}}}}
"""
CHILD = """
Parameters: {Size: {Type: Number}}
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, MemorySize: !Ref Size}}
  G: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}
"""


def resized(url: str) -> Plan:
    before = {"parent.yaml": PARENT.format(url=url, size=1), "child.yaml": CHILD}
    return plan_of(before, before | {"parent.yaml": PARENT.format(url=url, size=2)})


@pytest.mark.parametrize("url", ["child.yaml", "!Ref Where", "!Sub './${Where}'", "!Join ['', [child, .yaml]]"])
def test_a_nested_template_is_found_where_its_url_can_be_computed(url: str) -> None:
    plan = resized(url)
    assert (plan.complete, [unit.id for unit in plan.units]) == (True, ["child.yaml#F"])


def test_a_nested_template_that_is_not_known_may_be_any_so_its_new_values_reach_all_that_refer_to_them() -> None:
    plan = resized("!Ref Later")
    assert (plan.complete, [unit.id for unit in plan.units]) == (True, ["child.yaml#F"])


def test_values_of_a_nested_template_that_lies_in_s3_concern_nobody_here() -> None:
    assert resized("!Sub 'https://${Later}.s3.amazonaws.com/child.yaml'").units == ()


def test_a_child_that_lies_elsewhere_by_default_is_named_by_the_plan() -> None:
    plan = resized("'../elsewhere/child.yaml'")
    assert [warning.code for warning in plan.warnings] == ["nested-not-in-tree"]


def test_an_included_fragment_is_an_input_where_its_location_can_be_computed() -> None:
    template = """
Parameters: {Part: {Type: String, Default: part}}
Resources:
  F:
    Type: AWS::Lambda::Function
    Properties:
      Code: {ZipFile: x}
      Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Sub "${Part}.yaml"}}
"""
    assert inputs(template, **{"part.yaml": "1"})["F"] == {"part.yaml"}


LOOP = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {Stage: {Type: String, Default: dev}}
Mappings: {Names: {dev: {list: [orders, bills]}}}
Resources:
  Fn::ForEach::Services:
    - Name
    - COLLECTION
    - "${Name}F":
        Type: AWS::Serverless::Function
        Properties: {CodeUri: !Sub "services/${Name}"}
      Fn::ForEach::Sizes:
        - Size
        - [s, l]
        - "${Name}${Size}": {Type: AWS::Serverless::Function, Properties: {CodeUri: "./${Size}/${Name}"}}
"""


@pytest.mark.parametrize("collection", ["[orders, bills]", "!FindInMap [Names, !Ref Stage, list]"])
def test_loops_in_loops_over_what_a_mapping_holds_are_written_out(collection: str) -> None:
    found = inputs(LOOP.replace("COLLECTION", collection))
    assert found["ordersF"] == {"services/orders"}
    assert found["billsl"] == {"l/bills"}
    assert len(found) == 6


def test_a_mapping_whose_name_is_computed_may_be_any() -> None:
    template = """
Transform: AWS::LanguageExtensions
Mappings: {A: {x: {v: VALUE}}}
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, MemorySize: !FindInMap [!Ref AWS::Region, x, v]}}
"""
    plan = plan_of({"t.yaml": template}, {"t.yaml": template.replace("VALUE", "2")})
    assert [unit.id for unit in plan.units] == ["t.yaml#F"]


def test_length_and_json_text_carry_what_they_refer_to() -> None:
    template = """
Transform: AWS::LanguageExtensions
Parameters: {Names: {Type: CommaDelimitedList, Default: "DEFAULT"}}
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, MemorySize: {Fn::Length: !Ref Names}}}
  G: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}, Description: {Fn::ToJsonString: {a: [!Ref Names]}}}}
  H: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}
"""
    plan = plan_of({"t.yaml": template}, {"t.yaml": template.replace("DEFAULT", "a,b")})
    assert [unit.id for unit in plan.units] == ["t.yaml#F", "t.yaml#G"]


TWICE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: old, Timeout: 3, CodeUri: new}
  G: {Type: AWS::Serverless::Function, Properties: {CodeUri: other}}
"""
SOURCES = {"old/a.py": "1", "new/a.py": "1", "other/a.py": "1"}


def test_of_a_key_that_stands_twice_the_last_counts_as_for_cloudformation() -> None:
    before = {"t.yaml": TWICE, **SOURCES}
    plan = plan_of(before, before | {"new/a.py": "2"})
    assert (plan.complete, [unit.id for unit in plan.units]) == (True, ["t.yaml#F"])
    assert plan_of(before, before | {"old/a.py": "2"}).units == ()
    assert yaml_parse(TWICE)["Resources"]["F"]["Properties"]["CodeUri"] == "new"  # SAM CLI's own answer


def test_a_key_that_stands_twice_puts_all_units_in_doubt_when_its_template_changes_and_says_where() -> None:
    before = {"t.yaml": TWICE, **SOURCES}
    plan = plan_of(before, before | {"t.yaml": TWICE + "# a comment"})
    assert (plan.complete, [unit.id for unit in plan.units]) == (False, ["t.yaml#F", "t.yaml#G"])
    assert plan.warnings[0].code == "duplicate-key"
    assert 'line 5, column 44: the key "CodeUri" stands twice' in plan.warnings[0].message
    mended = plan_of(before, before | {"t.yaml": TWICE.replace("CodeUri: old, ", "")})
    assert not mended.complete


def test_a_key_that_stands_twice_in_json_is_found_too() -> None:
    template = (
        '{"Resources": {"F": {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "a", "CodeUri": "b"}}}}'
    )
    assert inputs(template)["F"] == {"b"}
