"""tasks.yaml: its schema and our reader agree, and what is wrong is named with its place."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from kuroshio.changes.document import load
from kuroshio.errors import LimitExceeded, SettingsInvalid
from kuroshio.tasks.declaration.reading import parse

if TYPE_CHECKING:
    from kuroshio.tasks.declaration.model import Declaration

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "schemas/tasks.schema.json").read_text())
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SHELL = "run: {shell: ls}, on: {instances: [i-0123456789abcdef0]}"
DAILY = 'at: {cron: "0 3 * * ? *"}'
WHOLE = """
schema: kuroshio.tasks/1
zone: Asia/Tokyo
notify: {mackerel: true}
freezes:
  - {days: [sat, sun], reason: weekend}
  - {from: 2026-12-28, to: 2027-01-04, reason: new year}
  - {hours: "22:00-06:00"}
  - {calendar: "arn:aws:ssm:ap-northeast-1:123456789012:document/quiet"}
tasks:
  nightly-backup:
    run: {shell: "/opt/backup.sh"}
    on: {tags: {Role: db, Stage: [blue, green]}}
    at: {cron: "0 3 * * ? *"}
    window: {hours: 2, cutoff: 1}
    by: window
    freezes: []
    concurrency: 25%
    errors: 0
    timeout: {delivery: 600, execution: 3600}
  patches:
    run: {document: AWS-RunPatchBaseline, parameters: {Operation: Install, Level: 3}, version: 2}
    on: {resource_group: web}
    at: {rate: "1 hour"}
    zone: UTC
    retry: {idempotent: true, times: 2}
    overlap: queue
    catch_up: off
    grace: 15m
    downtime: [2cSZzK3XfmG]
  migration:
    run: {script: bin/migrate.sh}
    on: {instances: [i-0123456789abcdef0, mi-0123456789abcdef0], once: true}
    at: {once: "2026-11-22 23:00"}
  release:
    run: {state_machine: "arn:aws:states:ap-northeast-1:123456789012:stateMachine:release", input: {wave: 2}}
    after: [migration]
    catch_up: once
    enabled: false
  report:
    run: {function: "report:live", payload: {to: [a, b]}}
    at: {cron: "0 9 1 * ? *"}
  runbook:
    run: {automation: AWS-RestartEC2Instance, parameters: {InstanceId: [i-0123456789abcdef0]}}
    at: {rate: 2 days}
    window: {minutes: 30}
"""


def with_task(entry: str, top: str = "zone: Asia/Tokyo") -> str:
    return f"{top}\ntasks:\n  task: {{{entry}}}"


RIGHT = [
    WHOLE,
    "tasks: {}",
    with_task(f"{SHELL}, {DAILY}"),
    with_task(f"{SHELL}, {DAILY}, zone: UTC", top=""),
    with_task(f"{SHELL}, {DAILY}, window: {{hours: 24, cutoff: 23}}, concurrency: 100%, errors: 0%"),
    with_task(f'{SHELL}, at: {{cron: "0 30 23 ? * TUE#3 *"}}'),
    with_task("run: {function: f}, on: {tags: {A: 1}}, at: {rate: 1 minute}, concurrency: 3"),
]
# What stands in a task or on top, and what is said of it. The schema refuses each of them too.
WRONG = [
    ("", "the file is empty; expected a mapping"),
    ("[]", "the file is a list; expected a mapping"),
    ("zone: UTC", "the file is a mapping; expected a mapping with the key tasks"),
    ("tasks: 3", 'tasks is "3"; expected a mapping'),
    ("tsks: {}", 'the key is "tsks"; expected one of: schema, zone, notify, freezes, tasks; is tasks meant?'),
    ("schema: kuroshio.tasks/2\ntasks: {}", "expected one of: kuroshio.tasks/1"),
    ("notify: {mackrel: true}\ntasks: {}", "is mackerel meant?"),
    ("tasks: {A: {}}", 'the name of a task is "A"; expected 3 to 50 small letters'),
    (with_task(f"{SHELL}, {DAILY}", top=""), "expected a mapping with the key zone, or a zone for the whole file"),
    (with_task(f"{SHELL}, {DAILY}, zone: ''"), "expected a time zone's name"),
    (with_task(f"{SHELL}, {DAILY}, zone: Japan"), "expected a time zone's name such as Asia/Tokyo"),
    (with_task(f"{DAILY}"), "expected a mapping with the key run"),
    (with_task(f"{SHELL}"), "expected a mapping with the key at, or after"),
    (with_task(f"run: {{shell: ls}}, {DAILY}"), "expected a mapping with the key on: shell runs on instances"),
    (with_task(f"run: {{shell: ls, script: a}}, {DAILY}"), "expected a mapping with exactly one of the keys"),
    (with_task(f"run: {{shell: ls, payload: {{}}}}, {DAILY}"), "expected no payload beside shell"),
    (with_task(f'run: {{shell: " "}}, {DAILY}'), "expected commands for a shell"),
    (with_task(f"run: {{script: ../a}}, on: {{tags: {{A: b}}}}, {DAILY}"), "relative, without .."),
    (with_task(f"run: {{script: /a}}, on: {{tags: {{A: b}}}}, {DAILY}"), "relative, without .."),
    (with_task(f"run: {{document: a b}}, on: {{tags: {{A: b}}}}, {DAILY}"), "the name or ARN of an SSM document"),
    (with_task(f"run: {{document: abc, version: new}}, on: {{tags: {{A: b}}}}, {DAILY}"), "expected a version"),
    (
        with_task(f"run: {{document: abc, parameters: {{a: {{}}}}}}, on: {{tags: {{A: b}}}}, {DAILY}"),
        "or a list of texts",
    ),
    (with_task(f"run: {{function: a/b}}, {DAILY}"), "the name or ARN of a Lambda function"),
    (with_task(f"run: {{function: abc, payload: text}}, {DAILY}"), "expected a mapping, which is sent as JSON"),
    (with_task(f"run: {{state_machine: abc}}, {DAILY}"), "expected the ARN of a state machine"),
    (with_task(f"run: {{function: abc}}, {DAILY}, concurrency: 2"), "expected no concurrency without on"),
    (with_task(f"run: {{function: abc}}, {DAILY}, timeout: {{delivery: 60}}"), "expected no delivery"),
    (with_task(f"run: {{automation: abc}}, on: {{tags: {{A: b}}, once: true}}, {DAILY}"), "expected no once"),
    (with_task(f"run: {{shell: ls}}, on: {{}}, {DAILY}"), "exactly one of the keys instances, tags, resource_group"),
    (with_task(f"run: {{shell: ls}}, on: {{instances: [web-1]}}, {DAILY}"), "expected an instance id such as"),
    (with_task(f"run: {{shell: ls}}, on: {{tags: {{}}}}, {DAILY}"), "expected 1 to 5 tags, not 0"),
    (with_task(f"run: {{shell: ls}}, on: {{tags: {{a: 1, b: 1, c: 1, d: 1, e: 1, f: 1}}}}, {DAILY}"), "5 tags, not 6"),
    (with_task(f"{SHELL}, at: {{cron: 0 3 * * ?}}"), "cron(0 3 * * ?) has 5 fields; it must have six"),
    (with_task(f'{SHELL}, at: {{cron: "5 0 3 * * ? *"}}'), "whose seconds, the first of seven fields, are 0"),
    (with_task(f"{SHELL}, at: {{rate: 2 hour}}"), "expected a rate such as 1 hour (rate(2 hour) is none"),
    (with_task(f"{SHELL}, at: {{once: tomorrow}}"), "'tomorrow' is no time"),
    (with_task(f"{SHELL}, at: {{rate: 1 hour, cron: 0 3 * * ? *}}"), "exactly one of the keys cron, rate, once"),
    (with_task(f"{SHELL}, {DAILY}, window: {{hours: 25}}"), "expected a whole number of hours from 1 to 24"),
    (with_task(f"{SHELL}, {DAILY}, window: {{minutes: 30, cutoff: 0}}"), "expected no cutoff beside minutes"),
    (with_task(f"{SHELL}, {DAILY}, by: cron"), "expected one of: window, scheduler"),
    (with_task(f"{SHELL}, {DAILY}, after: [A]"), "expected the name of a task"),
    (with_task(f"{SHELL}, {DAILY}, concurrency: 0"), "how many instances at a time"),
    (with_task(f"{SHELL}, {DAILY}, concurrency: 120%"), "how many instances at a time"),
    (with_task(f"{SHELL}, {DAILY}, errors: -1"), "how many errors are borne"),
    (with_task(f"{SHELL}, {DAILY}, timeout: {{delivery: 29}}"), "of seconds from 30 to 2,592,000"),
    (with_task(f"{SHELL}, {DAILY}, timeout: {{execution: 172801}}"), "of seconds from 5 to 172,800"),
    (with_task(f"{SHELL}, {DAILY}, timeout: 60"), "expected a mapping"),
    (with_task(f"{SHELL}, {DAILY}, retry: {{times: 2}}"), "expected a mapping with the key idempotent"),
    (with_task(f"{SHELL}, {DAILY}, retry: {{idempotent: false}}"), "only what may run twice without harm"),
    (with_task(f"{SHELL}, {DAILY}, overlap: wait"), "expected one of: skip, queue"),
    (with_task(f"{SHELL}, {DAILY}, catch_up: all"), "expected one of: off, once"),
    (with_task(f"{SHELL}, {DAILY}, grace: 15"), "expected a time from 1m to 1d"),
    (with_task(f"{SHELL}, {DAILY}, downtime: [my monitor]"), "expected the id of a monitor"),
    (with_task(f"{SHELL}, {DAILY}, enabled: maybe"), "expected true or false"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{days: [someday]}}]"), "expected one of: mon, tue"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{reason: none}}]"), "at least one of: days, from, to, hours, calendar"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{calendar: abc, days: [sat]}}]"), "expected a calendar alone"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{hours: 22-6}}]"), "expected hours such as 22:00-06:00"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{from: 28.12.}}]"), "expected a date such as 2026-12-28"),
]
# Rules over several values, over time zones, or over today, which a JSON Schema cannot say.
WRONG_BY_RULE = [
    (with_task(f"{SHELL}, {DAILY}, window: {{hours: 2, cutoff: 2}}"), "expected less than the 2 hours of the window"),
    (with_task(f"{SHELL}, at: {{cron: 0 3 30 2 ? *}}"), "it never comes after 2026-11-21 12:00 UTC"),
    (with_task(f"{SHELL}, at: {{cron: 0 25 * * ? *}}"), "hours: '25' does not lie within 0 to 23"),
    (with_task(f"{SHELL}, at: {{once: 2026-11-21 20:59}}"), "it never comes after"),
    (with_task(f"{SHELL}, at: {{once: 2027-03-28 02:30}}, zone: Europe/Berlin"), "the clocks leap over it that day"),
    (
        with_task(f"{SHELL}, at: {{once: 2027-10-31 02:30}}, zone: Europe/Berlin"),
        "comes twice in Europe/Berlin that day",
    ),
    (
        with_task(f"{SHELL}, {DAILY}, zone: Asia/Tokio"),
        'tasks.task.zone is "Asia/Tokio"; expected a time zone that there is',
    ),
    (with_task(f"{SHELL}, {DAILY}, after: [nothing]"), 'is "nothing"; expected the name of a task of this file'),
    (with_task(f"{SHELL}, {DAILY}, after: [task]"), "expected no circle: of task each waits for another"),
    (with_task(f"{SHELL}, {DAILY}, grace: 25h"), "expected a time from 1m to 1d"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{from: 2026-12-28, to: 2026-12-27}}]"), "not before 2026-12-28"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{from: 2026-13-01}}]"), "expected a date such as 2026-12-28"),
    (with_task(f"{SHELL}, {DAILY}, freezes: [{{hours: '06:00-06:00'}}]"), "expected hours such as 22:00-06:00"),
    (with_task(f"{SHELL}, {DAILY}, by: window"), "expected scheduler, because it names no window"),
    (
        with_task(f"run: {{function: abc, payload: {{a: {'é' * 2050}}}}}, {DAILY}"),
        "at most 4,096 bytes as JSON, not 4,108",
    ),
]


def read(text: str) -> Declaration:
    return parse(text.encode(), now=NOW)


def is_valid(text: str) -> bool:
    return jsonschema.Draft202012Validator(SCHEMA).is_valid(load(text.encode()))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", RIGHT)
def test_what_the_schema_takes_we_take(text: str) -> None:
    assert [str(error) for error in read(text).errors] == []
    assert is_valid(text)


@pytest.mark.parametrize(("text", "says"), [*WRONG, *WRONG_BY_RULE])
def test_what_is_wrong_is_named_with_its_place(text: str, says: str) -> None:
    declared = read(text)
    assert [str(error) for error in declared.errors if says in str(error)] != [], declared.errors
    assert all(str(error).startswith(f"tasks.yaml, line {error.line}, column ") for error in declared.errors)
    assert declared.tasks == ()


@pytest.mark.parametrize("text", [text for text, _ in WRONG])
def test_the_schema_refuses_it_too(text: str) -> None:
    assert not is_valid(text)


@pytest.mark.parametrize("text", [text for text, _ in WRONG_BY_RULE])
def test_what_the_schema_cannot_say_it_lets_through(text: str) -> None:
    """Else it belongs to the others."""
    assert is_valid(text)


def test_a_wrong_task_is_refused_alone_and_everything_wrong_with_it_is_told_at_once() -> None:
    declared = read(
        f"zone: Asia/Tokyo\ntasks:\n  good: {{{SHELL}, {DAILY}}}\n"
        f"  bad:\n    {SHELL.replace(', on', chr(10) + '    on')}\n    at: {{rate: 1 hours}}\n    timeout: {{delivery: 1, execution: 1}}\n"
        f"    afterr: [good]\n    after: [nobody]\n  also-good: {{{SHELL}, {DAILY}, after: [bad]}}\n"
    )
    assert [task.name for task in declared.tasks] == ["good", "also-good"]
    assert [error.line for error in declared.errors] == [7, 8, 8, 9, 10]
    assert set(declared.refused) == {"bad"}


@pytest.mark.parametrize("top", ["zone: Nowhere", "freezes: [{days: [soon]}]", "freeze: []", "zone: UTC\nzone: UTC"])
def test_what_is_wrong_outside_of_the_tasks_stops_them_all(top: str) -> None:
    """A freeze that cannot be read may be the one that was to hold today."""
    declared = read(with_task(f"{SHELL}, {DAILY}, zone: UTC", top))
    assert declared.tasks == ()
    assert len(declared.problems) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            f"zone: UTC\ntasks:\n  one: {{{SHELL}, {DAILY}}}\n  two: {{{SHELL}, {DAILY}}}\n  two: {{{SHELL}, {DAILY}}}",
            5,
        ),
        (f"zone: UTC\ntasks:\n  one: {{{SHELL}, {DAILY}}}\n  two: {{{SHELL},\n    {DAILY}, {DAILY}}}", 5),
        (
            f"zone: UTC\ntasks:\n  one: {{{SHELL}, {DAILY}}}\n  two: {{run: {{function: f, payload: {{a: 1,\n    a: 2}}}}, {DAILY}}}",
            5,
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused_with_its_task_alone(text: str, line: int) -> None:
    declared = read(text)
    assert [task.name for task in declared.tasks] == ["one"]
    assert [error.line for error in declared.errors] == [line]


@pytest.mark.parametrize(
    "text", ["tasks: [", "tasks: {}\n---\ntasks: {}", "a: &a [x]\nb: &b [*a, *a]\ntasks: *c", "\x00", "[" * 200]
)
def test_a_file_that_is_no_yaml_is_refused_whole(text: str) -> None:
    with pytest.raises((SettingsInvalid, LimitExceeded), match=r"^tasks.yaml: "):
        read(text)


def test_a_merge_key_is_refused_and_an_alias_is_read() -> None:
    text = f"zone: UTC\ntasks:\n  one: &one {{{SHELL}, {DAILY}}}\n  two: *one\n  three: {{<<: *one, errors: 1}}"
    declared = read(text)
    assert [task.name for task in declared.tasks] == ["one", "two"]
    assert "<< and lists are not read here" in str(declared.errors[0])


def test_more_tasks_than_anybody_needs_are_refused() -> None:
    text = "tasks:\n" + "".join(f"  task{n}: {{}}\n" for n in range(1_001))
    assert ["at most 1,000 tasks, not 1,001" in str(error) for error in read(text).errors] == [True]
    assert not is_valid(text)
