"""Chapter "changes": pull requests from this repository's own history go through the deployed workflow."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from lab.demo.history import PullRequest, pull_requests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.demo.stage import Stage

_REPOSITORY = "kuroshio/kuroshio"
_REASONS_SHOWN = 3
_EXIT_INCOMPLETE = 3


@dataclass(frozen=True)
class Chapter:
    """Runs on a lab that is up; ``env`` is what `kuroshio lab env` prints."""

    stage: Stage
    env: Mapping[str, str]
    checkout: Path

    def run(self) -> None:
        """Deploy both stacks as a user would, then send real commit pairs through the workflow and show the plans."""
        self._deploy()
        proposals = pull_requests(self.checkout, since="template.yaml")
        plans = [(proposal, self._plan(proposal)) for proposal in proposals]
        self.stage.console.print()
        for proposal, plan in plans:
            self.stage.console.print(table(proposal, plan))

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

    def _plan(self, proposal: PullRequest) -> dict[str, Any]:
        name = f"Pull request {proposal.number}: {proposal.title}"
        where = ("--repo", str(self.checkout), "--repository", _REPOSITORY, "--pr", str(proposal.number))
        commits = ("--base", proposal.base, "--head", proposal.head)
        command = (*_kuroshio(), "plan", "request", *where, *commits, "--wait", "--json")
        shown = self._run(name, *command, accept=(0, _EXIT_INCOMPLETE))
        plan: dict[str, Any] = json.loads(shown)
        return plan

    def _run(self, name: str, *command: str, accept: tuple[int, ...] = (0,)) -> str:
        return self.stage.run(name, *command, env=self.env, cwd=self.checkout, accept=accept)


def table(proposal: PullRequest, plan: Mapping[str, Any]) -> Table:
    """One plan as people read it: what moves, how, and why."""
    complete = "" if plan["complete"] else "  [yellow]incomplete[/]"
    drawn = Table(title=f"#{proposal.number} {proposal.title}{complete}", title_justify="left", expand=True)
    for column, ratio in (("unit", 3), ("kind", 1), ("change", 1), ("why", 5)):
        drawn.add_column(column, ratio=ratio, overflow="fold")
    for unit in plan["units"]:
        drawn.add_row(unit["id"], unit["kind"], unit["change"], why(unit["reasons"]))
    if not plan["units"]:
        drawn.add_row("[dim]nothing to deploy[/]", "", "", _elsewhere(plan))
    return drawn


def why(reasons: list[Mapping[str, Any]]) -> str:
    """The first reasons, and how many more there are."""
    shown = [f"{reason['cause']}: {reason['path']}" for reason in reasons[:_REASONS_SHOWN]]
    more = len(reasons) - len(shown)
    return "\n".join([*shown, f"and {more} more"] if more else shown)


def _elsewhere(plan: Mapping[str, Any]) -> str:
    counted = {name: len(plan[name]) for name in ("infrastructure", "ignored", "unclassified")}
    return ", ".join(f"{count} {name}" for name, count in counted.items() if count) or "no path differs"


def _kuroshio() -> tuple[str, ...]:
    beside = Path(sys.executable).with_name("kuroshio")
    return (str(beside) if beside.exists() else str(shutil.which("kuroshio")),)
