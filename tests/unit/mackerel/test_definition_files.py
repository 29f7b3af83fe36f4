"""mackerel.yaml: its schema and our reader agree, and what is wrong is named with its place."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from kuroshio.changes.document import load
from kuroshio.errors import SettingsInvalid
from kuroshio.mackerel.definitions import default
from kuroshio.mackerel.definitions.settings import Settings, parse
from tests.unit.mackerel.test_definitions import WHOLE

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "schemas/mackerel.schema.json").read_text())
RIGHT = [
    "",
    WHOLE.decode(),
    default.text(),
    "workflows: {}",
    "workflows: {release: {heartbeat: 7d}}",
    "silence: {warning: 20m, critical: 1h}",
    "silence: {}",
    "monitors: {a: {metric: b, missing: 10080m}}",
    "monitors: {a: {metric: b, warning: -1500.5}}",
    "dashboard: {graphs: []}",
]
WRONG = [
    ("monitor: {}", 'line 1, column 1: the key is "monitor"; expected one of: service, memo'),
    ("service: a b", 'service is "a b"; expected a service name'),
    ("memo: []", "memo is a list; expected a text"),
    ("roles: {x: reports}", 'roles.x is "x"; expected a role'),
    ("workflows: [detect-changes]", "workflows is a list; expected a mapping"),
    ("workflows: {w: {alert-on: [succeeded]}}", "expected one of: failed, timed_out, aborted"),
    ("workflows: {w: {alert_on: [failed]}}", 'the key is "alert_on"; expected one of: alert-on, heartbeat'),
    ("\n\nworkflows:\n  w:\n    heartbeat: 25m", 'mackerel.yaml, line 5, column 16: workflows.w.heartbeat is "25m"'),
    ("workflows: {w: {heartbeat: 8d}}", "expected a time in steps of 10 minutes, from 10m to 7d"),
    ("workflows: {w: {heartbeat: 10090m}}", "from 10m to 7d"),
    ("workflows: {w: {heartbeat: 30}}", "expected a time in steps of 10 minutes"),
    ("silence: true", "expected a time in steps of 10 minutes"),
    ("silence: {warn: 10m}", "expected one of: warning, critical"),
    ("dashboard: true", "expected a mapping"),
    ("dashboard: {path: /a}", 'dashboard.path is "/a"; expected a path such as team/kuroshio'),
    ("dashboard: {graphs: [{title: a, metrics: []}]}", "expected at least one metric"),
    ("dashboard: {graphs: [{title: a}]}", "expected a mapping with the key metrics"),
    ("dashboard: {graphs: [{title: a, metrics: [a/b]}]}", "expected a metric's name"),
    ("monitors: {a: {metric: b}}", "expected a mapping with at least one of: warning, critical, missing"),
    ("monitors: {a: {metric: b, missing: false}}", "at least one of: warning, critical, missing"),
    ("monitors: {a: {metric: b, warning: many}}", 'monitors.a.warning is "many"; expected a number'),
    ("monitors: {a: {metric: b, warning: true}}", "expected a number"),
    ("monitors: {a: {metric: b, warning: 1, points: 11}}", "expected a whole number from 1 to 10"),
    ("monitors: {a: {metric: b, warning: 1, notify-every: 5}}", "expected a whole number from 10 to 10080"),
    ('monitors: {a: {metric: b, warning: 1, operator: ">="}}', "expected one of: >, <"),
    ("monitors: {a: {warning: 1}}", "expected a mapping with the key metric"),
    ("monitors: {a/b: {metric: b, warning: 1}}", "expected a monitor's name"),
    ("graph-definitions: {cpu: {metrics: {}}}", "expected the name of a graph of custom metrics"),
    ("graph-definitions: {'custom.#.#': {metrics: {}}}", "expected at most one # in the name"),
    ("graph-definitions: {custom.a: {unit: hours, metrics: {}}}", "expected one of: float, integer"),
    ("graph-definitions: {custom.a: {metrics: {a.b: }}}", "expected the last part of a metric's name"),
]


def is_valid(text: str) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(load(text.encode()))


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_schema_takes_we_take(text: str) -> None:
    parse(text.encode())
    assert is_valid(text)


@pytest.mark.parametrize(("text", "says"), WRONG, ids=[text for text, _ in WRONG])
def test_what_is_wrong_is_named_with_its_place_and_the_schema_refuses_it_too(text: str, says: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"^mackerel.yaml, line \d+, column \d+: ") as caught:
        parse(text.encode())
    assert says in str(caught.value)
    assert not is_valid(text)


def test_a_wildcard_that_the_graph_does_not_have_is_refused() -> None:
    """Mackerel's rule over two names, which a JSON Schema cannot say."""
    with pytest.raises(SettingsInvalid, match=r"expected a wildcard that stands in custom\.a too"):
        parse(b"graph-definitions: {custom.a: {metrics: {'*': }}}")


def test_the_default_file_says_what_holds_without_one() -> None:
    assert parse(default.text().encode()) == Settings()


def test_more_entries_than_anybody_needs_are_refused() -> None:
    text = "roles:\n" + "".join(f"  role{n}:\n" for n in range(201))
    with pytest.raises(SettingsInvalid, match="at most 200 entries, not 201"):
        parse(text.encode())
    assert not is_valid(text)


def test_the_example_of_the_page_is_one() -> None:
    page = (ROOT / "docs/mackerel.md").read_text()
    [example] = [block.partition("```")[0] for block in page.split("```yaml\n")[1:] if "monitors:" in block]
    assert parse(example.encode()).monitors[0].name == "few orders"
    assert is_valid(example)
