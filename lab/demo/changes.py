"""Chapter "changes": pull requests from this repository's own history go through the deployed workflow."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.rendering import document
from kuroshio.cli.detect import INCOMPLETE
from kuroshio.cli.plan_table import show
from lab.demo.history import PullRequest, pull_requests
from lab.demo.house import REPOSITORY, House, kuroshio

if TYPE_CHECKING:
    from kuroshio.changes.plan import Plan

_AREAS = ("statemachines", "template.yaml", "functions", "layers")


@dataclass(frozen=True)
class Chapter:
    """Runs on a lab that is up."""

    house: House

    def run(self) -> None:
        """Deploy both stacks as a user would, then send real commit pairs through the workflow and show the plans."""
        self.house.ensure()
        proposals = pull_requests(self.house.checkout, since="template.yaml", areas=_AREAS)
        plans = [(proposal, self._plan(proposal)) for proposal in proposals]
        for proposal, plan in plans:
            self.house.stage.console.print(f"\n#{proposal.number} {proposal.title}", style="bold cyan", markup=False)
            show(plan, sys.stdout)

    def _plan(self, proposal: PullRequest) -> Plan:
        name = f"Pull request {proposal.number}: {proposal.title}"
        where = ("--repo", str(self.house.checkout), "--repository", REPOSITORY, "--pr", str(proposal.number))
        commits = ("--base", proposal.base, "--head", proposal.head)
        command = (*kuroshio(), "plan", "request", *where, *commits, "--wait", "--json")
        return document.read(self.house.run(name, *command, accept=(0, INCOMPLETE)).encode())
