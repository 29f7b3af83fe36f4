"""Why a unit is in the plan or not, and what a path belongs to: both ways."""

from __future__ import annotations

import json

import pytest

from kuroshio.changes.explanation import PathExplained, UnitExplained, explain
from kuroshio.changes.observation import observe
from kuroshio.changes.plan import Cause, Reason
from kuroshio.cli import why
from kuroshio.errors import InvalidRequest
from tests.fakes.repository import MemoryRepository

TEMPLATE = """
Resources:
  Shared: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: shared/}}
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: orders/, Layers: [!Ref Shared]}}
  Bills: {Type: AWS::Serverless::Function, Properties: {CodeUri: bills/}}
"""
BEFORE = {"t.yaml": TEMPLATE, "shared/s.py": "1", "orders/o.py": "1", "bills/b.py": "1", "README.md": "1", "x.sh": "1"}
AFTER = BEFORE | {"shared/s.py": "2", "orders/o.py": "2", "x.sh": "2"}


def explained(subject: str) -> UnitExplained | PathExplained:
    repository = MemoryRepository()
    base = repository.make_commit(BEFORE)
    return explain(observe(repository, base, repository.make_commit(AFTER, base)), subject)


def test_a_changed_unit_is_explained_by_its_reasons_and_what_it_is_made_of() -> None:
    found = explained("t.yaml#Orders")
    assert isinstance(found, UnitExplained)
    assert found.change == "modified"
    assert found.reasons == (
        Reason(Cause.CONTENT, "orders/o.py", ("CodeUri",)),
        Reason(Cause.LAYER, "shared/s.py", ("ContentUri", "t.yaml#Shared")),
    )
    assert why.text(found) == (
        "t.yaml#Orders (function, zip): modified\n"
        "Because:\n"
        "  content of orders/o.py (CodeUri)\n"
        "  layer t.yaml#Shared: shared/s.py, ContentUri\n"
        "It is made of:\n"
        "  its definition in t.yaml\n"
        "  orders (CodeUri)\n"
        "  t.yaml#Shared (a unit of its own)\n"
    )


def test_an_unchanged_unit_is_explained_too() -> None:
    found = explained("t.yaml#Bills")
    assert (
        "t.yaml#Bills (function, zip): unchanged\nIts definition is the same, and of 3 changed files none"
        in why.text(found)
    )
    assert json.loads(why.document(found))["reasons"] == []


@pytest.mark.parametrize(
    ("path", "change", "kind", "units"),
    [
        (
            "shared/s.py",
            "content",
            "input",
            {"t.yaml#Shared": ["ContentUri"], "t.yaml#Orders": ["ContentUri", "t.yaml#Shared"]},
        ),
        ("bills/b.py", "unchanged", "input", {"t.yaml#Bills": ["CodeUri"]}),
        ("README.md", "unchanged", "ignored", {}),
        ("x.sh", "content", "unclassified", {}),
        ("t.yaml", "unchanged", "template", {}),
    ],
)
def test_a_path_is_explained_by_the_units_that_are_made_of_it(
    path: str, change: str, kind: str, units: dict[str, list[str]]
) -> None:
    found = json.loads(why.document(explained(path)))
    assert (found["path"], found["change"], found["kind"]) == (path, change, kind)
    assert {unit["id"]: unit["through"] for unit in found["units"]} == units
    assert f"{path}: {change}" in why.text(explained(path))


def test_what_is_neither_unit_nor_file_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="kuroshio units"):
        explained("t.yaml#Odrers")
