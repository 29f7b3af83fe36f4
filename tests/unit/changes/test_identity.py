"""Artifact identity is the same on every machine, and the second gate drops only what it disproves."""

from __future__ import annotations

import base64
import io
import zipfile
from hashlib import sha256

import pytest

from kuroshio.changes.gate import second_gate
from kuroshio.changes.identity import File, Identity, of_definition, of_files, of_image, of_zip, read, zipped
from kuroshio.changes.plan import Cause, Caveat, Change, Plan, Reason, UnitChange
from kuroshio.errors import InvalidRequest

FILES = {"b/run.sh": File(b"#!/bin/sh\n", "100755"), "a.py": File(b"x = 1\n"), "link": File(b"a.py", "120000")}
SHA = "sha256:" + "a" * 64


def test_equal_files_give_equal_bytes_in_any_order() -> None:
    assert zipped(FILES) == zipped(dict(reversed(FILES.items())))
    assert of_zip(zipped(FILES)) == Identity("zip", "PE+wck1k5EBa+owP4qBX6mcfq6fJDgvMTM/ofrygcZs=")


def test_the_zip_holds_the_files_with_their_modes() -> None:
    package = zipfile.ZipFile(io.BytesIO(zipped(FILES)))
    assert {entry.filename: package.read(entry) for entry in package.infolist()} == {
        path: file.content for path, file in FILES.items()
    }
    modes = {entry.filename: oct(entry.external_attr >> 16) for entry in package.infolist()}
    assert modes == {"a.py": "0o100644", "b/run.sh": "0o100755", "link": "0o120777"}


def test_the_identity_of_a_zip_is_lambdas_code_sha256() -> None:
    assert of_zip(b"zip").digest == base64.b64encode(sha256(b"zip").digest()).decode()


@pytest.mark.parametrize("path", ["/a", "a/../b", "", "a//b", "./a", "a\\b", "a\udcff"])
def test_a_path_that_leaves_the_package_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest, match="is no path within a package"):
        zipped({path: File(b"")})


@pytest.mark.parametrize("change", [{"a.py": File(b"x = 2\n")}, {"a.py": File(b"x = 1\n", "100755")}, {"c": File(b"")}])
def test_content_mode_and_path_make_the_identity(change: dict[str, File]) -> None:
    assert of_files(FILES | change) != of_files(FILES)
    assert of_zip(zipped(FILES | change)) != of_zip(zipped(FILES))


def test_a_definition_is_compared_by_what_it_means_after_substitution() -> None:
    yaml = b"# comment\nStates: {A: {Resource: '${Arn}', Type: Task, End: true}}\nStartAt: A\n"
    json = b'{"StartAt": "A", "States": {"A": {"Type": "Task", "Resource": "arn:x", "End": true}}}'
    assert of_definition(yaml, {"Arn": "arn:x"}) == of_definition(json)
    assert of_definition(yaml, {"Arn": "arn:y"}) != of_definition(json)
    assert of_definition(b'{"TimeoutSeconds": ${T}}', {"T": "30"}) == of_definition(b"TimeoutSeconds: 30")
    assert of_definition(b'{"A": "${Q}"}', {"Q": 'say "hi"'}) == of_definition(b"A: 'say \"hi\"'")


def test_an_image_is_its_digest_and_never_a_tag() -> None:
    assert of_image(f"123.dkr.ecr/repo@{SHA}") == of_image(SHA) == Identity("image", SHA)
    with pytest.raises(InvalidRequest, match="resolve it first"):
        of_image("repo:latest")


def test_what_was_recorded_is_read_again_and_words_of_others_are_no_identity() -> None:
    for identity in (of_files(FILES), of_zip(b"zip"), of_image(SHA), of_definition(b"StartAt: A")):
        assert read(str(identity)) == identity
    assert [read(words) for words in ("", "v1", SHA, "files", "files ", "version 3")] == [None] * 6


class Running:
    """What is deployed, as the test says."""

    def __init__(self, identities: dict[str, Identity]) -> None:
        self._identities = identities

    def identity(self, unit: str) -> Identity | None:
        return self._identities.get(unit)


A, B = Identity("zip", "a"), Identity("zip", "b")
CONTENT = Reason(Cause.CONTENT, "src/a.py", ("CodeUri",))
DEFINITION = Reason(Cause.DEFINITION, "t", ("Properties.Timeout",))
THROUGH = Reason(Cause.LAYER, "l.py", ("ContentUri", "t#L"))
UNKNOWN = Reason(Cause.UNKNOWN, "t")


def modified(unit: str, *reasons: Reason, omitted: int = 0, change: Change = Change.MODIFIED) -> UnitChange:
    return UnitChange(unit, "function", "zip", change, reasons, omitted)


def plan(*units: UnitChange, warnings: tuple[Caveat, ...] = ()) -> Plan:
    return Plan("b", "h", "m", not warnings, units, (), (), (), warnings)


def equal(plan: Plan, built: dict[str, Identity], running: dict[str, Identity]) -> list[str]:
    passed = second_gate(plan, built, Running(running))
    assert sorted(unit.id for unit in (*passed.deploy, *passed.equal)) == sorted(unit.id for unit in plan.units)
    return [unit.id for unit in passed.equal]


def test_what_the_build_left_equal_is_dropped() -> None:
    assert equal(plan(modified("t#F", CONTENT)), {"t#F": A}, {"t#F": A}) == ["t#F"]


@pytest.mark.parametrize(("built", "running"), [({"t#F": A}, {"t#F": B}), ({}, {"t#F": A}), ({"t#F": A}, {}), ({}, {})])
def test_what_differs_or_cannot_be_compared_is_deployed(
    built: dict[str, Identity], running: dict[str, Identity]
) -> None:
    assert equal(plan(modified("t#F", CONTENT)), built, running) == []


@pytest.mark.parametrize(
    "change",
    [
        modified("t#F", CONTENT, DEFINITION),
        modified("t#F", CONTENT, omitted=1),
        modified("t#F", Reason(Cause.UNIT_ADDED, "t"), change=Change.ADDED),
        modified("t#F", Reason(Cause.UNIT_REMOVED, "t"), change=Change.REMOVED),
    ],
)
def test_equal_code_drops_no_other_reason(change: UnitChange) -> None:
    assert equal(plan(change), {"t#F": A}, {"t#F": A}) == []


@pytest.mark.parametrize(("layer", "expected"), [(A, ["t#F", "t#L"]), (B, [])])
def test_a_function_is_deployed_with_its_layer_and_dropped_with_it(layer: Identity, expected: list[str]) -> None:
    both = plan(modified("t#F", THROUGH), modified("t#L", CONTENT))
    assert equal(both, {"t#F": A, "t#L": layer}, {"t#F": A, "t#L": A}) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [("source-not-in-tree", ["t#F"]), ("template-unreadable", []), ("shallow-clone", [])]
)
def test_an_equal_artifact_ends_a_doubt_about_the_source_and_no_other(code: str, expected: list[str]) -> None:
    doubted = plan(modified("t#F", UNKNOWN), warnings=(Caveat(code, "t", "?", ("t#F",)),))
    assert equal(doubted, {"t#F": A}, {"t#F": A}) == expected
