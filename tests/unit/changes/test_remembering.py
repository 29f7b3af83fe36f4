"""What earlier runs found out is used again, by content; what is damaged, foreign or of other code is found out again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kuroshio.changes import remembering
from kuroshio.changes.analysis import Analysis, analyse
from kuroshio.changes.detection import detect
from kuroshio.changes.imports.python_source import analyse as analyse_python
from kuroshio.changes.plain import from_plain, to_plain
from kuroshio.changes.remembering import Remembered, edition_of
from kuroshio.changes.rest import Reach
from tests.fakes.plans import MemoryNotes
from tests.fakes.repository import MemoryRepository

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.plan import Plan
    from kuroshio.changes.ports import Blob

HOUSE = Path(__file__).parents[3]
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters: {Stage: {Type: String, Default: dev}}
Resources:
  One: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: one.handle, Runtime: python3.13}}
  Two: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: two.handle, Runtime: python3.13}}
  Web: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}, Metadata: {DockerContext: web, Dockerfile: Dockerfile}}
  App: {Type: AWS::Serverless::Application, Properties: {Location: nested.yaml, Parameters: {Stage: !Ref Stage}}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.json}}
  "Fn::ForEach::Loop": [Name, !Ref Names, {"F${Name}": {Type: AWS::Lambda::Function, Properties: {}}}]
"""
FILES = {
    "template.yaml": TEMPLATE,
    "plain.yaml": "nothing: here",
    "src/one.py": "import common",
    "src/two.py": "import os",
    "src/common.py": "",
}


class WatchedRepository(MemoryRepository):
    """Counts the files that are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        oids = list(oids)
        self.read += oids
        return super().blobs(oids, max_bytes)


class Pull:
    """One pull request, planned again and again."""

    def __init__(self) -> None:
        self.repository = WatchedRepository()
        self.base = self.repository.make_commit(FILES)
        self.head = self.repository.make_commit(FILES | {"src/common.py": "X = 1"}, self.base)
        self.notes = MemoryNotes()

    def plan(self, name: str = "octo/shop") -> tuple[Plan, int]:
        """The plan, and how many files were read for it."""
        self.repository.read.clear()
        remembered = Remembered(self.notes, name)
        remembered.load()
        plan = detect(self.repository, self.base, self.head, remembered.templates, remembered.imports)
        remembered.save()
        return plan, len(self.repository.read)

    @property
    def kept(self) -> dict[str, str]:
        (kept,) = self.notes.kept.values()
        return kept


@pytest.fixture
def pull() -> Pull:
    return Pull()


def test_nothing_is_read_for_a_second_plan_and_it_is_the_same(pull: Pull) -> None:
    plan, read = pull.plan()
    assert {change.id for change in plan.units} >= {"template.yaml#One"}
    assert read == 6  # two possible templates; src/common.py at either end, and the handlers that share its folder
    assert pull.plan() == (plan, 0)


def test_how_far_a_template_reaches_is_read_without_its_analysis(pull: Pull) -> None:
    found = analyse(b"Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src}}}")
    remembered = Remembered(pull.notes, "octo/shop")
    remembered.templates.put({"1": found, "2": None})
    remembered.save()
    (text,) = (text for text in pull.kept.values() if text != "null")
    pull.kept["template:1"] = text.partition("]]")[0] + "]]damaged"
    remembered.load()
    assert remembered.templates.reaches(["1", "2", "3"]) == {"1": Reach(is_open=False, locations=("src",))}
    assert remembered.templates.get(["1", "2", "3"]) == {"2": None}


def test_a_file_that_is_no_template_is_remembered_as_one_that_is_none(pull: Pull) -> None:
    pull.plan()
    assert "null" in pull.kept.values()


def test_another_repository_knows_nothing_of_it(pull: Pull) -> None:
    plan, read = pull.plan()
    assert pull.plan("fork/shop") == (plan, read)


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        "7",
        '["F"]',
        "[" * 5000,
        '[[["a"]],"",[],[],[]]',
        "[[],7,[],[],[]]",
        "[false]",
        "[1,[]]",
    ],
)
def test_a_note_that_cannot_be_read_is_found_out_again_and_mended(pull: Pull, damage: str) -> None:
    plan, read = pull.plan()
    right = dict(pull.kept)
    pull.kept.update(dict.fromkeys(right, damage))
    assert pull.plan() == (plan, read)
    assert pull.kept == right


def test_where_notes_are_too_many_those_of_this_run_stay(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    pull.plan()
    needed = dict(pull.kept)
    pull.kept["template:other"] = "x" * 100
    del pull.kept[next(iter(needed))]
    monkeypatch.setattr(remembering, "MAX_LENGTH", sum(map(len, [*needed, *needed.values()])))
    pull.plan()
    assert pull.kept == needed


def test_what_is_too_much_for_one_run_is_not_kept(pull: Pull, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "MAX_LENGTH", 10)
    pull.plan()
    assert pull.notes.kept == {}


def test_where_nothing_is_new_nothing_is_written(pull: Pull) -> None:
    pull.plan()
    pull.kept["template:other"] = "null"
    pull.plan()
    assert pull.kept["template:other"] == "null"


def test_other_code_is_another_edition(tmp_path: Path) -> None:
    (tmp_path / "imports").mkdir()
    (tmp_path / "imports" / "a.py").write_text("A = 1")
    first = edition_of(tmp_path)
    assert edition_of(tmp_path) == first
    (tmp_path / "imports" / "a.py").write_text("A = 2")
    assert edition_of(tmp_path) != first


@pytest.mark.parametrize("template", ["template.yaml", "foundation.yaml", TEMPLATE])
def test_an_analysis_survives_as_text(template: str) -> None:
    content = (HOUSE / template).read_bytes() if template.endswith(".yaml") else template.encode()
    found = analyse(content)
    assert found is not None
    assert from_plain(Analysis, json.loads(json.dumps(to_plain(found)))) == found


def test_what_source_files_say_survives_as_text() -> None:
    for source in sorted((HOUSE / "layers").rglob("*.py"))[:80]:
        found = analyse_python(source.read_bytes())
        assert from_plain(type(found), json.loads(json.dumps(to_plain(found)))) == found


@pytest.mark.parametrize("wrong", [None, 1, "x", {}, [], [1], [[], "", [], [], [], []], [[], "", [], [1], []]])
def test_what_is_no_analysis_is_refused(wrong: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        from_plain(Analysis, wrong)
