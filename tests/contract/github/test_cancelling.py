"""A job that is cancelled while a step runs: real signals to the real process, as GitHub sends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import deploy_command
from kuroshio.changes.plan import Change, Plan, UnitChange
from kuroshio.release.commands import Errand
from tests.contract.github.conftest import EVENTS, FILES, outputs_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.github.conftest import Runner

RUN = Path(__file__).parents[3] / ".github/actions/run.py"
PLAN = Plan("b" * 40, "a" * 40, "b" * 40, True, (), (), (), (), ())


@pytest.fixture
def step(runner: Runner, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The step "detect", in a process of its own, stopped where it asks GitHub."""
    base = runner.repository.make_commit(FILES)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2"}, base)
    event = (EVENTS / "pull_request.opened.json").read_text().replace("$BASE", base).replace("$HEAD", head)
    (tmp_path / "event").write_text(event)
    (tmp_path / "tmp").mkdir()
    environ = {
        "PATH": os.environ["PATH"],
        "TMPDIR": str(tmp_path / "tmp"),
        "GITHUB_API_URL": runner.github.url,
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_REPOSITORY": "octo/shop",
        "GITHUB_RUN_ID": "1",
        "GITHUB_SERVER_URL": runner.folder.as_uri(),
        "KUROSHIO_TOKEN": "ghs_nothing",
    }
    runner.github.write(12, "<!-- kuroshio:plan --> as it was")
    with subprocess.Popen([sys.executable, "-I", RUN, "detect"], env=environ, stdout=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)])
@pytest.mark.parametrize("held", ["GET", "PATCH"])
def test_a_cancelled_detection_ends_with_130_and_leaves_the_comment_whole(
    runner: Runner, tmp_path: Path, request: pytest.FixtureRequest, held: str, signals: tuple[signal.Signals, ...]
) -> None:
    runner.github.held = held
    process: subprocess.Popen[bytes] = request.getfixturevalue("step")
    assert runner.github.is_held.wait(60)
    for number in signals:
        process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"::warning title=Kuroshio::The job was cancelled" in said
    assert b"Traceback" not in said
    assert outputs_of((tmp_path / "output").read_text()) == {"status": "cancelled"}
    assert not (tmp_path / "summary").exists()
    assert list((tmp_path / "tmp").iterdir()) == []
    assert runner.github.bodies() == ["<!-- kuroshio:plan --> as it was"]


@pytest.mark.parametrize("obeys", [True, False])
def test_the_deploy_command_of_a_cancelled_job_is_ended_and_what_it_did_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obeys: bool
) -> None:
    """Interrupted in this process: the command itself sends the signal when it has deployed one unit of two."""
    monkeypatch.setattr(deploy_command, "_GOES_WITHIN_S", 0.2)
    script = f"""
import json, os, signal, time
{"" if obeys else "signal.signal(signal.SIGTERM, signal.SIG_IGN)"}
open(os.environ["KUROSHIO_RESULTS_FILE"], "a").write(json.dumps(dict(unit="t#A", digest="sha256:1")) + "\\n" + '{{"unit": "t#')
os.kill({os.getpid()}, signal.SIGINT)
time.sleep(60)
"""
    units = tuple(UnitChange(f"t#{name}", "function", "zip", Change.MODIFIED, ()) for name in "AB")
    errand = Errand((sys.executable, "-c", script), units)
    assert deploy_command.run(errand, PLAN, os.environ) == (130, {"t#A": "sha256:1"})
