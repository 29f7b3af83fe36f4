"""Images are made of what their Dockerfiles copy, where that is sure; else of their whole contexts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from kuroshio.changes.detection import inventory
from kuroshio.changes.explanation import UnitExplained, explain
from kuroshio.changes.observation import observe
from kuroshio.changes.plan import Cause, Reason
from kuroshio.cli import why
from tests.fakes.dockerfiles import FORMS, PATHS, dockerfile
from tests.fakes.repository import File, MemoryRepository, link, submodule
from tests.unit.changes.test_detection import plan_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from random import Random

    from kuroshio.changes.ports import Blob
    from tests.fakes.repository import Files

BASE = "FROM public.ecr.aws/lambda/python:3.13\n"
TEMPLATE = """
Resources:
  F:
    Type: AWS::Serverless::Function
    Metadata: {DockerContext: ctx, Dockerfile: Dockerfile}
    Properties: {PackageType: Image}
"""
TREE: dict[str, str | bytes | File] = {
    "t.yaml": TEMPLATE,
    "ctx/Dockerfile": BASE + "COPY app requirements.txt ./\n",
    "ctx/.dockerignore": "**/*.log\n",
    "ctx/requirements.txt": "1",
    "ctx/app/a.py": "1",
    "ctx/other/o.py": "1",
    "ctx/notes": "1",
}


def flagged(before: Files, path: str = "ctx/notes") -> bool:
    """Whether a change of one file changes the image."""
    return bool(plan_of(before, {**before, path: "2"}).units)


def with_dockerfile(text: str) -> dict[str, str | bytes | File]:
    return TREE | {"ctx/Dockerfile": text}


def test_only_what_is_copied_changes_the_image_and_the_reason_says_by_what() -> None:
    plan = plan_of(TREE, TREE | {"ctx/app/a.py": "2", "ctx/app/x.log": "1", "ctx/other/o.py": "2"})
    assert plan.complete
    assert [unit.reasons for unit in plan.units] == [
        (Reason(Cause.CONTENT, "ctx/app/a.py", ("ctx/Dockerfile", "DockerContext")),)
    ]
    assert plan.unclassified == ("ctx/app/x.log", "ctx/other/o.py")


@pytest.mark.parametrize("path", ["ctx/requirements.txt", "ctx/app/new/b.py", "ctx/Dockerfile"])
def test_what_is_copied_and_the_dockerfile_itself_are_inputs(path: str) -> None:
    assert flagged(TREE, path)


def test_a_deleted_source_and_one_that_moves_away_are_changes() -> None:
    after = {path: content for path, content in TREE.items() if path != "ctx/app/a.py"}
    assert plan_of(TREE, after).units
    assert plan_of(TREE, after | {"ctx/notes/a.py": "1"}).units


def test_a_dockerfile_that_begins_to_copy_is_asked_at_both_commits() -> None:
    after = with_dockerfile(BASE + "COPY app requirements.txt other ./\n")
    plan = plan_of(TREE, after | {"ctx/other/o.py": "2", "ctx/notes": "2"})
    assert {reason.path for unit in plan.units for reason in unit.reasons} == {"ctx/Dockerfile", "ctx/other/o.py"}


@pytest.mark.parametrize(
    "text",
    [
        BASE + "COPY . .\n",
        BASE + "COPY ${WHAT} .\n",
        BASE + "COPY dist .\n",  # not in the tree: a step before the build makes it
        BASE + "COPY *.jar .\n",
        "FROM registry.example.com/base\nCOPY app .\n",  # may have triggers
        "FROM scratch\nRUN --mount=target=/src true\n",
    ],
)
def test_where_it_is_not_sure_the_whole_context_counts(text: str) -> None:
    assert flagged(with_dockerfile(text))


def test_a_folder_that_only_a_keeper_keeps_in_git_is_made_before_the_build() -> None:
    text = BASE + "COPY dist .\n"
    assert flagged(with_dockerfile(text) | {"ctx/dist/.gitkeep": ""})
    assert not flagged(with_dockerfile(text) | {"ctx/dist/.gitkeep": "", "ctx/dist/x": "1"})


def test_a_link_on_the_way_to_a_source_leaves_the_whole_context() -> None:
    text = BASE + "COPY lib/x .\n"
    assert not flagged(with_dockerfile(text) | {"ctx/lib/x": "1"})
    assert flagged(with_dockerfile(text) | {"ctx/lib": link("other"), "ctx/other/x": "1"})
    assert flagged(with_dockerfile(BASE + "COPY li*/x .\n") | {"ctx/lib": link("other"), "ctx/lic/x": "1"})
    # Below what is copied a link travels as a link.
    assert not flagged(with_dockerfile(BASE + "COPY app .\n") | {"ctx/app/link": link("../other")})


def test_a_submodule_among_the_sources_counts_by_its_commit() -> None:
    before = with_dockerfile(BASE + "COPY lib/src .\n") | {"ctx/lib": submodule("1" * 40)}
    assert plan_of(before, before | {"ctx/lib": submodule("2" * 40)}).units
    assert not flagged(before)


def test_the_target_and_the_arguments_of_the_template_decide() -> None:
    metadata = "Metadata: {DockerContext: ctx, Dockerfile: Dockerfile, DockerBuildTarget: TARGET, DockerBuildArgs: {WHAT: app}}"
    template = TEMPLATE.replace("Metadata: {DockerContext: ctx, Dockerfile: Dockerfile}", metadata)
    text = f"{BASE.strip()} AS one\nARG WHAT\nCOPY $WHAT .\n{BASE.strip()} AS two\nCOPY other .\n"
    before = with_dockerfile(text)
    for target, path in (("one", "ctx/app/a.py"), ("two", "ctx/other/o.py")):
        tree = before | {"t.yaml": template.replace("TARGET", target)}
        found = [
            each
            for each in TREE
            if each not in ("t.yaml", "ctx/Dockerfile", "ctx/.dockerignore") and flagged(tree, each)
        ]
        assert found == [path]
    computed = before | {"t.yaml": template.replace("TARGET", "!Ref Stage")}
    assert flagged(computed, "ctx/app/a.py")
    assert flagged(computed, "ctx/other/o.py")


@pytest.mark.parametrize(
    "metadata", ["DockerBuildArgs: {WHAT: !Ref Stage}", "DockerBuildArgs: !Ref Args", "DockerBuildExtraParams: [--x]"]
)
def test_what_the_deployment_passes_leaves_the_whole_context(metadata: str) -> None:
    template = TEMPLATE.replace("Dockerfile: Dockerfile", f"Dockerfile: Dockerfile, {metadata}")
    text = BASE + "ARG WHAT=app\nCOPY $WHAT .\n"
    assert not flagged(with_dockerfile(text))
    assert flagged(with_dockerfile(text) | {"t.yaml": template})


def test_a_task_s_image_may_be_built_to_any_target_with_any_argument() -> None:
    template = """
Resources:
  T:
    Type: AWS::ECS::TaskDefinition
    Metadata: {DockerContext: ctx, Dockerfile: Dockerfile}
    Properties: {ContainerDefinitions: [{Image: !Ref Image}]}
"""
    text = f"{BASE.strip()} AS one\nCOPY app .\n{BASE}COPY other .\n"
    before = with_dockerfile(text) | {"t.yaml": template}
    assert flagged(before, "ctx/app/a.py")
    assert not flagged(before)
    assert flagged(before | {"ctx/Dockerfile": f"ARG V=3.13\n{BASE}ARG WHAT=app\nCOPY $WHAT .\n"})


def test_an_ignore_file_of_the_dockerfile_s_own_is_an_input_and_leaves_out_what_both_leave_out() -> None:
    own = "ctx/Dockerfile.dockerignore"
    before = TREE | {own: "**/*.tmp\n"}
    assert flagged(before, "ctx/app/x.log")  # BuildKit goes by the Dockerfile's own, SAM CLI by the context's
    assert flagged(before, "ctx/app/x.tmp")
    assert not flagged(before | {own: "**/*.tmp\n**/*.log\n"}, "ctx/app/x.log")
    assert plan_of(before, before | {own: "x\n"}).units
    assert plan_of(before, before | {own: "# a comment\n**/*.tmp\n"}).units == ()
    whole = before | {"ctx/Dockerfile": BASE + "COPY . .\n"}
    assert flagged(whole, "ctx/notes.log")


SAID = "images: {without-onbuild: [registry.example.com/base]}\n"
INTERNAL = {"ctx/Dockerfile": "FROM registry.example.com/base:1\nCOPY app .\n"}


def test_a_base_image_that_kuroshio_yaml_answers_for_counts_when_both_commits_say_so() -> None:
    before = TREE | INTERNAL
    assert not flagged(before | {"kuroshio.yaml": SAID})
    plan = plan_of(before, before | {"kuroshio.yaml": SAID, "ctx/notes": "2"})
    assert [unit.id for unit in plan.units] == ["t.yaml#F"]


def test_a_well_known_base_image_may_be_taken_back() -> None:
    assert flagged(TREE | {"kuroshio.yaml": 'images: {without-onbuild: ["!public.ecr.aws/lambda"]}\n'})


def test_what_an_image_is_made_of_and_why_is_explained() -> None:
    repository = MemoryRepository()
    base = repository.make_commit(TREE)
    head = repository.make_commit(TREE | {"ctx/notes": "2"}, base)
    found = explain(observe(repository, base, head), "t.yaml#F")
    assert isinstance(found, UnitExplained)
    narrowed = (
        "ctx, less what .dockerignore leaves out, what ctx/Dockerfile copies: app, requirements.txt (DockerContext)"
    )
    assert narrowed in why.text(found)
    (unit,) = inventory(repository, head)
    assert {each.note for each in unit.inputs} == {"", "what ctx/Dockerfile copies: app, requirements.txt"}
    (unit,) = inventory(repository, repository.make_commit(TREE | INTERNAL))
    assert "base image registry.example.com/base:1 may have ONBUILD triggers" in "".join(
        each.note for each in unit.inputs
    )


def test_of_what_no_change_concerns_nothing_is_read() -> None:
    class Counting(MemoryRepository):
        asked: list[str]

        def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
            oids = list(oids)
            self.asked += oids
            return super().blobs(oids, max_bytes)

    repository = Counting()
    repository.asked = []
    text = BASE + "COPY app .\n"
    tree = TREE | {"t.yaml": TEMPLATE.replace("Dockerfile: Dockerfile", "Dockerfile: image.dockerfile")}
    tree |= {"ctx/image.dockerfile": text}  # by this name it is no template, which would be read anyway
    base = repository.make_commit(tree)
    observe(repository, base, repository.make_commit(tree | {"README.md": "2"}, base))
    assert File(text.encode()).oid not in repository.asked
    observe(repository, base, repository.make_commit(tree | {"ctx/notes": "2"}, base))
    assert File(text.encode()).oid in repository.asked


@settings(max_examples=100, deadline=None)
@given(random=st.randoms(use_true_random=False), path=st.sampled_from(PATHS))
def test_exactly_what_a_random_dockerfile_can_copy_changes_its_image(random: Random, path: str) -> None:
    model = dockerfile(random, FORMS)
    template = TEMPLATE.replace("Dockerfile: Dockerfile", f"Dockerfile: Dockerfile, DockerBuildTarget: S{model.target}")
    before = {"t.yaml": template, "ctx/Dockerfile": model.text(), **{f"ctx/{each}": "1" for each in PATHS}}
    assert flagged(before, f"ctx/{path}") is (path in model.copied())
