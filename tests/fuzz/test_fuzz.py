"""The parsers under a fuzzer that is guided by the code that it reaches: atheris, in an environment of its own."""

from __future__ import annotations

import fcntl
import os
import platform
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.fuzz.targets import ROOT, TARGETS

if TYPE_CHECKING:
    from pathlib import Path

LOCK = ROOT / "requirements/tools/atheris.txt"


@pytest.fixture(scope="module")
def fuzzer() -> Path:
    """The Python that has atheris. It is published as a wheel for Linux on x86_64 only; elsewhere it needs a compiler."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        pytest.skip("atheris is published for Linux on x86_64 only")
    home = ROOT / "build/tools/atheris"
    home.parent.mkdir(parents=True, exist_ok=True)
    with (home.parent / "atheris.lock").open("w") as lock:  # several workers want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        _install(home)
    return home / "bin/python"


def _install(home: Path) -> None:
    stamp = home / ".locked"
    if stamp.exists() and stamp.read_bytes() == LOCK.read_bytes():
        return
    subprocess.run(["uv", "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
    command = ["uv", "pip", "sync", "--quiet", "--require-hashes", "--python", str(home / "bin/python"), str(LOCK)]
    subprocess.run(command, check=True)
    stamp.write_bytes(LOCK.read_bytes())


def _fuzz(fuzzer: Path, target: str, place: Path, *options: str) -> None:
    package = ROOT / "layers/kuroshio/python"
    env = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{package}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(fuzzer), "-W", "ignore", "-m", "tests.fuzz.run", target, *options]
    command += ["-rss_limit_mb=2048", "-timeout=60", f"-artifact_prefix={place}/"]
    done = subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False, errors="replace")
    kept = [f"{path.name}: {path.read_bytes()[:2000]!r}" for path in place.iterdir() if path.is_file()]
    assert done.returncode == 0, "\n".join([done.stdout[-3000:], done.stderr[-2000:], *kept])


@pytest.mark.search
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_bytes_have_an_answer_or_an_error_with_a_name(target: str, fuzzer: Path, tmp_path: Path) -> None:
    _fuzz(fuzzer, target, tmp_path, "-runs=400", "-seed=1")


@pytest.mark.soak
@pytest.mark.parametrize("target", TARGETS)
def test_hostile_bytes_have_an_answer_in_a_long_search(target: str, fuzzer: Path, tmp_path: Path) -> None:
    _fuzz(fuzzer, target, tmp_path, "-runs=100000", "-max_total_time=1200")


def test_every_target_takes_what_it_begins_with() -> None:
    for target, seeds in TARGETS.values():
        samples = list(seeds())
        assert samples
        for sample in samples:
            target(sample)
