"""The user's deploy command as a process: words, environment and files, and no shell."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kuroshio
from kuroshio.changes.rendering import document, words
from kuroshio.release import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.plan import Plan
    from kuroshio.release.commands import Errand


INTERRUPTED = 130
# Of the ten seconds between GitHub's first signal and its last.
_GOES_WITHIN_S = 4.0
_GATE = """#!/bin/sh
exec {python} -I -c 'import sys; sys.path.insert(0, sys.argv.pop(1))
from kuroshio.actions.gate import main
sys.exit(main(sys.argv[1:]))' {package} "$@"
"""


@dataclass(frozen=True)
class Carried:
    """How the command ended, the digest of each unit that is deployed now, and those of them that were so before."""

    code: int
    digests: dict[str, str]
    equal: frozenset[str] = frozenset()


def run(errand: Errand, plan: Plan, environ: Mapping[str, str], deployed: Mapping[str, str]) -> Carried:
    """Run the command in the current folder. ``deployed`` are the digests that are recorded of its units.

    Exit code 0 means all units that it was handed, unless it wrote results. A command that cannot be started is 127, as
    in a shell. When this process is interrupted, the command is ended; the exit code is then 130, and what it wrote until
    then counts.
    """
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        files = {
            name: Path(folder) / name for name in ("units.json", "plan.json", "results.jsonl", "built.json", "gate")
        }
        units = [_unit(unit) | {"deployed": deployed.get(unit.id, "")} for unit in errand.units]
        files["units.json"].write_text(json.dumps(units, indent=2))
        files["plan.json"].write_text(document.write(plan))
        files["results.jsonl"].touch()
        files["built.json"].write_text(json.dumps({"built": {}, "equal": []}))
        package = shlex.quote(str(Path(kuroshio.__file__).parents[1]))
        files["gate"].write_text(_GATE.format(python=shlex.quote(sys.executable), package=package))
        files["gate"].chmod(0o700)
        given = {
            "KUROSHIO_COMMIT": plan.head,
            "KUROSHIO_DEPLOYED_COMMIT": plan.base,
            "KUROSHIO_KIND": errand.kind,
            "KUROSHIO_UNITS_FILE": str(files["units.json"]),
            "KUROSHIO_PLAN_FILE": str(files["plan.json"]),
            "KUROSHIO_RESULTS_FILE": str(files["results.jsonl"]),
            "KUROSHIO_BUILT_FILE": str(files["built.json"]),
            "KUROSHIO_GATE": str(files["gate"]),
        }
        code = _run(errand.command, {**environ, **given})
        said = commands.results(files["results.jsonl"].read_text(errors="replace"))
        seen = json.loads(files["built.json"].read_text())
    return _carried(errand, code, said, seen)


def _carried(errand: Errand, code: int, said: Mapping[str, str], seen: Mapping[str, Any]) -> Carried:
    """Put together what the command said and what the gate saw: an identity of ours says more than a digest in words."""
    handed = {words.encodable(unit.id): unit.id for unit in errand.units}
    equal = handed.keys() & set(seen["equal"])
    done = {name for name in handed if name in said or name in equal or (code == 0 and not said)}
    digests = {handed[name]: seen["built"].get(name) or said.get(name, "") for name in sorted(done)}
    return Carried(code, digests, frozenset(handed[name] for name in equal))


def _run(command: tuple[str, ...], environ: Mapping[str, str]) -> int:
    try:
        with subprocess.Popen(command, env=environ) as process:
            try:
                return process.wait()
            except KeyboardInterrupt:
                _end(process)
                return INTERRUPTED
    except OSError:
        return 127


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it, by force when it does not go: what it did must still be recorded before our own time is up."""
    process.terminate()
    try:
        process.wait(_GOES_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()


def _unit(unit: Any) -> dict[str, Any]:
    template, _, logical_id = words.encodable(unit.id).rpartition("#")
    names = {"id": words.encodable(unit.id), "template": template, "logical_id": logical_id}
    return names | {"kind": unit.kind, "packaging": unit.packaging, "change": unit.change}
