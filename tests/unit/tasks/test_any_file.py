"""Whatever stands in tasks.yaml, it is read or refused with its place; and what is read, the schema takes."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kuroshio.changes.document import load
from kuroshio.errors import SettingsInvalid
from kuroshio.tasks.declaration.entry import KEYS
from kuroshio.tasks.declaration.reading import parse
from tests.unit.tasks.test_declaration_file import NOW, SCHEMA, WHOLE

WORDS = st.sampled_from([
    "", "UTC", "Asia/Tokyo", "0 3 * * ? *", "* * * * ? *", "1 hour", "2 hours", "2026-11-22 23:00", "25%", "off", "skip", "15m",
    "sat", "22:00-06:00", "2026-12-28", "one", "abc", "i-0123456789abcdef0", "scheduler", "window", "\x00", "\ud800", "é" * 99,
])  # fmt: skip
INNER = st.sampled_from([
    "shell", "script", "document", "function", "payload", "parameters", "tags", "instances", "once", "cron", "rate", "hours",
    "minutes", "cutoff", "delivery", "execution", "idempotent", "times", "days", "from", "to", "calendar", "mackerel",
])  # fmt: skip
LEAVES = st.one_of(WORDS, st.none(), st.booleans(), st.integers(-1, 90), st.integers(), st.floats(allow_nan=False))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(INNER, inner, max_size=3)),
    max_leaves=5,
)
RIGHT: list[tuple[str, Any]] = [
    (key, value) for task in load(WHOLE.encode())["tasks"].values() for key, value in task.items()
]
ENTRIES = st.lists(st.one_of(st.tuples(st.sampled_from(KEYS), VALUES), st.sampled_from(RIGHT)), max_size=6).map(dict)


@settings(max_examples=300, deadline=None)
@example(tasks={"one": {"after": [[]]}}, top=None)  # once a TypeError
@given(tasks=st.dictionaries(st.sampled_from(["one", "two", "A"]), st.one_of(ENTRIES, VALUES), max_size=2), top=VALUES)
def test_whatever_stands_there_is_read_or_refused_with_its_place(tasks: dict[str, Any], top: Any) -> None:
    for document in ({"zone": "Asia/Tokyo", "tasks": tasks}, {"freezes": top, "notify": top, "tasks": tasks}, top):
        text = json.dumps(document)
        try:
            declared = parse(text.encode(), now=NOW)
        except SettingsInvalid:  # no YAML: half a surrogate pair, a control character
            continue
        assert all(error.line == 1 and error.column > 0 for error in declared.errors)
        if not declared.errors:
            assert jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(text)), text
        names = {task.name for task in declared.tasks}
        assert not names & set(declared.refused)
        if isinstance(document, dict) and isinstance(document.get("tasks"), dict) and not declared.problems:
            assert names | set(declared.refused) == set(document["tasks"])
