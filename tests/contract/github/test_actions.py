"""The actions as a runner starts them: what their files say, and the script in a hostile working directory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.contract.github.conftest import EVENTS, FILES

if TYPE_CHECKING:
    from tests.contract.github.conftest import Runner

GITHUB = Path(__file__).parents[3] / ".github"
ACTIONS = sorted(GITHUB.glob("actions/*/action.yml"))
WORKFLOWS = [GITHUB / "workflows" / name for name in ("detect.yml", "after-merge.yml")]


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_nothing_of_the_working_directory_is_imported(runner: Runner) -> None:
    base = runner.repository.make_commit(FILES)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2"}, base)
    hostile = runner.folder / "checkout"
    for name in ("kuroshio/__init__.py", "yaml.py", "urllib3.py", "json.py", "sitecustomize.py", "usercustomize.py"):
        (hostile / name).parent.mkdir(parents=True, exist_ok=True)
        (hostile / name).write_text("raise SystemExit('imported from the pull request')\n")
    event = runner.folder / "event.json"
    recorded = (EVENTS / "pull_request.fork.json").read_text()
    event.write_text(recorded.replace("$BASE", base).replace("$HEAD", head))
    output = runner.folder / "output"
    done = subprocess.run(
        [sys.executable, "-I", GITHUB / "actions/run.py", "detect"],
        cwd=hostile,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(hostile),
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_REPOSITORY": "octo/shop",
            "GITHUB_RUN_ID": "1",
            "GITHUB_SERVER_URL": runner.folder.as_uri(),
            "KUROSHIO_ROLE": "arn:aws:iam::123456789012:role/r",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.dumps("t.yaml#Cart") in output.read_text()


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_every_input_reaches_the_step_through_its_environment_and_no_script(path: Path) -> None:
    action = read(path)
    steps = action["runs"]["steps"]
    assert [step["run"] for step in steps if "${{" in step["run"]] == []
    passed = {value for step in steps for value in step["env"].values()}
    assert {f"${{{{ inputs.{name} }}}}" for name in action["inputs"]} <= passed


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_every_output_is_one_that_the_step_gives(path: Path) -> None:
    source = {"detect": "detect", "after-merge": "merged"}[path.parent.name]
    package = GITHUB.parent / "layers/kuroshio/python/kuroshio/actions"
    code = (package / f"{source}.py").read_text()
    given = {name.replace("_", "-") for name in re.findall(r"^        (\w+)=", code, re.MULTILINE)}
    assert set(read(path)["outputs"]) <= given


@pytest.mark.parametrize("path", [*ACTIONS, *WORKFLOWS], ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_action_of_others_is_used(path: Path) -> None:
    used = re.findall(r"uses: (\S+)", path.read_text().partition("\non:")[2] or path.read_text())
    assert [each for each in used if not each.startswith("$/.github/actions/")] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_reusable_workflow_gives_its_action_only_inputs_that_it_has_and_nothing_is_granted_at_large(
    path: Path,
) -> None:
    workflow = read(path)
    (job,) = workflow["jobs"].values()
    step = job["steps"][-1]
    action = read(GITHUB.parent / step["uses"].removeprefix("$/") / "action.yml")
    assert set(step["with"]) <= set(action["inputs"])
    needed = {name for name, each in action["inputs"].items() if each.get("required")}
    assert needed <= set(step["with"])
    assert workflow["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "id-token": "write", "pull-requests": "write"}
