"""Was each recorded call allowed to the role that made it?"""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kuroshio.errors import ConfigurationMissing
from lab.actions import actions_of
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.permissions.roles import Role
    from lab.recorder import Record

_CHECKOUT = Path(__file__).parent.parent.parent
_LOCK = _CHECKOUT / "requirements" / "tools" / "iam-simulate"
# Calls that need no permission at all: the STS call that everybody may make.
_FREE = {"sts:GetCallerIdentity"}


@dataclass(frozen=True, order=True)
class Need:
    """What a role did, in IAM's words."""

    role: str  # ARN
    action: str
    resource: str
    tags: tuple[tuple[str, str], ...] = ()  # of the resource


@dataclass(frozen=True)
class Verdict:
    """``decision`` is Allowed, ExplicitlyDenied, ImplicitlyDenied, or what the simulator could not read."""

    need: Need
    decision: str

    @property
    def is_allowed(self) -> bool:
        return self.decision == "Allowed"


def needs_of(records: Iterable[Record]) -> list[Need]:
    """What the recorded calls of roles needed, each once. The operator's and the lab's own calls are not judged.

    A call that a fault answered never reached the service, and needed its permission all the same.
    """
    needs = {
        Need(record.caller, action, record.resource, tuple(sorted(record.tags.items())))
        for record in records
        if record.caller.startswith("arn:")
        for action in actions_of(record.service, record.operation)
        if record.operation and action not in _FREE
    }
    return sorted(needs)


def judge(needs: Iterable[Need], roles: Iterable[Role]) -> list[Verdict]:
    """The simulator's verdict on each need; a role that is gone allows nothing."""
    by_arn = {role.arn: role for role in roles}
    wanted = list(needs)
    questions = [_question(need, by_arn.get(need.role)) for need in wanted]
    return [Verdict(need, decision) for need, decision in zip(wanted, _simulate(questions), strict=True)]


def _question(need: Need, role: Role | None) -> dict[str, Any]:
    policies = role.policies if role else {}
    return {
        "role": need.role,
        "action": need.action,
        "resource": need.resource,
        "account": ACCOUNT,
        "policies": [{"name": name, "policy": document} for name, document in policies.items()],
        "context": {"aws:SecureTransport": "true", **{f"aws:ResourceTag/{key}": value for key, value in need.tags}},
    }


def _simulate(questions: list[dict[str, Any]]) -> list[str]:
    home = _installed()
    done = subprocess.run(
        ["node", str(home / "judge.mjs")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigurationMissing(f"iam-simulate failed: {done.stderr.strip()[-500:]}")
    return list(json.loads(done.stdout))


def _installed() -> Path:
    """The simulator's folder, installed by npm from our lock on the first use."""
    home = _CHECKOUT / "build" / "tools" / "iam-simulate"
    home.mkdir(parents=True, exist_ok=True)
    lock = home / "package-lock.json"
    wanted = (_LOCK / "package-lock.json").read_bytes()
    if not lock.exists() or lock.read_bytes() != wanted or not (home / "node_modules").exists():
        _install(home)
    shutil.copy(Path(__file__).parent / "judge.mjs", home / "judge.mjs")
    return home


def _install(home: Path) -> None:
    if shutil.which("npm") is None:
        raise ConfigurationMissing("judging permissions needs Node.js with npm (https://nodejs.org); install it")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LOCK / name, home / name)
    npm = ["npm", "ci", "--silent", "--ignore-scripts", "--prefix", str(home)]
    done = subprocess.run(npm, capture_output=True, text=True, check=False)
    if done.returncode:
        (home / "package-lock.json").unlink()
        raise ConfigurationMissing(f"npm could not install iam-simulate: {done.stderr.strip()[-500:]}")
