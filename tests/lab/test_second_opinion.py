"""The lab's evaluator of JSONata is not Step Functions': its reference implementation has to see every value the same."""

import json
import math
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lab.moto_engine import expressions
from lab.query import QueryFailed, evaluate
from tests.workflows.machine import NAMES, Stage, scenario, tasks

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LOCKED = ROOT / "requirements/tools/jsonata-node"

# What our machines may come to use, beyond what they use today: one line for each kind of trap between the two.
TRAPS: list[tuple[str, dict[str, Any]]] = [
    ("$states.input.a[b = 2].c", {"states": {"input": {"a": [{"b": 1, "c": 3}, {"b": 2, "c": 4}]}}}),
    ("$states.input.a.b", {"states": {"input": {"a": [{"b": [1, 2]}, {"b": 3}]}}}),
    ("$x & '-' & $y", {"x": 1.5, "y": True}),
    ("$x ? 'yes' : 'no'", {"x": []}),
    ("$exists($x.y) ? $x.y : 'none'", {"x": {"y": None}}),
    ("$x = null", {"x": None}),
    ("$count($x)", {"x": "one"}),
    ("$sum($x.n) / 3", {"x": [{"n": 1}, {"n": 1}, {"n": 2}]}),
    ("$join($sort($keys($x)), ',')", {"x": {"b": 1, "a": 2}}),
    ("$merge([$x, {'b': 3}])", {"x": {"a": 1, "b": 2}}),
    ("$map($x, function($v, $i) { $v * $i })", {"x": [1, 2, 3]}),
    ("$number($x) + 1", {"x": "41"}),
    ("$substringBefore($x, '鍵') & $uppercase('é')", {"x": "a\"b'c鍵d"}),
    ("$x[-1]", {"x": [1, 2, 3]}),
    ("$x.nothing", {"x": {}}),
    ("$number($x)", {"x": "no number"}),
]


# What these give depends on when they are asked, and the two are asked one after the other.
CLOCK = re.compile(r"\$(millis|now)\(")


@pytest.fixture(scope="session")
def reference() -> Path:
    """A folder with the npm package, installed once for each lock."""
    home = ROOT / "build/tools/jsonata-node"
    lock = (LOCKED / "package-lock.json").read_bytes()
    if not (home / "node_modules").exists() or (home / "package-lock.json").read_bytes() != lock:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(LOCKED, home)
        subprocess.run(["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(home)], check=True)
    return home


def second(reference: Path, asked: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    given = json.dumps([{"expression": expression, "bindings": bindings} for expression, bindings in asked])
    command = ["node", "-e", (HERE / "second_opinion.js").read_text()]
    done = subprocess.run(command, input=given, cwd=reference, capture_output=True, text=True, check=True)
    opinions: list[dict[str, Any]] = json.loads(done.stdout)
    return opinions


def first(expression: str, bindings: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"value": evaluate(expression, bindings)}
    except QueryFailed as failed:
        return {"undefined": True} if "returned nothing" in str(failed) else {"error": str(failed)}


def alike(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    return ours == theirs or ("error" in ours and "error" in theirs)


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_sees_every_expression_of_a_machine_as_the_lab_does(
    name: str, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []

    def heard(expression: str, bindings: Mapping[str, Any]) -> Any:
        if not CLOCK.search(expression):
            asked.append((expression, json.loads(json.dumps(bindings, default=str))))
        return evaluate(expression, bindings)

    monkeypatch.setattr(expressions, "evaluate", heard)
    Stage(name).run()
    for state in tasks(name):
        detour = scenario(name).detours.get(state, {})
        ways = {before: (error, math.inf) for before, error in detour.items()}
        Stage(name).run({**ways, state: ("Unforeseen", math.inf)})

    written = {expression for expression, _ in asked}
    assert len(written) > 3
    opinions = second(reference, asked)
    assert [(a, o) for a, o in zip(asked, opinions, strict=True) if not alike(first(*a), o)] == []


def test_the_reference_sees_the_traps_between_the_two_as_the_lab_does(reference: Path) -> None:
    opinions = second(reference, TRAPS)
    assert [(t, first(*t), o) for t, o in zip(TRAPS, opinions, strict=True) if not alike(first(*t), o)] == []
