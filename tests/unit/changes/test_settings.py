"""kuroshio.yaml: what it adds, what it leaves out, and what it says when it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kuroshio.changes.detection import detect, inventory
from kuroshio.changes.document import load
from kuroshio.changes.plan import Cause, Plan, Reason
from kuroshio.changes.settings import parse
from kuroshio.errors import SettingsInvalid
from tests.fakes.repository import Files, MemoryRepository

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "schemas" / "kuroshio.schema.json").read_text())

TEMPLATE = """
Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: orders/}}
  Built: {Type: AWS::Serverless::Function, Properties: {CodeUri: dist/built.zip}}
"""
TREE = {"t.yaml": TEMPLATE, "orders/a.py": "1", "shared/lib.py": "1", "built/main.go": "1", "infra/x.tpl": "1"}
WHOLE = """
templates: {exclude: [samples/**]}
ignore:
  built-in: true
  paths: ["assets", "!docs/api.md"]
units:
  "t.yaml#Orders": {inputs: shared}
  "*#Built": {source: [built/]}
services:
  worker: {kind: instance-service, source: worker/, inputs: [shared/]}
images: {without-onbuild: [registry.example.com/base]}
order: ["*#Orders", "kuroshio.yaml#*"]
"""


def plan_of(before: Files, after: Files) -> Plan:
    repository = MemoryRepository()
    base = repository.make_commit(before)
    return detect(repository, base, repository.make_commit(after, base))


def with_settings(text: str, **more: str) -> dict[str, str]:
    return {**TREE, "worker/main.rs": "1", "kuroshio.yaml": text, **more}


def ids(plan: Plan) -> set[str]:
    return {unit.id for unit in plan.units}


def test_inputs_are_added_to_units() -> None:
    before = with_settings(WHOLE)
    plan = plan_of(before, {**before, "shared/lib.py": "2"})
    assert ids(plan) == {"t.yaml#Orders", "kuroshio.yaml#worker"}
    orders = next(unit for unit in plan.units if unit.id == "t.yaml#Orders")
    assert orders.reasons == (Reason(Cause.CONTENT, "shared/lib.py", ("kuroshio.yaml",)),)


def test_a_source_that_is_told_is_no_longer_unknown() -> None:
    before = with_settings(WHOLE)
    plan = plan_of(before, {**before, "built/main.go": "2"})
    assert (plan.complete, ids(plan)) == (True, {"t.yaml#Built"})
    assert not plan_of(TREE, {**TREE, "built/main.go": "2"}).complete


def test_services_are_units_of_kuroshio_yaml() -> None:
    before = with_settings(WHOLE)
    plan = plan_of(before, {**before, "worker/main.rs": "2"})
    assert [(unit.id, unit.kind, unit.packaging) for unit in plan.units] == [
        ("kuroshio.yaml#worker", "instance-service", "files")
    ]
    assert plan.units[0].reasons == (Reason(Cause.CONTENT, "worker/main.rs", ("source",)),)
    gone = plan_of(before, {**before, "kuroshio.yaml": "ignore: {built-in: true}\n"})
    assert "removed" in {unit.change.value for unit in gone.units if unit.id == "kuroshio.yaml#worker"}


def test_an_order_gives_every_unit_its_wave_and_the_last_to_the_rest() -> None:
    before = with_settings(WHOLE)
    plan = plan_of(before, {**before, "shared/lib.py": "2", "built/main.go": "2"})
    waves = {unit.id: unit.wave for unit in plan.units}
    assert waves == {"t.yaml#Orders": 1, "kuroshio.yaml#worker": 2, "t.yaml#Built": 3}


def test_a_list_of_ignored_files_adds_to_the_built_in_one_and_takes_back_from_it() -> None:
    before = with_settings(WHOLE, **{"assets/a": "1", "docs/api.md": "1", "README.md": "1"})
    plan = plan_of(before, {**before, "assets/a": "2", "docs/api.md": "2", "README.md": "2"})
    assert (plan.ignored, plan.unclassified) == (("README.md", "assets/a"), ("docs/api.md",))


def test_a_list_of_ignored_files_can_replace_the_built_in_one() -> None:
    before = with_settings("ignore: {built-in: false, paths: [assets]}", **{"assets/a": "1", "README.md": "1"})
    plan = plan_of(before, {**before, "assets/a": "2", "README.md": "2"})
    assert (plan.ignored, plan.unclassified) == (("assets/a",), ("README.md",))


def test_a_template_that_is_left_out_has_no_units() -> None:
    before = with_settings(WHOLE, **{"samples/t.yaml": TEMPLATE})
    assert not any(unit.startswith("samples/") for unit in ids(plan_of(before, before)))
    repository = MemoryRepository()
    found = inventory(repository, repository.make_commit(before))
    assert [unit.id for unit in found] == ["kuroshio.yaml#worker", "t.yaml#Built", "t.yaml#Orders"]


@pytest.mark.parametrize("hiding", ["templates: {exclude: ['**']}", "ignore: {paths: ['**']}"])
def test_no_pull_request_hides_its_own_change(hiding: str) -> None:
    plan = plan_of(TREE, {**TREE, "kuroshio.yaml": hiding, "orders/a.py": "2", "shared/lib.py": "2"})
    assert "t.yaml#Orders" in ids(plan)
    assert plan.unclassified == ("shared/lib.py",)
    assert plan.infrastructure == ("kuroshio.yaml",)


def test_settings_of_the_merge_base_that_cannot_be_read_put_every_unit_in_doubt() -> None:
    plan = plan_of(with_settings("units: 3"), with_settings(WHOLE))
    assert (plan.complete, plan.warnings[0].code) == (False, "settings-unreadable")
    assert ids(plan) == {"t.yaml#Orders", "t.yaml#Built", "kuroshio.yaml#worker"}


WRONG = {
    "units: 3": 'kuroshio.yaml, line 1, column 8: units is "3"; expected a mapping',
    "unit: {}": 'line 1, column 1: the key is "unit"; expected one of: templates, ignore, units, services, order, images',
    "units:\n  Orders: {}": 'line 2, column 3: units.Orders is "Orders"; expected a unit id, <template>#<LogicalId>',
    "units:\n  t#F:\n    inputs: [a, {b: c}]": "line 3, column 17: units.t#F.inputs[1] is a mapping; expected a path",
    "ignore:\n  built-in: maybe": 'line 2, column 13: ignore.built-in is "maybe"; expected true or false',
    "services: {w: {kind: lambda, source: a}}": 'services.w.kind is "lambda"; expected one of: ecs-service',
    "services: {w: {kind: ecs-service}}": "services.w is a mapping; expected a mapping with the key source",
    "services: {'a b': {kind: ecs-service, source: a}}": "expected a name of letters",
    "images: {without-onbuild: base}": "expected a list of patterns, as in .dockerignore",
    "images: {from: []}": 'the key is "from"; expected one of: without-onbuild',
    "order: first": 'order is "first"; expected a list of unit ids or patterns',
    "order: [a, ]\nunits:\n": "line 2, column 7: units is empty; expected a mapping",
    "templates: {exclude: [3, []]}": "templates.exclude[1] is a list; expected a list of patterns",
    "- a": "the file is a list; expected a mapping",
}


@pytest.mark.parametrize(("text", "said"), WRONG.items())
def test_an_error_names_the_line_what_stands_there_and_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(SettingsInvalid) as error:
        parse(text.encode())
    assert said in str(error.value)


@pytest.mark.parametrize("text", [text for text in WRONG if "exclude: [3" not in text])
def test_the_published_schema_refuses_what_is_refused(text: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(load(text.encode()), SCHEMA)


@pytest.mark.parametrize("text", [WHOLE, "", "# nothing\n", (ROOT / "kuroshio.yaml").read_text()])
def test_the_published_schema_accepts_what_is_accepted(text: str) -> None:
    parse(text.encode())
    jsonschema.validate(load(text.encode()), SCHEMA)


@pytest.mark.parametrize(
    "text", ["order: [" + "a, " * 1_001 + "]", "units:\n" + "".join(f"  t#{n}: {{}}\n" for n in range(1_001))]
)
def test_more_entries_than_anybody_writes_are_refused_before_they_are_held_against_units(text: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"at most 1,000 entries, not 1,001"):
        parse(text.encode())


def test_broken_yaml_is_refused_with_its_line() -> None:
    with pytest.raises(SettingsInvalid, match=r"kuroshio\.yaml: line 3, column"):
        parse(b"units:\n  - [")


@pytest.mark.parametrize("content", ["\t{}", '{"order": ["\\ud800"]}'])
def test_json_that_is_no_yaml_is_refused_as_well(content: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"kuroshio\.yaml: "):
        parse(content.encode())


def test_an_entry_for_a_unit_that_does_not_exist_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r'kuroshio\.yaml, line 2: units\."t\.yaml#Odrers" means no unit'):
        plan_of(TREE, {**TREE, "kuroshio.yaml": 'units:\n  "t.yaml#Odrers": {inputs: shared}\n'})


ECS = """
Parameters: {Tag: {Type: String}}
Resources:
  Task:
    Type: AWS::ECS::TaskDefinition
    Properties: {ContainerDefinitions: [{Name: web, Image: !Sub "repo:${Tag}"}]}
  Web: {Type: AWS::ECS::Service, Properties: {TaskDefinition: !Ref Task, DesiredCount: 2}}
"""


def test_an_ecs_service_changes_with_its_task_definition() -> None:
    said = 'units: {"t.yaml#Task": {source: web/}}'
    before = {"t.yaml": ECS, "web/app.py": "1", "kuroshio.yaml": said}
    plan = plan_of(before, {**before, "web/app.py": "2"})
    assert {unit.id: unit.kind for unit in plan.units} == {
        "t.yaml#Task": "task-definition",
        "t.yaml#Web": "ecs-service",
    }
    assert plan.units[1].reasons == (Reason(Cause.TASK_DEFINITION, "web/app.py", ("kuroshio.yaml", "t.yaml#Task")),)
    assert plan.complete


def test_an_ecs_service_changes_alone_when_only_it_differs() -> None:
    before = {"t.yaml": ECS}
    plan = plan_of(before, {"t.yaml": ECS.replace("DesiredCount: 2", "DesiredCount: 3")})
    reasons = {unit.id: unit.reasons for unit in plan.units}
    assert Reason(Cause.DEFINITION, "t.yaml", ("Properties.DesiredCount",)) in reasons["t.yaml#Web"]
    assert reasons["t.yaml#Task"] == (Reason(Cause.UNKNOWN, "t.yaml"),)


def test_a_task_whose_images_are_named_literally_is_known() -> None:
    named = ECS.replace('!Sub "repo:${Tag}"', "nginx:1")
    plan = plan_of({"t.yaml": named}, {"t.yaml": named.replace("nginx:1", "nginx:2")})
    assert (plan.complete, ids(plan)) == (True, {"t.yaml#Task", "t.yaml#Web"})
