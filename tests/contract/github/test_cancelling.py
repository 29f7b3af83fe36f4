"""A job that is cancelled while a step runs: real signals to the real process, as GitHub sends them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import deploy_command
from kuroshio.adapters.deploy_command import Carried
from kuroshio.changes.plan import Change, Plan, UnitChange
from kuroshio.release.commands import Errand
from tests.contract.github.conftest import FILES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.github.conftest import Runner

PLAN = Plan("b" * 40, "a" * 40, "b" * 40, True, (), (), (), (), ())


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT, signal.SIGTERM)])
@pytest.mark.parametrize("held", ["GET", "PATCH"])
def test_a_cancelled_detection_ends_with_130_and_leaves_the_comment_whole(
    runner: Runner, tmp_path: Path, held: str, signals: tuple[signal.Signals, ...]
) -> None:
    base = runner.repository.make_commit(FILES)
    head = runner.repository.make_commit(FILES | {"cart/a.txt": "2"}, base)
    (tmp_path / "tmp").mkdir()
    runner.give(TMPDIR=str(tmp_path / "tmp"))
    runner.github.write(12, "<!-- kuroshio:plan --> as it was")
    runner.github.held = held
    step = runner.begin("detect", "pull_request.opened", base, head)
    assert runner.github.is_held.wait(60)
    step.cancel(*signals)
    code, said, outputs = step.ended()
    assert (code, outputs) == (130, {"status": "cancelled"})
    assert "::warning title=Kuroshio::The job was cancelled" in said
    assert "Traceback" not in said
    assert list((tmp_path / "tmp").iterdir()) == []
    assert runner.github.bodies() == ["<!-- kuroshio:plan --> as it was"]


def test_a_signal_that_comes_while_python_itself_ends_changes_nothing(tmp_path: Path) -> None:
    """Python gives handled signals back to the system before it clears its modules."""
    program = """
import os, signal, sys
from kuroshio.actions import cancelling

class Late:
    def __del__(self, kill=os.kill, us=os.getpid(), number=signal.SIGTERM):  # names are gone by then
        kill(us, number)

try:
    with cancelling.heeded():
        os.kill(os.getpid(), signal.SIGINT)
        signal.pause()
except KeyboardInterrupt:
    cancelling.over()
    sys.late = Late()  # goes with the interpreter's own modules, the last of all
    sys.exit(130)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "")


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
    assert deploy_command.run(errand, PLAN, os.environ, {}) == Carried(130, {"t#A": "sha256:1"})
