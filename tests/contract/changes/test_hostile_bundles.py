"""What a hostile pull request can hold, through git: an answer within bounds, or an error with a name."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import zlib
from random import Random
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters.bundles import opened
from kuroshio.adapters.git import Git, environment
from kuroshio.changes.detection import detect
from kuroshio.errors import KuroshioError
from tests.fakes.git_repository import GitRepository
from tests.fakes.repository import submodule

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {CodeUri: src}}}"
DETECT = r"""
import json, re, resource, sys
from pathlib import Path
from kuroshio.adapters.git import Git
from kuroshio.changes.detection import detect
plan = detect(Git(Path(sys.argv[1])), sys.argv[2], sys.argv[3])
usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
# Linux carries the peak of whoever forked us over our exec, and a worker that ran a thousand tests is large.
if Path("/proc/self/status").exists():
    usage[0] = int(re.search(r"VmHWM:\s*(\d+)", Path("/proc/self/status").read_text())[1])
print(json.dumps([[unit.id for unit in plan.units], plan.complete, usage]))
"""


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    (tmp_path / "origin.git").mkdir()
    return GitRepository(tmp_path / "origin.git")


def _measured(repository: GitRepository, base: str, head: str) -> tuple[list[str], bool, list[int]]:
    """Detect in a process of its own; return the units, whether the plan is complete, and memory in MiB (ours, git's)."""
    command = [sys.executable, "-c", DETECT, os.fspath(repository.path), base, head]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    units, complete, memory = json.loads(done.stdout)
    scale = 1024 * (1024 if sys.platform == "darwin" else 1)
    return units, complete, [size // scale for size in memory]


def _zeros(repository: GitRepository, gigabytes: int) -> str:
    """Put a blob of zeros into the repository without ever holding it: compressed, it is small."""
    size = gigabytes * 2**30
    folder = repository.path / "objects"
    packer, digest = zlib.compressobj(1), hashlib.sha1(usedforsecurity=False)
    chunk, compressed = bytes(2**20), bytearray()
    for part in (b"blob %d\0" % size, *(chunk for _ in range(size // len(chunk)))):
        digest.update(part)
        compressed += packer.compress(part)
    oid = digest.hexdigest()
    (folder / oid[:2]).mkdir(exist_ok=True)
    (folder / oid[:2] / oid[2:]).write_bytes(compressed + packer.flush())
    return oid


def _with(repository: GitRepository, base: str, path: str, oid: str) -> str:
    """Commit a blob that lies in the repository already at a path, as the child of a commit."""
    env = environment() | {"GIT_INDEX_FILE": os.fspath(repository.path / "an-index")}
    env |= dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "a")
    commands = [["read-tree", base], ["update-index", "--add", "--cacheinfo", f"100644,{oid},{path}"], ["write-tree"]]
    outputs = [
        subprocess.run(
            ["git", *command], cwd=repository.path, env=env, check=True, capture_output=True, text=True
        ).stdout
        for command in commands
    ]
    command = ["git", "commit-tree", "-p", base, "-m", "", outputs[-1].strip()]
    done = subprocess.run(command, cwd=repository.path, env=env, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.mark.search
@pytest.mark.parametrize("path", ["src/huge.bin", "huge.yaml"])
def test_a_blob_of_a_gigabyte_costs_no_memory(repository: GitRepository, path: str) -> None:
    base = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"})
    head = _with(repository, base, path, _zeros(repository, 1))
    units, complete, memory = _measured(repository, base, head)
    assert (units, complete) == (["template.yaml#F"] if path.startswith("src/") else [], True)
    assert max(memory) < 300, memory


@pytest.mark.search
def test_a_template_of_fifty_megabytes_is_said_to_be_too_large_and_costs_no_memory(repository: GitRepository) -> None:
    base = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"})
    huge = TEMPLATE.encode() + b"\n# " + b"x" * (50 * 2**20)
    head = repository.make_commit({"template.yaml": huge, "src/app.py": "1"}, base)
    units, complete, memory = _measured(repository, base, head)
    assert (units, complete) == (["template.yaml#F"], False)
    assert max(memory) < 400, memory


@pytest.mark.soak
def test_two_hundred_thousand_files_are_detected_within_bounds(repository: GitRepository) -> None:
    files = {f"d{number % 997}/{number}.py": "1" for number in range(200_000)}
    base = repository.make_commit(files | {"template.yaml": TEMPLATE, "src/app.py": "1"})
    head = repository.make_commit(files | {"template.yaml": TEMPLATE, "src/app.py": "2", "d1/1.py": "2"}, base)
    units, complete, memory = _measured(repository, base, head)
    assert (units, complete) == (["template.yaml#F"], True)
    assert max(memory) < 400, memory
    sys.stdout.write(f"200,000 files: {memory} MiB\n")


def test_the_urls_of_submodules_are_never_asked(repository: GitRepository, tmp_path: Path) -> None:
    """``.gitmodules`` is a file like any other; its commands and addresses lead nowhere."""
    sprung = tmp_path / "sprung"
    said = f'[submodule "m"]\n\tpath = src/m\n\turl = "ext::sh -c touch% {sprung}"\n\tupdate = "!touch {sprung}"\n'
    files = {"template.yaml": TEMPLATE, "src/app.py": "1", ".gitmodules": said}
    base = repository.make_commit(files | {"src/m": submodule("1" * 40)})
    head = repository.make_commit(files | {"src/m": submodule("2" * 40)}, base)
    plan = detect(repository, base, head)
    assert ([unit.id for unit in plan.units], sprung.exists()) == (["template.yaml#F"], False)


def test_a_configuration_that_includes_another_runs_nothing(repository: GitRepository, tmp_path: Path) -> None:
    base = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"})
    head = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "2"}, base)
    sprung, trap, more = tmp_path / "sprung", tmp_path / "trap", tmp_path / "more"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\n")
    trap.chmod(0o755)
    more.write_text(
        f"[core]\n\tfsmonitor = {trap}\n\tpager = {trap}\n\tsshCommand = {trap}\n\thooksPath = {tmp_path}\n"
    )
    with (repository.path / "config").open("a") as config:
        config.write(f'[include]\n\tpath = {more}\n[includeIf "gitdir:/"]\n\tpath = {more}\n')
    assert [unit.id for unit in detect(Git(repository.path), base, head).units] == ["template.yaml#F"]
    assert not sprung.exists()


def test_a_bundle_with_any_bytes_exchanged_is_an_answer_or_an_error_with_a_name(
    repository: GitRepository, tmp_path: Path
) -> None:
    base = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"})
    head = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "2"}, base)
    repository.git("bundle", "create", "--quiet", os.fspath(tmp_path / "b"), "--all")
    whole = (tmp_path / "b").read_bytes()
    chance = Random(1)  # noqa: S311 - no secret
    refused = 0
    for _ in range(40):
        bytes_ = bytearray(whole)
        for at in chance.choices(range(chance.choice([60, len(whole)])), k=chance.choice([1, 3])):
            bytes_[at] = chance.choice([0, 10, 32, 255, chance.randrange(256)])
        (tmp_path / "b").write_bytes(bytes_)
        try:
            with opened(tmp_path / "b") as unpacked:
                assert detect(unpacked, base, head).units
        except KuroshioError:
            refused += 1
    assert refused > 20
