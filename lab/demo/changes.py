"""Chapter "changes": pull requests from this repository's own history go through the deployed workflow."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kuroshio.changes.rendering import document
from kuroshio.cli.detect import INCOMPLETE
from kuroshio.cli.plan_table import show
from lab.demo.history import PullRequest, pull_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.plan import Plan
    from lab.demo.stage import Stage

_AREAS = ("statemachines", "template.yaml", "functions", "layers")
_REPOSITORY = "kuroshio/kuroshio"


@dataclass(frozen=True)
class Chapter:
    """Runs on a lab that is up; ``env`` is what `kuroshio lab env` prints."""

    stage: Stage
    env: Mapping[str, str]
    checkout: Path

    def run(self) -> None:
        """Deploy both stacks as a user would, then send real commit pairs through the workflow and show the plans."""
        self._deploy()
        proposals = pull_requests(self.checkout, since="template.yaml", areas=_AREAS)
        plans = [(proposal, self._plan(proposal)) for proposal in proposals]
        for proposal, plan in plans:
            self.stage.console.print(f"\n#{proposal.number} {proposal.title}", style="bold cyan", markup=False)
            show(plan, sys.stdout)

    def _deploy(self) -> None:
        sam = str(Path(sys.executable).with_name("sam"))
        deploy = (sam, "deploy", "--no-confirm-changeset", "--config-env")
        architecture = f"Architecture={self.env['KUROSHIO_ARCHITECTURE']}"
        self._run("Build the functions' image", *_kuroshio(), "image", "build", "--allow-dirty")
        self._run("Deploy the foundation", *deploy, "foundation-dev")
        self._run("Push the initial image", *_kuroshio(), "image", "push", "--initial")
        parameters = ("--parameter-overrides", "Environment=dev", "ImageUri=/kuroshio/dev/image", architecture)
        self._run("Deploy the application, on the initial image", *deploy, "dev", *parameters)
        self._run("Push the image of this commit", *_kuroshio(), "image", "push", "--allow-dirty")
        self._run("Put it in force", *_kuroshio(), "image", "deploy", "--allow-dirty")

    def _plan(self, proposal: PullRequest) -> Plan:
        name = f"Pull request {proposal.number}: {proposal.title}"
        where = ("--repo", str(self.checkout), "--repository", _REPOSITORY, "--pr", str(proposal.number))
        commits = ("--base", proposal.base, "--head", proposal.head)
        command = (*_kuroshio(), "plan", "request", *where, *commits, "--wait", "--json")
        return document.read(self._run(name, *command, accept=(0, INCOMPLETE)).encode())

    def _run(self, name: str, *command: str, accept: tuple[int, ...] = (0,)) -> str:
        return self.stage.run(name, *command, env=self.env, cwd=self.checkout, accept=accept)


def _kuroshio() -> tuple[str, ...]:
    beside = Path(sys.executable).with_name("kuroshio")
    return (str(beside) if beside.exists() else str(shutil.which("kuroshio")),)
