"""What a pull request changes, told on repositories in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from kuroshio.changes.detection import detect, inventory
from kuroshio.changes.plan import Cause, Change, Plan, Reason
from kuroshio.changes.rendering import document
from kuroshio.changes.rest import reach
from tests.fakes.repository import File, Files, MemoryRepository, executable, link, submodule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kuroshio.changes.analysis import Analysis
    from kuroshio.changes.ports import Blob
    from kuroshio.changes.rest import Reach

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "plan.schema.json").read_text())

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Timeout: 3, Layers: [!Ref Shared]}}
Parameters: {Stage: {Type: String, Default: dev}}
Mappings: {Sizes: {small: {memory: 128}}}
Conditions: {IsProd: !Equals [!Ref Stage, prod]}
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layers/shared/}}
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: orders/, Handler: app.handle}}
  Billing:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: billing/, Handler: app.handle, Layers: [], MemorySize: !FindInMap [Sizes, small, memory]}
  Web:
    Type: AWS::Serverless::Function
    Metadata: {DockerContext: ./web, Dockerfile: Dockerfile}
    Properties: {PackageType: Image, Description: !If [IsProd, prod, other]}
  Inline: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: "def handle(): ..."}}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.asl.yaml, DefinitionSubstitutions: {Orders: !GetAtt Orders.Arn}}
  Queue: {Type: AWS::SQS::Queue}
  Api: {Type: AWS::Serverless::HttpApi, Properties: {DefinitionUri: openapi.yaml}}
"""
TREE: dict[str, str | bytes | File] = {
    "template.yaml": TEMPLATE,
    "layers/shared/python/shared.py": "1",
    "orders/app.py": "1",
    "orders/run.sh": "1",
    "billing/app.py": "1",
    "web/Dockerfile": "FROM scratch\nCOPY . /\n",
    "web/.dockerignore": "*.log\n!keep.log\n",
    "web/app.py": "1",
    "flow.asl.yaml": "StartAt: A\nStates: {A: {Type: Succeed}}\n",
    "openapi.yaml": "openapi: 3.0.1\n",
    "README.md": "1",
    "tools/release.sh": "1",
}
ORDERS, BILLING, WEB = "template.yaml#Orders", "template.yaml#Billing", "template.yaml#Web"
SHARED, FLOW, INLINE = "template.yaml#Shared", "template.yaml#Flow", "template.yaml#Inline"


def plan_of(before: Files, after: Files) -> Plan:
    """The plan of a pull request that turns one tree into the other; it is always a valid document."""
    repository = MemoryRepository()
    base = repository.make_commit(before)
    plan = detect(repository, base, repository.make_commit(after, base))
    jsonschema.validate(document.document(plan), SCHEMA)
    assert document.read(document.write(plan).encode()) == plan
    concerned = {unit for warning in plan.warnings for unit in warning.units}
    assert concerned <= {unit.id for unit in plan.units}
    return plan


def edited(**replacements: str) -> dict[str, str | bytes | File]:
    """TREE with its template changed: ``edited(old="new")`` is not expressive enough, so pairs come as old=, new=."""
    return TREE | {"template.yaml": TEMPLATE.replace(replacements["old"], replacements["new"])}


def reasons(plan: Plan) -> dict[str, tuple[Reason, ...]]:
    return {unit.id: unit.reasons for unit in plan.units}


def units(plan: Plan) -> set[str]:
    return {unit.id for unit in plan.units}


def test_nothing_changed_is_a_complete_and_empty_plan() -> None:
    plan = plan_of(TREE, TREE)
    assert plan.complete
    assert (plan.units, plan.infrastructure, plan.ignored, plan.unclassified, plan.warnings) == ((), (), (), (), ())


def test_a_changed_source_file_changes_the_function_that_is_made_of_it_and_no_other() -> None:
    plan = plan_of(TREE, TREE | {"billing/app.py": "2"})
    assert reasons(plan) == {BILLING: (Reason(Cause.CONTENT, "billing/app.py", ("CodeUri",)),)}
    assert plan.complete


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ({"billing/new.py": "1"}, Reason(Cause.ADDED, "billing/new.py", ("CodeUri",))),
        ({"billing/app.py": executable("1")}, Reason(Cause.MODE, "billing/app.py", ("CodeUri",))),
        ({"billing/app.py": link("../orders/app.py")}, Reason(Cause.SYMLINK, "billing/app.py", ("CodeUri",))),
        ({"billing/lib": submodule("1" * 40)}, Reason(Cause.SUBMODULE, "billing/lib", ("CodeUri",))),
    ],
)
def test_every_kind_of_change_of_an_input_counts(after: Files, expected: Reason) -> None:
    assert reasons(plan_of(TREE, {**TREE, **after})) == {BILLING: (expected,)}


def test_a_deleted_input_counts() -> None:
    after = {path: content for path, content in TREE.items() if path != "orders/run.sh"}
    assert reasons(plan_of(TREE, after)) == {ORDERS: (Reason(Cause.DELETED, "orders/run.sh", ("CodeUri",)),)}


def test_a_file_that_moves_from_one_function_to_another_changes_both() -> None:
    before = TREE | {"billing/tax.py": "tax"}
    after = TREE | {"orders/tax.py": "tax"}
    assert reasons(plan_of(before, after)) == {
        BILLING: (Reason(Cause.RENAMED, "billing/tax.py", ("orders/tax.py", "CodeUri")),),
        ORDERS: (Reason(Cause.RENAMED, "orders/tax.py", ("billing/tax.py", "CodeUri")),),
    }


def test_a_submodule_that_moves_on_changes_what_is_made_of_it() -> None:
    before = TREE | {"billing/lib": submodule("1" * 40)}
    assert units(plan_of(before, TREE | {"billing/lib": submodule("2" * 40)})) == {BILLING}


def test_a_changed_layer_changes_the_functions_that_use_it_through_globals_and_says_through_what() -> None:
    plan = plan_of(TREE, TREE | {"layers/shared/python/shared.py": "2"})
    layer = Reason(Cause.LAYER, "layers/shared/python/shared.py", ("ContentUri", SHARED))
    assert reasons(plan)[ORDERS] == (layer,)
    assert units(plan) == {SHARED, ORDERS, BILLING, WEB}  # lists are appended: an empty list of its own inherits
    assert reasons(plan)[SHARED] == (Reason(Cause.CONTENT, "layers/shared/python/shared.py", ("ContentUri",)),)


def test_a_changed_global_changes_the_functions_whose_effective_definition_differs() -> None:
    own = TREE | {"template.yaml": TEMPLATE.replace("CodeUri: orders/", "CodeUri: orders/, Timeout: 9")}
    after = own | {"template.yaml": str(own["template.yaml"]).replace("Timeout: 3", "Timeout: 4")}
    plan = plan_of(own, after)
    assert reasons(plan)[BILLING] == (Reason(Cause.DEFINITION, "template.yaml", ("Properties.Timeout",)),)
    assert units(plan) == {BILLING, WEB}


@pytest.mark.parametrize(
    ("old", "new", "expected", "part"),
    [
        ("Default: dev", "Default: prod", {WEB}, "Parameters.Stage"),
        ("memory: 128", "memory: 256", {BILLING}, "Mappings.Sizes"),
        ("!Ref Stage, prod", "!Ref Stage, live", {WEB}, "Conditions.IsProd"),
        ("DockerContext: ./web", "DockerBuildTarget: x, DockerContext: ./web", {WEB}, "Metadata.DockerBuildTarget"),
        ("Orders: !GetAtt Orders.Arn", "Orders: !GetAtt Billing.Arn", {FLOW}, "Properties.DefinitionSubstitutions"),
        ("def handle(): ...", "def handle(): pass", {INLINE}, "Properties.Code"),
    ],
)
def test_a_unit_changes_with_what_its_definition_refers_to(old: str, new: str, expected: set[str], part: str) -> None:
    plan = plan_of(TREE, edited(old=old, new=new))
    assert reasons(plan) == {unit: (Reason(Cause.DEFINITION, "template.yaml", (part,)),) for unit in expected}


def test_a_parameters_description_changes_nothing() -> None:
    assert units(plan_of(TREE, edited(old="Default: dev", new="Default: dev, Description: x"))) == set()


def test_a_new_body_of_a_function_does_not_change_the_state_machine_that_calls_it() -> None:
    assert FLOW not in units(plan_of(TREE, TREE | {"orders/app.py": "2"}))


def test_a_template_change_that_touches_no_unit_is_infrastructure() -> None:
    plan = plan_of(TREE, edited(old="AWS::SQS::Queue", new="AWS::SNS::Topic"))
    assert (plan.units, plan.infrastructure) == ((), ("template.yaml",))


def test_a_change_of_unit_and_of_other_resources_is_both() -> None:
    changed = TEMPLATE.replace("AWS::SQS::Queue", "AWS::SNS::Topic").replace(
        "orders/, Handler", "orders/, X: 1, Handler"
    )
    plan = plan_of(TREE, TREE | {"template.yaml": changed})
    assert (units(plan), plan.infrastructure) == ({ORDERS}, ("template.yaml",))


def test_comments_and_order_in_a_template_change_no_unit() -> None:
    plan = plan_of(TREE, edited(old="Queue:", new="# a comment\n  Queue:"))
    assert (plan.units, plan.infrastructure) == ((), ("template.yaml",))


def test_a_changed_definition_file_changes_its_state_machine() -> None:
    plan = plan_of(TREE, TREE | {"flow.asl.yaml": "StartAt: B\nStates: {B: {Type: Succeed}}\n"})
    assert reasons(plan) == {FLOW: (Reason(Cause.CONTENT, "flow.asl.yaml", ("DefinitionUri",)),)}


def test_a_definition_file_that_means_the_same_changes_nothing_and_is_listed() -> None:
    plan = plan_of(TREE, TREE | {"flow.asl.yaml": '{"States": {"A": {"Type": "Succeed"}}, "StartAt": "A"}'})
    assert (plan.units, plan.ignored) == ((), ("flow.asl.yaml",))


def test_a_definition_file_that_cannot_be_read_counts_as_changed() -> None:
    assert units(plan_of(TREE, TREE | {"flow.asl.yaml": "{"})) == {FLOW}


def test_an_image_is_made_of_its_context_less_what_dockerignore_leaves_out() -> None:
    assert units(plan_of(TREE, TREE | {"web/debug.log": "1"})) == set()
    assert units(plan_of(TREE, TREE | {"web/keep.log": "1"})) == {WEB}
    assert units(plan_of(TREE, TREE | {"web/Dockerfile": "FROM other"})) == {WEB}
    assert units(plan_of(TREE, TREE | {"web/.dockerignore": "*.txt\n"})) == {WEB}


def test_a_dockerignore_that_leaves_itself_out_still_decides_what_the_image_is_made_of() -> None:
    before = TREE | {"web/.dockerignore": "*\n!app.py\n"}
    assert units(plan_of(before, before | {"web/.dockerignore": "*\n!app.py\n!static\n"})) == {WEB}
    formal = plan_of(before, before | {"web/.dockerignore": "# only these\n*\n\n!app.py\n"})
    assert (formal.units, formal.ignored) == ((), ("web/.dockerignore",))


def test_added_and_removed_units_are_told_with_their_files() -> None:
    less = {path: content for path, content in TREE.items() if not path.startswith("billing/")}
    less["template.yaml"] = "\n".join(
        line for line in TEMPLATE.splitlines() if "Billing" not in line and "billing" not in line
    )
    less["template.yaml"] = less["template.yaml"].replace("    Type: AWS::Serverless::Function\n  Web:", "  Web:")
    added, removed = plan_of(less, TREE), plan_of(TREE, less)
    assert {unit.id: unit.change for unit in added.units} == {BILLING: Change.ADDED}
    assert {unit.id: unit.change for unit in removed.units} == {BILLING: Change.REMOVED}
    assert added.units[0].reasons == (
        Reason(Cause.UNIT_ADDED, "template.yaml"),
        Reason(Cause.ADDED, "billing/app.py", ("CodeUri",)),
    )
    assert removed.unclassified == ()


def test_a_moved_template_takes_its_units_along() -> None:
    before = {
        "a/template.yaml": "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: ../src}}}",
        "src/x": "1",
    }
    after = {"b/template.yaml": before["a/template.yaml"], "src/x": "1"}
    plan = plan_of(before, after)
    assert {unit.id: unit.change for unit in plan.units} == {
        "a/template.yaml#F": Change.REMOVED,
        "b/template.yaml#F": Change.ADDED,
    }


def test_units_are_found_in_every_template_whatever_its_name() -> None:
    body = "Resources: {F: {Type: AWS::Lambda::Function, Properties: {Code: ./src}}}"
    names = ["stack.cfn", "deep/down/infra.json", "service.template", "no_suffix", "x.yml", "X.YAML"]
    repository = MemoryRepository()
    commit = repository.make_commit(dict.fromkeys(names, body) | {"src/a": "1", "notes.txt": body, "code.py": body})
    assert [unit.id for unit in inventory(repository, commit)] == sorted(f"{name}#F" for name in names)


def test_a_yaml_template_that_becomes_json_changes_no_unit() -> None:
    yaml = (
        "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties: {Code: ./src, Environment: !GetAtt A.B.C}\n"
    )
    body = {
        "Resources": {
            "F": {
                "Properties": {"Environment": {"Fn::GetAtt": ["A", "B.C"]}, "Code": "./src"},
                "Type": "AWS::Lambda::Function",
            }
        }
    }
    plan = plan_of({"t.yaml": yaml, "src/a": "1"}, {"t.yaml": json.dumps(body), "src/a": "1"})
    assert plan.units == ()


def test_files_of_no_unit_are_ignored_infrastructure_or_unclassified_and_none_vanishes() -> None:
    after = TREE | {
        "README.md": "2",
        "openapi.yaml": "2",
        "tools/release.sh": "2",
        "samconfig.toml": "1",
        "tests/t.py": "1",
    }
    plan = plan_of(TREE, after)
    assert plan.units == ()
    assert plan.ignored == ("README.md", "tests/t.py")
    assert plan.infrastructure == ("openapi.yaml", "samconfig.toml")
    assert plan.unclassified == ("tools/release.sh",)


@pytest.mark.parametrize("properties", ["{}", "{CodeUri: .}", "{CodeUri: }", "{CodeUri: ''}", "{CodeUri: ./}"])
def test_a_function_without_a_source_is_made_of_its_templates_folder(properties: str) -> None:
    template = f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {properties}}}}}"
    tree = {"app/t.yaml": template, "app/deep/a.py": "1", "b.py": "1"}
    assert units(plan_of(tree, tree | {"app/deep/a.py": "2"})) == {"app/t.yaml#F"}
    assert units(plan_of(tree, tree | {"b.py": "2"})) == set()


UNKNOWN_SOURCES = {
    "CodeUri: [a]": "source-unknown",
    "CodeUri: dist/app.zip": "source-not-in-tree",
    "CodeUri: ../../elsewhere": "source-outside-tree",
    "CodeUri: /opt/code": "source-outside-tree",
    "CodeUri: !Sub '${Stage}/code'": "source-unknown",
    "CodeUri: {Bucket: b, Key: !Ref Key}": "source-unknown",
    "ImageUri: !Ref Image": "source-unknown",
}


@pytest.mark.parametrize(("source", "code"), UNKNOWN_SOURCES.items())
def test_a_source_that_is_not_known_makes_the_plan_incomplete_and_the_unit_part_of_it(source: str, code: str) -> None:
    tree = {"t.yaml": f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{source}}}}}}}", "a.txt": "1"}
    plan = plan_of(tree, tree | {"a.txt": "2"})
    assert not plan.complete
    assert [(warning.code, warning.path, warning.units) for warning in plan.warnings] == [
        (code, "t.yaml", ("t.yaml#F",))
    ]
    assert reasons(plan) == {"t.yaml#F": (Reason(Cause.UNKNOWN, "t.yaml"),)}


@pytest.mark.parametrize("source", UNKNOWN_SOURCES)
def test_an_unknown_source_is_no_doubt_where_only_documentation_changed(source: str) -> None:
    tree = {"t.yaml": f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{source}}}}}}}", "a.md": "1"}
    plan = plan_of(tree, tree | {"a.md": "2"})
    assert (plan.complete, plan.units, plan.ignored) == (True, (), ("a.md",))


@pytest.mark.parametrize(
    "source", ["CodeUri: s3://b/k.zip", "CodeUri: {Bucket: b, Key: k}", "ImageUri: repo@sha256:00"]
)
def test_content_that_is_named_literally_outside_the_tree_is_no_doubt(source: str) -> None:
    tree = {"t.yaml": f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{{source}}}}}}}", "a.txt": "1"}
    assert plan_of(tree, tree | {"a.txt": "2"}).complete


def test_a_source_may_be_a_parameters_default() -> None:
    template = """
Parameters: {Code: {Type: String, Default: src}}
Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: !Ref Code}}}
"""
    tree = {"t.yaml": template, "src/a": "1"}
    assert units(plan_of(tree, tree | {"src/a": "2"})) == {"t.yaml#F"}
    assert plan_of(tree, tree | {"src/a": "2"}).complete


def test_a_template_that_becomes_unreadable_puts_its_units_in_doubt_and_names_the_line() -> None:
    plan = plan_of(TREE, TREE | {"template.yaml": TEMPLATE + "\n  - [broken"})
    assert not plan.complete
    assert plan.warnings[0].code == "template-unreadable"
    assert "line" in plan.warnings[0].message
    assert {unit.change for unit in plan.units} == {Change.MODIFIED}
    assert units(plan) == {ORDERS, BILLING, WEB, SHARED, FLOW, INLINE}


def test_a_template_that_becomes_readable_again_puts_its_units_in_doubt_too() -> None:
    plan = plan_of(TREE | {"template.yaml": TEMPLATE + "\n  - [broken"}, TREE)
    assert units(plan) == {ORDERS, BILLING, WEB, SHARED, FLOW, INLINE}
    assert not plan.complete


def test_a_template_that_stays_unreadable_makes_every_plan_incomplete() -> None:
    broken = TREE | {"other.yaml": "Resources:\n  F: {Type: AWS::Lambda::Function\n"}
    plan = plan_of(broken, broken | {"orders/app.py": "2"})
    assert (plan.complete, units(plan)) == (False, {ORDERS})


LOOP = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Parameters: {Names: {Type: CommaDelimitedList, Default: "a, b"}, Live: {Type: CommaDelimitedList}}
Resources:
  Fn::ForEach::Functions:
    - Name
    - COLLECTION
    - "${Name}Function":
        Type: AWS::Serverless::Function
        Properties: {CodeUri: "src/${Name}", Environment: {Variables: {NAME: !Ref Name}}}
"""


def loop_over(collection: str) -> dict[str, str]:
    return {"t.yaml": LOOP.replace("COLLECTION", collection), "src/a/x": "1", "src/b/x": "1"}


@pytest.mark.parametrize("collection", ["[a, b]", "!Ref Names"])
def test_a_loop_over_known_values_is_written_out(collection: str) -> None:
    before = loop_over(collection)
    plan = plan_of(before, before | {"src/b/x": "2"})
    assert (plan.complete, units(plan)) == (True, {"t.yaml#bFunction"})
    added = plan_of(loop_over("[a]"), loop_over("[a, b]"))
    assert {unit.id: unit.change for unit in added.units} == {"t.yaml#bFunction": Change.ADDED}


def test_loops_within_loops_are_written_out_and_bounded() -> None:
    inner = """{"Fn::ForEach::Inner": [B, ["x-1", "y"], {"F${A}&{B}": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"ZipFile": "${A}"}}}}]}"""
    template = (
        f'{{"Transform": "AWS::LanguageExtensions", "Resources": {{"Fn::ForEach::Outer": [A, ["p", "q"], {inner}]}}}}'
    )
    repository = MemoryRepository()
    found = inventory(repository, repository.make_commit({"t.yaml": template}))
    assert [unit.id for unit in found] == ["t.yaml#Fpx1", "t.yaml#Fpy", "t.yaml#Fqx1", "t.yaml#Fqy"]
    many = json.dumps([str(at) for at in range(1_000)])
    huge = template.replace('["x-1", "y"]', many).replace('["p", "q"]', many)
    plan = plan_of({"t.yaml": template}, {"t.yaml": huge})
    assert (plan.complete, plan.warnings[0].code) == (False, "template-too-large")


def test_a_loop_over_what_is_known_at_deployment_only_cannot_be_known() -> None:
    before = loop_over("!Ref Live")
    plan = plan_of(before, before | {"src/a/x": "2"})
    assert (plan.complete, [warning.code for warning in plan.warnings]) == (False, ["loop"])


PARENT = """
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  Child:
    Type: AWS::Serverless::Application
    Properties: {Location: child/t.yaml, Parameters: {Name: !Sub "${Stage}-x", Other: 1}}
"""
CHILD = """
Parameters: {Name: {Type: String}, Other: {Type: Number}}
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Description: !Ref Name, Code: {ZipFile: x}}}
  G: {Type: AWS::Lambda::Function, Properties: {Description: constant, Code: {ZipFile: x}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("${Stage}-x", "${Stage}-y", "Resources.Child.Parameters.Name"),
        ("Default: dev", "Default: prod", "Parameters.Stage"),
    ],
)
def test_what_a_nesting_template_gives_belongs_to_the_units_that_refer_to_it(old: str, new: str, part: str) -> None:
    before = {"t.yaml": PARENT, "child/t.yaml": CHILD}
    plan = plan_of(before, before | {"t.yaml": PARENT.replace(old, new)})
    assert reasons(plan) == {"child/t.yaml#F": (Reason(Cause.DEFINITION, "t.yaml", (part,)),)}
    assert plan_of(before, before | {"t.yaml": PARENT.replace("Other: 1", "Other: 2")}).units == ()


def test_what_a_grandparent_gives_is_followed_and_circles_end() -> None:
    top = "Resources: {P: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml, Parameters: {Stage: VALUE}}}}"
    before = {
        "top.yaml": top,
        "t.yaml": PARENT,
        "child/t.yaml": CHILD
        + "  P: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: ../t.yaml, Parameters: {Stage: !Ref Name}}}\n",
    }
    plan = plan_of(before, before | {"top.yaml": top.replace("VALUE", "other")})
    assert reasons(plan) == {
        "child/t.yaml#F": (Reason(Cause.DEFINITION, "top.yaml", ("Resources.P.Parameters.Stage",)),)
    }


def test_a_nested_template_that_is_not_in_the_tree_hides_units() -> None:
    before = {"t.yaml": PARENT.replace("child/t.yaml", ".aws-sam/packaged.yaml"), "a": "1"}
    plan = plan_of(before, before | {"a": "2"})
    assert (plan.complete, [warning.code for warning in plan.warnings]) == (False, ["nested-not-in-tree"])


@pytest.mark.parametrize(
    "include", ["Transform: {Name: AWS::Include, Parameters: {Location: ./x}}", "Fn::Transform: {Name: AWS::Include}"]
)
def test_a_template_that_is_filled_in_at_deployment_cannot_be_known(include: str) -> None:
    tree = {"t.yaml": f"{include}\nResources: {{Q: {{Type: AWS::SQS::Queue}}}}\n", "a": "1"}
    plan = plan_of(tree, tree | {"a": "2"})
    assert (plan.complete, [warning.code for warning in plan.warnings]) == (False, ["include"])


def test_an_included_fragment_is_an_input_of_the_unit_around_it() -> None:
    template = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties:
      InlineCode: x
      Environment: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./env.yaml}}}
"""
    tree = {"t.yaml": template, "env.yaml": "Variables: {A: 1}"}
    plan = plan_of(tree, tree | {"env.yaml": "Variables: {A: 2}"})
    assert reasons(plan) == {"t.yaml#F": (Reason(Cause.CONTENT, "env.yaml", ("AWS::Include",)),)}


def test_a_macro_puts_the_units_in_doubt_when_its_template_changes() -> None:
    macro = (
        "Transform: Company::Magic\nResources: {F: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: x}}}}\n"
    )
    plan = plan_of({"t.yaml": macro}, {"t.yaml": macro + "Outputs: {A: {Value: 1}}\n"})
    assert (plan.complete, units(plan)) == (False, {"t.yaml#F"})
    assert plan_of({"t.yaml": macro, "a": "1"}, {"t.yaml": macro, "a": "2"}).complete


def test_a_link_on_the_way_to_what_a_link_means_is_an_input() -> None:
    """It may lie outside of every source, and decides what is packed."""
    tree = TREE | {"v1/x": "1", "v2/x": "1", "current": link("v1"), "billing/lib": link("../current")}
    assert units(plan_of(tree, tree | {"current": link("v2")})) == {BILLING}


def test_a_link_into_a_submodule_means_the_submodule() -> None:
    tree = TREE | {"theirs": submodule("1" * 40), "billing/lib": link("../theirs/lib")}
    plan = plan_of(tree, tree | {"theirs": submodule("2" * 40)})
    assert (units(plan), plan.complete) == ({BILLING}, True)


def test_a_manifest_above_is_followed_where_it_is_a_link_and_holds_above_a_submodule_too() -> None:
    properties = "{CodeUri: mods/app, Handler: a.b, Runtime: python3.13}"
    template = f"Resources: {{P: {{Type: AWS::Serverless::Function, Properties: {properties}}}}}"
    tree = {"t.yaml": template, "mods/requirements.txt": link("../pins.txt"), "pins.txt": "a"}
    for source in ({"mods/app": submodule("1" * 40)}, {"mods/app/a.py": "1"}):
        assert units(plan_of(tree | source, tree | source | {"pins.txt": "b"})) == {"t.yaml#P"}


def test_a_link_among_the_inputs_brings_in_what_it_leads_to() -> None:
    before = TREE | {"lib/util.py": "1", "billing/lib": link("../lib"), "lib/more": link("../extra"), "extra/x": "1"}
    assert units(plan_of(before, before | {"lib/util.py": "2"})) == {BILLING}
    assert units(plan_of(before, before | {"extra/x": "2"})) == {BILLING}


def test_a_source_behind_a_link_is_found() -> None:
    before = {"t.yaml": "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: current/app}}}"}
    tree = before | {"current": link("v2"), "v1/app/x": "1", "v2/app/x": "1"}
    assert units(plan_of(tree, tree | {"v2/app/x": "2"})) == {"t.yaml#F"}
    assert units(plan_of(tree, tree | {"v1/app/x": "2"})) == set()
    assert units(plan_of(tree, tree | {"current": link("v1")})) == {"t.yaml#F"}


@pytest.mark.parametrize("target", ["../../../etc/passwd", "/etc/passwd", "self"])
def test_a_link_that_leads_nowhere_we_can_see_is_a_doubt(target: str) -> None:
    before = TREE | {"billing/self": link(target)}
    plan = plan_of(before, before | {"tools/release.sh": "2"})
    assert (plan.complete, plan.warnings[0].code) == (False, "symlink-leaves-tree")


def test_no_common_history_is_an_incomplete_plan_of_every_unit() -> None:
    repository = MemoryRepository()
    plan = detect(repository, repository.make_commit(TREE), repository.make_commit(TREE))
    assert (plan.complete, plan.merge_base, plan.warnings[0].code) == (False, None, "no-merge-base")
    assert units(plan) == {ORDERS, BILLING, WEB, SHARED, FLOW, INLINE}


def test_a_criss_cross_history_is_an_incomplete_plan() -> None:
    repository = MemoryRepository()
    root = repository.make_commit(TREE)
    one, two = repository.make_commit(TREE, root), repository.make_commit(TREE, root)
    plan = detect(repository, repository.make_commit(TREE, one, two), repository.make_commit(TREE, one, two))
    assert (plan.complete, plan.warnings[0].code) == (False, "criss-cross")


def test_what_the_base_gained_since_the_branches_parted_is_not_part_of_the_plan() -> None:
    repository = MemoryRepository()
    fork = repository.make_commit(TREE)
    base = repository.make_commit(TREE | {"orders/app.py": "base"}, fork)
    head = repository.make_commit(TREE | {"billing/app.py": "head"}, fork)
    plan = detect(repository, base, head)
    assert (plan.merge_base, units(plan)) == (fork, {BILLING})


def test_thousands_of_reasons_are_counted_and_the_first_hundred_kept() -> None:
    many = {f"billing/f{number:05}.py": "1" for number in range(3_000)}
    unit = plan_of(TREE, TREE | many).units[0]
    assert (len(unit.reasons), unit.omitted_reasons) == (100, 2_900)
    assert unit.reasons[0].path == "billing/f00000.py"


class KeptAnalyses:
    """A cache that lasts as long as the test."""

    def __init__(self) -> None:
        self.kept: dict[str, Analysis | None] = {}

    def get(self, oids: Iterable[str]) -> Mapping[str, Analysis | None]:
        return {oid: self.kept[oid] for oid in oids if oid in self.kept}

    def reaches(self, oids: Iterable[str]) -> Mapping[str, Reach]:
        return {oid: reach(known) for oid, known in self.get(oids).items() if known}

    def put(self, analyses: Mapping[str, Analysis | None]) -> None:
        self.kept |= analyses


class WatchedRepository(MemoryRepository):
    """Remembers which blobs were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        wanted = list(oids)
        self.asked += wanted
        return super().blobs(wanted, max_bytes)


def test_analyses_that_were_kept_are_not_made_again() -> None:
    repository, analyses = WatchedRepository(), KeptAnalyses()
    base = repository.make_commit(TREE)
    head = repository.make_commit(TREE | {"orders/app.py": "2"}, base)
    first = detect(repository, base, head, analyses)
    repository.asked.clear()
    assert detect(repository, base, head, analyses) == first
    assert repository.asked == [File(b"*.log\n!keep.log\n").oid]
