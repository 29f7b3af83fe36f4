"""What ``sam build`` makes of every unit of a commit, and which of the built files starting a handler loads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.oracles.truth import Commit, Made

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.fakes.python_trees import Interpreter
    from tests.fakes.repository import File
    from tests.oracles.templates import Document

# SAM CLI takes a second to import and far less to build: one process builds all.
_WORKER = """
import json, sys
from click.testing import CliRunner
from samcli.cli.main import cli
for line in sys.stdin:
    result = CliRunner().invoke(cli, ["build", *json.loads(line)])
    print(json.dumps([result.exit_code, result.output]), flush=True)
"""
_LOADED = """
const [root, name] = process.argv.slice(1);
try { require(root + '/' + name) } catch {}
console.log(JSON.stringify(Object.keys(require.cache)));
"""


class Sam:
    """``sam build``, again and again. ``programs`` is a folder of programs that builds need besides."""

    def __init__(self, home: Path, programs: Path) -> None:
        own = os.path.dirname(sys.executable)  # noqa: PTH120 - of the path as it is, not where a link leads
        env = os.environ | {
            "SAM_CLI_TELEMETRY": "0", "HOME": str(home), "PATH": os.pathsep.join([str(programs), own, os.environ["PATH"]]),
            "AWS_DEFAULT_REGION": "ap-northeast-1", "AWS_EC2_METADATA_DISABLED": "true", "PYTHONWARNINGS": "ignore",
        }  # fmt: skip
        command = [sys.executable, "-c", _WORKER]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=env,
            cwd=home,
        )
        self.output = ""

    def build(self, template: Path, into: Path) -> bool:
        """Build all of a template; whether that succeeded."""
        assert self._process.stdin
        assert self._process.stdout
        options = ["--template", str(template), "--build-dir", str(into), "--no-cached", "--language-extensions"]
        self._process.stdin.write(json.dumps(options) + "\n")
        self._process.stdin.flush()
        code, self.output = json.loads(self._process.stdout.readline())
        return bool(code == 0)

    def close(self) -> None:
        self._process.communicate("")


def write(files: Mapping[str, File], folder: Path) -> None:
    """Check a commit out."""
    for path, file in files.items():
        at = folder / path
        at.parent.mkdir(parents=True, exist_ok=True)
        if file.mode == "120000":
            at.symlink_to(file.content.decode())
        else:
            at.write_bytes(file.content)
            at.chmod(0o755 if file.mode == "100755" else 0o644)


@dataclass(frozen=True)
class _Start:
    """How one function is begun, and where its source lay."""

    folder: str
    language: str
    handler: str


class BuiltCommit(Commit):
    """A commit whose zip packages are those that SAM built: ``artifacts`` by unit. Its definitions are worked out."""

    def __init__(self, files: Mapping[str, File], artifacts: Mapping[str, Path], interpreter: Interpreter) -> None:
        super().__init__(files)
        self._artifacts = artifacts
        self._interpreter = interpreter
        self._starts: dict[str, _Start] = {}

    def units(self) -> dict[str, Made]:
        found = super().units()
        loaded = {unit: self._loaded(unit, start) for unit, start in self._starts.items()}
        for unit, start in self._starts.items():
            others = [
                loaded[other]
                for other, at in self._starts.items()
                if (at.folder, at.language) == (start.folder, start.language)
            ]
            found[unit].loose = {("code", path) for path in set().union(*others) - loaded[unit]}
        return found

    def _zip(self, made: Made, unit: str, folder: str, properties: Document, metadata: Document) -> None:
        root = self._artifacts[unit]
        for path in sorted(root.rglob("*")):
            if path.is_file():
                made.contents["code", str(path.relative_to(root))] = (os.access(path, os.X_OK), path.read_bytes())
        if "BuildMethod" not in metadata and "Handler" in properties:
            language = str(properties["Runtime"]).rstrip("0123456789.x")
            self._starts[unit] = _Start(folder, language, properties["Handler"].rpartition(".")[0])

    def _loaded(self, unit: str, start: _Start) -> set[str]:
        root = self._artifacts[unit].resolve()
        if start.language == "python":
            return self._interpreter.loaded(root, start.handler.replace("/", "."))
        command = ["node", "-e", _LOADED, str(root), start.handler]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return {os.path.relpath(path, root) for path in json.loads(done.stdout)}


def build(files: Mapping[str, File], sam: Sam, interpreter: Interpreter, place: Path) -> BuiltCommit | None:
    """Build every unit of a commit; None where it cannot be built."""
    write(files, place / "tree")
    seen = Commit(files)
    artifacts: dict[str, Path] = {}
    for number, (path, below) in enumerate(_stacks(seen)):
        into = place / f"built{number}"
        if not sam.build(place / "tree" / path, into):
            return None
        for at, template in below.items():
            names = [name for name, body in template["Resources"].items() if isinstance(body, dict)]
            artifacts |= {f"{at[0]}#{name}": into / at[1] / name for name in names}
    return BuiltCommit(files, artifacts, interpreter)


def _stacks(seen: Commit) -> list[tuple[str, dict[tuple[str, str], Document]]]:
    """Return the templates that are deployed as such, with those that they nest as (path, folder of what is built)."""
    nested = {child for path in seen.templates for child, _ in seen.nested(path)}
    return [
        (
            path,
            {(path, ""): seen.templates[path]}
            | {(child, name): seen.templates[child] for child, name in seen.nested(path)},
        )
        for path in seen.templates
        if path not in nested
    ]
