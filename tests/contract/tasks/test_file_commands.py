"""`kuroshio tasks check` and `next`, as a person and as a job use them. They need no AWS."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kuroshio.changes.document import load
from kuroshio.cli import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/tasks.md").read_text()
TWO = """zone: Europe/Berlin
tasks:
  backup:
    run: {script: bin/backup.sh}
    on: {tags: {Role: db}}
    at: {cron: "30 2 * * ? *"}
    freezes: [{days: [sat], reason: "quiet\\e[31m"}]
  report:
    run: {function: report}
    after: [backup]
  patch:
    run: {shell: ls}
    on: {tag: {Role: db}}
    at: {rate: 1 hours}
"""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*words: str) -> Done:
        with pytest.raises(SystemExit) as ended:
            main(["tasks", *words])
        shown = capsys.readouterr()
        return Done(int(ended.value.code or 0), shown.out, shown.err)

    return run


def documented(done: Done) -> dict[str, Any]:
    found = json.loads(done.out)
    assert isinstance(found, dict)
    return found


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/backup.sh").write_text("/opt/backup\n")
    (tmp_path / "tasks.yaml").write_text(TWO)
    return str(tmp_path / "tasks.yaml")


def test_check_names_every_error_and_goes_on_with_the_others(file: str, run: Run) -> None:
    done = run("check", file)
    assert done.code == 2
    lines = done.err.splitlines()
    assert [line.partition(": ")[0] for line in lines[:3]] == [
        f"{file}, line 13, column 9",
        f"{file}, line 13, column 10",
        f"{file}, line 14, column 16",
    ]
    assert "the clocks leap over it" in lines[3]
    assert done.out.splitlines() == [
        "backup  scheduler  it names no window",
        "report  scheduler  it names no window",
        f"{file}: 2 tasks right, 1 is refused",
    ]


def test_check_as_json_says_the_same(file: str, run: Run) -> None:
    found = documented(run("check", file, "--json"))
    assert [task["name"] for task in found["tasks"]] == ["backup", "report"]
    assert [(error["task"], error["line"]) for error in found["errors"]] == [
        ("patch", 13),
        ("patch", 13),
        ("patch", 14),
    ]
    assert {warning["task"] for warning in found["warnings"]} == {"backup"}


def test_check_of_a_right_file_ends_with_zero(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "tasks.yaml"
    path.write_text("tasks: {}")
    done = run("check", str(path))
    assert (done.code, done.out) == (0, f"{path}: 0 tasks, everything is right\n")


def test_something_wrong_outside_of_the_tasks_lets_none_go_on(file: str, run: Run) -> None:
    Path(file).write_text(TWO.replace("Europe/Berlin", "Berlin"))
    done = run("check", file)
    assert done.code == 2
    assert done.out.splitlines() == [f"{file}: no task goes on, because something is wrong outside of them"]
    assert documented(run("check", file, "--json"))["errors"][0]["task"] is None


@pytest.mark.parametrize("content", [None, "tasks: ["])
def test_a_file_that_cannot_be_read_is_wrong_configuration(content: str | None, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "tasks.yaml"
    if content:
        path.write_text(content)
    done = run("check", str(path))
    assert done.code == 2
    assert done.err.startswith("kuroshio: ")


def test_next_shows_runs_by_both_clocks_and_what_becomes_of_them(file: str, run: Run) -> None:
    done = run("next", file, "--since", "2027-03-26T12:00Z", "--count", "2")
    frozen, note = "freeze: quiet\\u001b[31m (sat)", "the clocks change from UTC+1 to UTC+2 within the day after"
    assert done.code == 2  # one task is refused
    assert done.out.splitlines() == [
        "backup: cron(30 2 * * ? *) Europe/Berlin; by scheduler: it names no window",
        # What a file says moves nothing on a terminal.
        f"  2027-03-27 Sat 02:30  2027-03-27 01:30 UTC  skipped, {frozen}; {note}",
        "  2027-03-28 Sun 02:30  never                 the clocks leap over it: it does not run",
        "  2027-03-29 Mon 02:30  2027-03-29 00:30 UTC  the clocks changed from UTC+1 to UTC+2 within the day before",
        "report: by scheduler: it names no window; only where backup succeeded",
    ]


def test_next_as_json_has_null_for_what_never_comes(file: str, run: Run) -> None:
    found = documented(
        run("next", file, "--since", "2027-03-28T00:00+00:00", "--count", "1", "--task", "backup", "--json")
    )
    [task] = found["tasks"]
    assert (task["at"], task["zone"]) == ({"cron": "30 2 * * ? *"}, "Europe/Berlin")
    assert [(run["wall"], run["utc"]) for run in task["runs"]] == [
        ("2027-03-28T02:30", None),
        ("2027-03-29T02:30", "2027-03-29T00:30:00Z"),
    ]


@pytest.mark.parametrize(
    ("words", "says"), [(("--task", "nobody"), "has no task nobody"), (("--since", "soon"), "no time")]
)
def test_next_refuses_what_it_does_not_know(words: tuple[str, ...], says: str, file: str, run: Run) -> None:
    done = run("next", file, *words)
    assert done.code == 2
    assert says in done.err


def test_the_examples_of_the_page_are_right_and_show_what_it_says(tmp_path: Path, run: Run) -> None:
    [example] = [block.partition("```")[0] for block in PAGE.split("```yaml\n")[1:]]
    schema = json.loads((ROOT / "schemas/tasks.schema.json").read_text())
    assert jsonschema.Draft202012Validator(schema).is_valid(load(example.encode()))
    (tmp_path / "tasks.yaml").write_text(example)
    (tmp_path / "migrate.sh").write_text("/opt/migrate\n")
    shown = {}
    for block in re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        command, _, output = block.partition("\n")
        words = command.removeprefix("$ kuroshio tasks ").split()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            shown[words[0]] = (run(*words).out, output)
    assert set(shown) == {"check", "next"}
    assert all(is_shown == as_said for is_shown, as_said in shown.values()), shown
