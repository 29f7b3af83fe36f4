"""``make bench-detect``: what detection costs in a repository of 100,000 files and 1,000 units, beside git itself.

Git's part is ``git diff --raw`` and ``git ls-tree -r`` on the same two commits, one after the other. Git and detection take
turns, and each figure is the best of its runs: on a shared machine the best is what the code costs, the rest is what others
do. "Cached" reads the analyses from what the workflow keeps in S3, unpacking included; only the way to S3 is not in it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, at_most, write
from kuroshio.adapters.git import Git, environment
from kuroshio.adapters.notes import pack, unpack
from kuroshio.changes.detection import detect
from kuroshio.changes.remembering import Remembered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kuroshio.changes.ports import Notes

SERVICES, FUNCTIONS, FILES = 100, 10, 100
RUNS, TURNS = 3, 5


class Shelf:
    """Notes as S3 holds them, packed, in memory."""

    def __init__(self) -> None:
        self.packed = pack({})

    def read(self, _repository: str, _edition: str) -> Mapping[str, str]:
        """Unpack what was written last."""
        return unpack(self.packed)

    def write(self, _repository: str, _edition: str, notes: Mapping[str, str]) -> None:
        """Pack it."""
        self.packed = pack(notes)


def main() -> None:
    """Build the repository, measure, print the table and write ``build/bench/detect.json``."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        build(repository)
        pairs = (("many", "many-one"), ("few", "few-one"), ("many", "many-wide"))
        write("detect", rows(*(measured(repository, *pair) for pair in pairs)))


def rows(many: dict[str, float], few: dict[str, float], wide: dict[str, float]) -> Iterator[Row]:
    """The figures with the goals of issue 3."""
    yield Row("git diff --raw + git ls-tree -r", many["git"] * 1000, "ms")
    yield Row("one file changes, cached", many["cached"] * 1000, "ms")
    yield Row("one file changes, uncached", many["uncached"] * 1000, "ms")
    yield Row("10,000 files change, cached", wide["cached"] * 1000, "ms")
    yield at_most("cached / git", many["cached"] / many["git"], "x", 3)
    yield at_most("uncached / git", many["uncached"] / many["git"], "x", 10)
    yield at_most("10,000 files, cached / git", wide["cached"] / wide["git"], "x", 3)
    yield at_most("peak memory", max(many["memory"], wide["memory"]), "MB", 200)
    yield at_most("1,000 units / 10 units, cached", many["cached"] / few["cached"], "x", 1.5)


def build(repository: Path) -> None:
    """Make branches with the same files: ``many`` has 1,000 units, ``few`` has 10; others are what changes them."""
    subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True, env=environment())
    stream = "".join(_commits()).encode()
    subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input=stream, check=True, env=environment())


def _commits() -> Iterator[str]:
    for branch, templates in (("many", SERVICES), ("few", 1)):
        files = dict(_files(templates))
        yield from _commit(branch, "", files)
        yield from _commit(f"{branch}-one", branch, {"services/s000/f0/m01.py": "changed"})
        wide = [path for path in files if path.endswith("5.py")]
        yield from _commit(f"{branch}-wide", branch, dict.fromkeys(wide, "changed"))


def _commit(branch: str, parent: str, files: dict[str, str]) -> Iterator[str]:
    yield f"commit refs/heads/{branch}\ncommitter b <b@example.org> 0 +0000\ndata 1\n.\n"
    yield f"from refs/heads/{parent}\n" if parent else ""
    for path, content in files.items():
        yield f"M 100644 inline {path}\ndata {len(content)}\n{content}\n"


def _files(templates: int) -> Iterator[tuple[str, str]]:
    for service in range(SERVICES):
        root = f"services/s{service:03}"
        yield f"{root}/template.yaml", _template(service) if service < templates else "nothing: here\n"
        for function in range(FUNCTIONS):
            yield from ((f"{root}/f{function}/m{at:02}.py", f"{service}.{function}.{at}") for at in range(FILES))


def _template(service: int) -> str:
    functions = "".join(
        f"  F{at}:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: f{at}/\n      Handler: m00.handle\n"
        f"      Environment: {{Variables: {{SERVICE: s{service}, TABLE: !Ref Table}}}}\n      Policies: [AWSLambdaBasicExecutionRole]\n"
        for at in range(FUNCTIONS)
    )
    table = "  Table: {Type: AWS::Serverless::SimpleTable}\n"
    shared = "Globals: {Function: {Runtime: python3.13, Timeout: 10, MemorySize: 256}}\n"
    return f"Transform: AWS::Serverless-2016-10-31\n{shared}Resources:\n{table}{functions}"


def baseline(repository: Path, base: str, head: str) -> float:
    """Seconds that git takes to name what differs, and all files of the head."""
    return timed(
        lambda: [_git(repository, *command) for command in (["diff", "--raw", base, head], ["ls-tree", "-r", head])]
    )


def _git(repository: Path, *command: str) -> None:
    subprocess.run(["git", "-C", repository, *command], check=True, stdout=subprocess.DEVNULL, env=environment())


def timed(work: Callable[[], object]) -> float:
    """Seconds on the wall."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measured(repository: Path, base: str, head: str) -> dict[str, float]:
    """Measure in processes of their own: seconds of "git", "cached" and "uncached", "memory" in MB."""
    command = [sys.executable, "-m", "benchmarks.detect", os.fspath(repository), base, head]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(RUNS)]
    return {key: min(run[key] for run in runs) for key in runs[0]}


def measure(repository: Path, base: str, head: str) -> dict[str, float]:
    """Take turns. Memory is the largest of this process and of git's."""
    empty, full = Shelf(), Shelf()
    seconds: dict[str, list[float]] = {"git": [], "uncached": [], "cached": []}
    detection(repository, base, head, full)
    for _ in range(TURNS):
        seconds["git"].append(baseline(repository, base, head))
        seconds["uncached"].append(timed(lambda: detection(repository, base, head, empty, keep=False)))
        seconds["cached"].append(timed(lambda: detection(repository, base, head, full)))
    peaks = (resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {name: min(each) for name, each in seconds.items()} | {"memory": max(peaks)}


def detection(repository: Path, base: str, head: str, notes: Notes, *, keep: bool = True) -> None:
    """Detect as the workflow does, from the repository on."""
    remembered = Remembered(notes, "bench/shop")
    remembered.load()
    detect(Git(repository), base, head, remembered.templates, remembered.imports)
    if keep:
        remembered.save()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]), *sys.argv[2:4])))
    else:
        main()
