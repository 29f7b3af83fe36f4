"""The second gate, for the user's deploy command: ``"$KUROSHIO_GATE" BUILD_FOLDER`` or ``"$KUROSHIO_GATE" UNIT=ARTIFACT…``.

What was built as it is deployed already leaves the units that are to be deployed. The command starts it between building
and deploying; without it, everything that git flagged is deployed.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.adapters.artifacts import identify
from kuroshio.changes import identity
from kuroshio.changes.gate import second_gate
from kuroshio.changes.rendering import document, words
from kuroshio.errors import InvalidRequest, KuroshioError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.identity import Identity

_USAGE = "give a folder of builds, one per logical id as `sam build` makes them, or UNIT=ARTIFACT for each unit"


@dataclass(frozen=True)
class Recorded:
    """What the ledger says of the units' newest deployments. Implements ``changes.gate.Deployed``."""

    digests: Mapping[str, str]

    def identity(self, unit: str) -> Identity | None:
        """Return the identity that was recorded; None for a digest in the command's own words."""
        return identity.read(self.digests.get(unit, ""))


def main(arguments: list[str], environ: Mapping[str, str] = os.environ) -> int:
    """Pass the gate; an error is one line, and its exit code."""
    try:
        kept, equal = passed(arguments, environ)
    except KuroshioError as error:
        print(f"gate: {type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the command's own log
        return error.exit_code
    print(f"gate: {kept} to deploy, {equal} built as they are deployed")  # noqa: T201
    return 0


def passed(arguments: list[str], environ: Mapping[str, str]) -> tuple[int, int]:
    """Write what is left to deploy over the units' file, and what was built beside it; return how many are left and equal.

    Raises InvalidRequest for arguments that mean nothing, and what ``identify`` raises.
    """
    file = Path(environ["KUROSHIO_UNITS_FILE"])
    units: list[dict[str, Any]] = json.loads(file.read_text())
    built = {unit: identify(artifact) for unit, artifact in _artifacts(arguments, units)}
    plan = document.read(Path(environ["KUROSHIO_PLAN_FILE"]).read_bytes())
    handed = {unit["id"] for unit in units}
    plan = replace(plan, units=tuple(each for each in plan.units if words.encodable(each.id) in handed))
    seen = second_gate(plan, built, Recorded({unit["id"]: unit["deployed"] for unit in units}))
    equal = {words.encodable(each.id) for each in seen.equal}
    file.write_text(json.dumps([unit for unit in units if unit["id"] not in equal], indent=2))
    said = {"built": {unit: str(found) for unit, found in built.items()}, "equal": sorted(equal)}
    whole = Path(environ["KUROSHIO_BUILT_FILE"]).with_suffix(".new")
    whole.write_text(json.dumps(said))
    whole.replace(environ["KUROSHIO_BUILT_FILE"])
    return len(units) - len(equal), len(equal)


def _artifacts(arguments: list[str], units: list[dict[str, Any]]) -> list[tuple[str, str]]:
    if len(arguments) == 1 and Path(arguments[0]).is_dir():
        folders = [(unit["id"], Path(arguments[0], unit["logical_id"])) for unit in units if unit["logical_id"]]
        return [(unit, str(folder)) for unit, folder in folders if folder.is_dir()]
    pairs = [argument.partition("=") for argument in arguments]
    if not pairs or not all(unit and artifact for unit, _, artifact in pairs):
        raise InvalidRequest(_USAGE)
    known = {unit["id"] for unit in units}
    return [(unit, artifact) for unit, _, artifact in pairs if unit in known]
