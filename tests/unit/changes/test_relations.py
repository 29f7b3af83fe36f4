"""What builds read besides their source folders: Gradle's and Maven's projects, what makefiles name."""

from __future__ import annotations

import pytest

from kuroshio.changes.detection import inventory
from kuroshio.changes.plan import Cause, Reason
from tests.fakes.repository import Files, MemoryRepository
from tests.unit.changes.test_detection import plan_of

JAVA = """
Globals: {Function: {Runtime: java21, Handler: a.B}}
Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: orders}}
  Bills: {Type: AWS::Serverless::Function, Properties: {CodeUri: bills}}
"""


def ids(before: Files, path: str) -> set[str]:
    """The units that a change of one file changes."""
    return {unit.id.partition("#")[2] for unit in plan_of(before, {**before, path: "changed"}).units}


def gradle(orders: str = "", settings: str = "", **more: str) -> dict[str, str]:
    return {
        "t.yaml": JAVA,
        "settings.gradle": settings
        or "include ':orders', ':bills'\ninclude 'libs:tax', 'libs:tax-rates', 'libs:log'\n",
        "build.gradle": "plugins { id 'java' }\n",
        "orders/build.gradle": orders or "dependencies { implementation project(':libs:tax') }\n",
        "bills/build.gradle": "dependencies { }\n",
        "libs/tax/build.gradle": "dependencies { implementation(project(path: ':libs:log')) }\n",
        "libs/log/build.gradle": "",
        "libs/tax-rates/build.gradle": "",
        **{
            f"{folder}/src/A.java": "1"
            for folder in ("orders", "bills", "libs/tax", "libs/log", "libs/tax-rates", "odd/tax")
        },
        "config/rules.xml": "1",
        "docs.md": "1",
        **more,
    }


def test_a_change_of_a_shared_project_changes_the_functions_that_are_built_from_it_at_any_distance() -> None:
    plan = plan_of(gradle(), gradle() | {"libs/log/src/A.java": "2"})
    assert plan.complete
    assert [unit.reasons for unit in plan.units] == [
        (Reason(Cause.CONTENT, "libs/log/src/A.java", ("libs/tax/build.gradle",)),)
    ]
    assert ids(gradle(), "libs/tax/src/A.java") == {"Orders"}
    assert ids(gradle(), "libs/tax-rates/src/A.java") == set()


@pytest.mark.parametrize(
    "orders",
    [
        "dependencies { implementation(project(':libs:tax')) }",
        'dependencies { implementation project(path: ":libs:tax", configuration: "shadow") }',
        'dependencies { implementation(project(configuration = "x", path = ":libs:tax")) }',
        "dependencies { implementation(projects.libs.tax) }",
        "evaluationDependsOn(':libs:tax')",
        "apply from: '../libs/tax/src/A.java'",
        "dependencies { implementation files('../libs/tax/out') }\nsourceSets { main { java { srcDir '../libs/tax/src' } } }",
        'sourceSets.main.java.srcDir("$rootDir/libs/tax/src")',
        'sourceSets.main.java.srcDir("${rootProject.projectDir}/libs/tax/src")',
        "def x = rootProject.file('libs/tax')",
        "def x = new File(rootDir, 'libs/tax')",
        "def p = ~/a/*.b/; dependencies { implementation project(':libs:tax') } /* x */",
        "def p = ~/http:\\/\\//; dependencies { implementation project(':libs:tax') }",
        "testImplementation 'a:b:1'; implementation project(':libs:tax')",
    ],
)
def test_what_a_build_script_names_literally_is_followed(orders: str) -> None:
    assert ids(gradle(orders), "libs/tax/src/A.java") == {"Orders"}
    assert ids(gradle(orders), "libs/tax-rates/src/A.java") == set()


@pytest.mark.parametrize(
    "orders",
    [
        "// implementation project(':libs:tax')",
        "/* implementation project(':libs:tax') */",
        "dependencies { testImplementation2 }\n  testImplementation project(':libs:tax')",
        "println('project of :libs:tax')",
        "def url = 'https://example.com/../libs/tax'",
    ],
)
def test_what_only_looks_like_a_relation_is_none(orders: str) -> None:
    assert ids(gradle(orders), "libs/tax/src/A.java") == set()


@pytest.mark.parametrize(
    "orders",
    [
        'dependencies { implementation project(":libs:${name}") }',
        "dependencies { shared.each { implementation project(it) } }",
        "apply from: script",
        "def x = rootDir.listFiles()",
        'def x = file("../$name/src")',
    ],
)
def test_what_a_build_script_computes_may_be_anything_of_the_build(orders: str) -> None:
    before = gradle(orders)
    assert ids(before, "libs/tax-rates/src/A.java") == {"Orders"}
    repository = MemoryRepository()
    unit = next(unit for unit in inventory(repository, repository.make_commit(before)) if unit.id == "t.yaml#Orders")
    assert "all of it: orders/build.gradle computes what it is built from" in {each.note for each in unit.inputs}


def test_settings_say_where_projects_lie() -> None:
    settings = "include ':orders', ':bills', ':libs:tax'\nproject(':libs:tax').projectDir = file('odd/tax')\n"
    assert ids(gradle(settings=settings), "odd/tax/src/A.java") == {"Orders"}
    computed = settings.replace("file('odd/tax')", "file(place)")
    assert ids(gradle(settings=computed), "libs/tax-rates/src/A.java") == {"Orders", "Bills"}


def test_projects_that_settings_include_in_a_loop_lie_where_their_paths_say() -> None:
    settings = "file('libs').eachDir { include \":libs:${it.name}\" }\n"
    assert ids(gradle(settings=settings), "libs/tax/src/A.java") == {"Orders"}
    accessor = gradle("dependencies { implementation projects.libs.tax }", settings)
    assert ids(accessor, "libs/tax-rates/src/A.java") == {"Orders"}  # which project the name means is not known


def test_kotlin_and_accessors_of_names_with_hyphens() -> None:
    before = gradle(settings='include(":orders", ":libs:tax-rates")\n')
    before["orders/build.gradle.kts"] = "dependencies { implementation(projects.libs.taxRates) }"
    del before["orders/build.gradle"]
    assert ids(before, "libs/tax-rates/src/A.java") == {"Orders"}
    assert ids(before, "libs/tax/src/A.java") == set()


def test_what_the_root_gives_to_all_projects_counts_for_all() -> None:
    root = "subprojects { dependencies { implementation project(':libs:log') } }"
    assert ids(gradle() | {"build.gradle": root}, "libs/log/src/A.java") == {"Orders", "Bills"}
    block = "project(':libs:log') { version = '1' }"
    assert ids(gradle("plugins { }") | {"build.gradle": block}, "libs/log/src/A.java") == set()


def test_build_logic_of_the_build_s_own_counts_for_all() -> None:
    before = gradle("plugins { id 'conventions' }", buildSrc__x="") | {
        "settings.gradle": "pluginManagement { includeBuild('build-logic') }\ninclude 'orders', 'bills'",
        "build-logic/src/main/groovy/conventions.gradle": "dependencies { implementation project(':libs:log') }",
        "buildSrc/src/main/java/Plugin.java": "1",
    }
    for path in (
        "buildSrc/src/main/java/Plugin.java",
        "build-logic/src/main/groovy/conventions.gradle",
        "libs/log/src/A.java",
    ):
        assert ids(before, path) == {"Orders", "Bills"}
    assert ids(before, "libs/tax/src/A.java") == set()


def test_a_relation_that_a_pull_request_takes_away_is_still_one_of_its_merge_base() -> None:
    before = gradle()
    after = gradle("dependencies { }") | {"libs/tax/src/A.java": "2"}
    reasons = {reason.path for unit in plan_of(before, after).units for reason in unit.reasons}
    assert reasons == {"orders/build.gradle", "libs/tax/src/A.java"}


def test_a_source_that_kuroshio_yaml_tells_is_followed_from_there() -> None:
    template = JAVA.replace("CodeUri: orders", "CodeUri: orders/build/distributions/orders.zip")
    told = {"t.yaml": template, "kuroshio.yaml": 'units: {"*#Orders": {source: orders}}'}
    assert ids(gradle() | told, "libs/log/src/A.java") == {"Orders"}


def pom(artifact: str, *uses: str, parent: str = "", group: str = "g") -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{use}</artifactId>"
        f"<exclusions><exclusion><groupId>g</groupId><artifactId>log</artifactId></exclusion></exclusions></dependency>"
        for use in uses
    )
    above = f"<parent><groupId>g</groupId><artifactId>{parent}</artifactId></parent>" if parent else ""
    own = "" if parent else "<groupId>g</groupId>"
    return f'<project xmlns="http://maven.apache.org/POM/4.0.0">{above}{own}<artifactId>{artifact}</artifactId><dependencies>{dependencies}</dependencies></project>'


def maven(orders: str, **more: str) -> dict[str, str]:
    return {
        "t.yaml": JAVA,
        "pom.xml": pom("root"),
        "orders/pom.xml": orders,
        "bills/pom.xml": pom("bills", parent="root"),
        "libs/tax/pom.xml": pom("tax", "rates", parent="root"),
        "libs/rates/pom.xml": pom("rates"),
        "libs/log/pom.xml": pom("log"),
        **{f"{folder}/src/A.java": "1" for folder in ("orders", "bills", "libs/tax", "libs/rates", "libs/log")},
        **more,
    }


def test_maven_modules_are_followed_by_their_names() -> None:
    before = maven(pom("orders", "tax", parent="root"))
    assert ids(before, "libs/tax/src/A.java") == {"Orders"}
    assert ids(before, "libs/rates/src/A.java") == {"Orders"}
    assert ids(before, "libs/log/src/A.java") == set()


def test_a_parent_gives_its_dependencies_and_may_lie_elsewhere() -> None:
    orders = pom("orders", parent="shared").replace(
        "</parent>", "<relativePath>../parents/shared</relativePath></parent>"
    )
    before = maven(orders) | {"parents/shared/pom.xml": pom("shared", "log")}
    assert ids(before, "parents/shared/pom.xml") == {"Orders"}
    assert ids(before, "libs/log/src/A.java") == {"Orders"}
    assert ids(before, "libs/tax/src/A.java") == set()


@pytest.mark.parametrize(
    ("orders", "expected"),
    [
        (pom("orders", "tax", group="${project.groupId}"), {"Orders"}),
        (pom("orders", "tax", group="other"), set()),
        (pom("orders", "tax").replace("</artifactId><excl", "</artifactId><scope>test</scope><excl"), set()),
        (pom("orders", "${shared}"), {"Orders"}),
        ("<project><artifactId>orders</artifactId>", {"Orders"}),
        ('<!DOCTYPE x [<!ENTITY a "b">]><project><artifactId>&a;</artifactId></project>', {"Orders"}),
    ],
)
def test_a_module_that_cannot_be_told_may_be_any_of_the_build(orders: str, expected: set[str]) -> None:
    assert ids(maven(orders), "libs/tax/src/A.java") == expected


MAKE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: makefile}
    Properties: {CodeUri: services/f, Runtime: provided.al2023, Handler: x}
"""


def make(text: str, **more: str) -> dict[str, str]:
    return {
        "t.yaml": MAKE,
        "services/f/Makefile": text,
        "services/f/main.c": "1",
        "libs/x/x.c": "1",
        "libs/y/y.c": "1",
        "make/common.mk": "common:\n\tcp ../../libs/x/x.c .\n",
        "services/f/build.sh": '#!/bin/sh\ncp -r ../../libs/x "$ARTIFACTS_DIR"\n',
        **more,
    }


@pytest.mark.parametrize(
    "text",
    [
        "build-F:\n\tcp -r ../../libs/x $(ARTIFACTS_DIR)\n",
        "LIBS := ../../libs\nbuild-F:\n\tcp -r $(LIBS)/x/*.c $(ARTIFACTS_DIR)\n",
        "build-F: copied\n\ttrue\ncopied:\n\tcp -r $(CURDIR)/../../libs/x .\n",
        "build-F:\n\t$(MAKE) copied\ncopied:\n\tcp -r ${PWD}/../../libs/x .\n",
        "build-F:\n\tcd .. && cp -r ../libs/x \\\n  .\n",
        "HERE := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))\nbuild-F:\n\tcp $(HERE)../../libs/x/x.c .\n",
        "include ../../make/common.mk\nbuild-F: common\n",
        'build-%:\n\tcp "../../libs/x/x.c" $(ARTIFACTS_DIR)/$*\n',
        "build-F:\n\t./build.sh\n",
        "build-F:\n\tX=$(shell cat ../../libs/x/x.c) true\n",
    ],
)
def test_what_a_recipe_names_beyond_its_folder_is_an_input(text: str) -> None:
    before = make(text)
    plan = plan_of(before, before | {"libs/x/x.c": "2"})
    assert (plan.complete, [unit.id for unit in plan.units]) == (True, ["t.yaml#F"])
    assert ids(before, "libs/y/y.c") == set()


def test_other_targets_and_what_sam_makes_do_not_count() -> None:
    text = "build-F:\n\tcp main $(ARTIFACTS_DIR)/../x\n# cp ../../libs/x .\nbuild-G:\n\tcp -r ../../libs/x .\n"
    before = make(text)
    assert plan_of(before, before | {"libs/x/x.c": "2"}).units == ()
    assert ids(before, "services/f/main.c") == {"F"}


@pytest.mark.parametrize(
    "text",
    [
        "build-F:\n\tcp -r $(ROOT)/../libs/x .\n",
        "build-F:\n\tcp -r $$HOME/../libs/x .\n",
        "TOP := $(shell git rev-parse --show-toplevel)\nbuild-F:\n\tcp -r $(TOP)/libs/x .\n",
    ],
)
def test_a_place_that_is_computed_is_a_doubt_until_kuroshio_yaml_tells_it(text: str) -> None:
    before = make(text)
    plan = plan_of(before, before | {"libs/x/x.c": "2"})
    assert [(warning.code, warning.units) for warning in plan.warnings] == [("build-unknown", ("t.yaml#F",))]
    assert "services/f/Makefile, line" in plan.warnings[0].message
    told = before | {"kuroshio.yaml": 'units: {"*#F": {inputs: libs/x}}'}
    plan = plan_of(told, told | {"libs/x/x.c": "2"})
    assert (plan.complete, [unit.id for unit in plan.units]) == (True, ["t.yaml#F"])


def test_a_makefile_that_lies_elsewhere_runs_where_metadata_says() -> None:
    template = MAKE.replace(
        "{BuildMethod: makefile}", "{BuildMethod: makefile, ContextPath: make, ProjectRootDirectory: services}"
    )
    before = make("") | {"t.yaml": template, "make/Makefile": "build-F:\n\tcp -r ../libs/x .\n"}
    assert ids(before, "libs/x/x.c") == {"F"}
    assert ids(before, "make/Makefile") == {"F"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "A = $(B)$(B)\nB = $(A)$(A)\nbuild-F:\n\tcp $(A) ../x\n",
        "build-F:" + " build-F" * 10_000 + "\n\ttrue\n",
        "$(" * 50_000,
        "build-F:\n\t" + "../" * 50_000,
        "include Makefile\n",
    ],
)
def test_a_hostile_makefile_ends(text: str) -> None:
    before = make(text)
    assert ids(before, "services/f/main.c") == {"F"}


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "/*" * 50_000,
        "'" * 50_001,
        "project(" * 30_000,
        "project(':a'" * 20_000,
        "include " * 30_000,
        "apply from: " * 20_000,
    ],
)
def test_a_hostile_build_script_ends(text: str) -> None:
    assert "Orders" in ids(gradle(text, settings=text), "orders/src/A.java")
