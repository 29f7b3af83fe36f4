"""``make bench-bundle``: how much travels for a pull request, beside all that its commits hold.

"whole" is what a bundle would be that carries all files of the commits: the commits from the merge base on, with everything
in them. This repository's own newest commits are one subject; a made-up one with large assets is the other.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.report import Row, at_most, write
from kuroshio.adapters import bundling
from kuroshio.adapters.bundles import opened
from kuroshio.adapters.git import Git, environment
from kuroshio.changes.detection import detect

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).parents[1]
ASSETS, ASSET_BYTES, FUNCTIONS = 50, 1_000_000, 20


def main() -> None:
    """Measure both, print the table and write ``build/bench/bundle.json``."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder)
        build(repository)
        write("bundle", [*own(), *rows("large assets", Git(repository), "refs/heads/base", "refs/heads/head")])


def own() -> Iterator[Row]:
    """This repository: its newest commit, and its newest twenty as one pull request. A shallow checkout has fewer."""
    git = Git(CHECKOUT)
    for count in (1, 20):
        known = subprocess.run(
            ["git", "-C", CHECKOUT, "rev-list", "--first-parent", f"--max-count={count + 1}", "HEAD"],
            env=environment(),
            capture_output=True,
            check=True,
        )
        commits = known.stdout.decode().split()
        if len(commits) == count + 1:
            yield from rows(f"this repository, {count} commits", git, commits[-1], commits[0])


def rows(name: str, git: Git, base: str, head: str) -> Iterator[Row]:
    """Both bundles of one pull request. The plans are compared: a small bundle with another plan would be no gain."""
    base, head = git.commit(base), git.commit(head)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle"
        whole = bundling.write(git, file, base, head, whole=True)
        parcel = bundling.write(git, file, base, head)
        with opened(file) as unpacked:
            assert detect(unpacked, base, head) == detect(git, base, head)
    yield Row(f"{name}: whole", float(whole.size), "bytes")
    yield Row(f"{name}: handed in", float(parcel.size), "bytes")
    yield Row(f"{name}: files read", float(parcel.blobs), f"of {whole.blobs:,}")
    yield at_most(f"{name}: handed in / whole", parcel.size / whole.size, "x", 0.5)


def build(repository: Path) -> None:
    """Make a base and a head: functions of their own folders, and assets, of which the head changes one of each."""
    draw = random.Random(3)
    template = "Resources:\n" + "".join(
        f"  F{at}: {{Type: AWS::Serverless::Function, Properties: {{CodeUri: f{at}, Handler: app.handle}}}}\n"
        for at in range(FUNCTIONS)
    )
    files = {"template.yaml": template.encode()}
    files |= {f"f{at}/app.py": b"import json\n" for at in range(FUNCTIONS)}
    files |= {f"assets/{at}.png": draw.randbytes(ASSET_BYTES) for at in range(ASSETS)}
    changed = {"f0/app.py": b"import os\n", "assets/0.png": draw.randbytes(ASSET_BYTES)}
    stream = b"".join((_commit("base", files), _commit("head", changed, "base")))
    subprocess.run(["git", "init", "--quiet", "--bare", repository], check=True, env=environment())
    subprocess.run(["git", "-C", repository, "fast-import", "--quiet"], input=stream, check=True, env=environment())


def _commit(branch: str, files: dict[str, bytes], parent: str = "") -> bytes:
    head = f"commit refs/heads/{branch}\ncommitter A <a@example> 1000000000 +0000\ndata 0\n"
    parts = [head.encode(), f"from refs/heads/{parent}\n".encode() if parent else b""]
    for path, content in files.items():
        parts.append(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
    return b"".join(parts)


if __name__ == "__main__":
    main()
