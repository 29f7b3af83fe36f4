"""The user's deploy command as a process: words, environment and files, and no shell."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.changes.rendering import document, words
from kuroshio.release import commands

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.plan import Plan
    from kuroshio.release.commands import Errand


INTERRUPTED = 130
# Of the ten seconds between GitHub's first signal and its last.
_GOES_WITHIN_S = 4.0


def run(errand: Errand, plan: Plan, environ: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """Run the command in the current folder; return its exit code, and the digest of each unit that it deployed.

    Exit code 0 means all units that it was handed, unless it wrote results. A command that cannot be started is 127, as
    in a shell. When this process is interrupted, the command is ended; the exit code is then 130, and what it wrote until
    then is returned.
    """
    with tempfile.TemporaryDirectory(prefix="kuroshio-") as folder:
        files = {name: Path(folder) / name for name in ("units.json", "plan.json", "results.jsonl")}
        files["units.json"].write_text(json.dumps([_unit(unit) for unit in errand.units], indent=2))
        files["plan.json"].write_text(document.write(plan))
        files["results.jsonl"].touch()
        given = {
            "KUROSHIO_COMMIT": plan.head,
            "KUROSHIO_DEPLOYED_COMMIT": plan.base,
            "KUROSHIO_KIND": errand.kind,
            "KUROSHIO_UNITS_FILE": str(files["units.json"]),
            "KUROSHIO_PLAN_FILE": str(files["plan.json"]),
            "KUROSHIO_RESULTS_FILE": str(files["results.jsonl"]),
        }
        code = _run(errand.command, {**environ, **given})
        said = commands.results(files["results.jsonl"].read_text(errors="replace"))
    handed = {words.encodable(unit.id): unit.id for unit in errand.units}
    if code == 0 and not said:
        return code, dict.fromkeys(handed.values(), "")
    return code, {handed[name]: digest for name, digest in said.items() if name in handed}


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
