"""Functions that share a source folder, and build manifests that units share."""

from __future__ import annotations

import pytest

from kuroshio.changes.detection import detect
from kuroshio.changes.plan import Cause, Plan, Reason
from tests.fakes.repository import Files, MemoryRepository

COUNT = 24


def plan_of(before: Files, after: Files) -> Plan:
    repository = MemoryRepository()
    base = repository.make_commit(before)
    return detect(repository, base, repository.make_commit(after, base))


def template(runtime: str, handler: str, count: int = COUNT, more: str = "") -> str:
    functions = (
        f"  F{at}: {{Type: AWS::Serverless::Function, {more.format(at=at)} Properties: {{CodeUri: src, Handler: {handler.format(at=at)}}}}}"
        for at in range(count)
    )
    return f"Globals: {{Function: {{Runtime: {runtime}}}}}\nResources:\n" + "\n".join(functions)


def ids(plan: Plan) -> set[str]:
    return {unit.id.partition("#F")[2] for unit in plan.units}


PYTHON = {
    "t.yaml": template("python3.13", "h{at}.handle"),
    **{f"src/h{at}.py": "import json\n" for at in range(COUNT)},
    "src/h3.py": "from common import tax\n",
    "src/h4.py": "from common import tax\n",
    "src/common/__init__.py": "",
    "src/common/tax.py": "1",
    "src/rates.json": "1",
}


def test_a_change_to_one_of_24_handlers_flags_that_handler_and_no_other() -> None:
    plan = plan_of(PYTHON, PYTHON | {"src/h7.py": "import os\n"})
    assert (plan.complete, ids(plan)) == (True, {"7"})


def test_a_change_to_a_shared_module_flags_those_that_import_it_and_says_by_what() -> None:
    plan = plan_of(PYTHON, PYTHON | {"src/common/tax.py": "2"})
    assert ids(plan) == {"3", "4"}
    assert plan.units[0].reasons == (Reason(Cause.CONTENT, "src/common/tax.py", ("src/h3.py", "CodeUri")),)


def test_what_no_handler_imports_is_everybodys() -> None:
    assert len(ids(plan_of(PYTHON, PYTHON | {"src/rates.json": "2"}))) == COUNT


def test_an_import_that_is_computed_widens_its_handler_to_the_folder() -> None:
    before = PYTHON | {"src/h9.py": "import importlib, os\nimportlib.import_module(os.environ['X'])\n"}
    assert ids(plan_of(before, before | {"src/h7.py": "import os\n"})) == {"7", "9"}


def test_a_new_handler_and_its_file_leave_the_others_alone() -> None:
    before = PYTHON | {"t.yaml": template("python3.13", "h{at}.handle", COUNT - 1)}
    del before[f"src/h{COUNT - 1}.py"]
    assert ids(plan_of(before, PYTHON)) == {str(COUNT - 1)}
    assert ids(plan_of(PYTHON, before)) == {str(COUNT - 1)}


def test_a_second_function_in_a_folder_of_one_leaves_the_first_alone() -> None:
    before = {"t.yaml": template("python3.13", "h{at}.handle", 1), "src/h0.py": "1"}
    after = {"t.yaml": template("python3.13", "h{at}.handle", 2), "src/h0.py": "1", "src/h1.py": "1"}
    assert ids(plan_of(before, after)) == {"1"}


@pytest.mark.parametrize("name", ["PYTHONPATH", "AWS_LAMBDA_EXEC_WRAPPER"])
def test_an_environment_that_changes_what_is_loaded_forbids_narrowing(name: str) -> None:
    odd = str(PYTHON["t.yaml"]).replace(
        "Handler: h5.handle", f"Handler: h5.handle, Environment: {{Variables: {{{name}: x}}}}"
    )
    before = PYTHON | {"t.yaml": odd}
    assert ids(plan_of(before, before | {"src/h7.py": "import os\n"})) == {"5", "7"}


BUNDLED = {
    "t.yaml": template(
        "nodejs22.x",
        "h{at}.handler",
        more="Metadata: {{BuildMethod: esbuild, BuildProperties: {{EntryPoints: [h{at}.ts]}}}},",
    ),
    **{f"src/h{at}.ts": "export const handler = 1\n" for at in range(COUNT)},
    "src/h3.ts": "import {x} from '../lib/x'\nexport const handler = x\n",
    "lib/x.ts": "export const x = 1\n",
    "src/notes.txt": "1",
    "package.json": "{}",
    "package-lock.json": "{}",
}


def test_bundles_are_made_of_what_their_entry_points_import_wherever_it_lies() -> None:
    assert ids(plan_of(BUNDLED, BUNDLED | {"src/h7.ts": "export const handler = 2\n"})) == {"7"}
    assert ids(plan_of(BUNDLED, BUNDLED | {"lib/x.ts": "export const x = 2\n"})) == {"3"}
    assert ids(plan_of(BUNDLED, BUNDLED | {"src/notes.txt": "2"})) == set()


def test_a_lock_file_in_the_root_is_part_of_all_that_is_built_by_it() -> None:
    plan = plan_of(BUNDLED, BUNDLED | {"package-lock.json": "[]"})
    assert len(ids(plan)) == COUNT
    assert plan.units[0].reasons == (Reason(Cause.CONTENT, "package-lock.json", ("BuildMethod",)),)
    assert plan_of(PYTHON | {"package-lock.json": "{}"}, PYTHON).units == ()


def one(runtime: str) -> str:
    return f"Resources: {{F: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: app/one, Runtime: {runtime}, Handler: a.b}}}}}}"


@pytest.mark.parametrize(
    ("runtime", "manifest"),
    [
        ("java21", "gradle/libs.versions.toml"),
        ("java21", "settings.gradle"),
        ("java21", "app/pom.xml"),
        ("python3.13", "requirements.txt"),
        ("python3.13", "uv.lock"),
        ("nodejs22.x", "pnpm-lock.yaml"),
        ("dotnet8", "Directory.Build.props"),
        ("ruby3.3", "Gemfile.lock"),
    ],
)
def test_manifests_above_a_source_are_its_inputs(runtime: str, manifest: str) -> None:
    before = {"t.yaml": one(runtime), "app/one/a": "1", manifest: "1"}
    assert [unit.id for unit in plan_of(before, {**before, manifest: "2"}).units] == ["t.yaml#F"]
    assert [unit.id for unit in plan_of(before, {"t.yaml": one(runtime), "app/one/a": "1"}).units] == ["t.yaml#F"]


def test_only_the_nearest_manifest_of_a_name_counts_and_none_where_python_has_its_own() -> None:
    near = {"t.yaml": one("nodejs22.x"), "app/one/a": "1", "package.json": "1", "app/package.json": "1"}
    assert plan_of(near, near | {"package.json": "2"}).units == ()
    own = {"t.yaml": one("python3.13"), "app/one/requirements.txt": "1", "requirements.txt": "1"}
    assert plan_of(own, own | {"requirements.txt": "2"}).unclassified == ("requirements.txt",)
