"""Chapter "mackerel": what the whole demo published, through an outage in the middle, drawn into a report."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from kuroshio.cli.detect import INCOMPLETE
from lab.demo.history import pull_requests
from lab.demo.house import APPLICATION, REPOSITORY, SERVICE, House, kuroshio
from lab.demo.stage import StepFailed
from lab.mackerel import FakeMackerel, Fault
from lab.mackerel.page import drawn
from lab.mackerel.plot import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

_AREAS = ("functions", "layers")
_FIRST_NUMBER = 101  # other pull requests than those of the chapter "changes"
_SHIPPED = 3.0

Tally = dict[str, tuple[float, float]]
"""By what happened: how often it did, and how often Mackerel says so."""


@dataclass(frozen=True)
class Chapter:
    """Runs after the others, on the same lab."""

    house: House
    patience_s: float = 240.0

    def run(self) -> None:
        """Let Mackerel fail while work goes on, bring it back, compare what it holds with what happened, and draw it."""
        self.house.ensure()
        self._arrive("What happened so far arrives in Mackerel", shipped=0.0)
        outage = self._outage()
        tally = self._arrive("Mackerel is back: everything that waited arrives", shipped=_SHIPPED)
        stage, mackerel = self.house.stage, self.house.served.mackerel
        for name, (happened, held) in tally.items():
            stage.console.print(f"  {name}: {happened:g} happened, {held:g} in Mackerel", highlight=False)
        report = self.house.stage.log.with_name("mackerel.html")
        page = drawn(mackerel.org, mackerel.received, story=story(tally, outage), outages=[outage])
        report.write_text(page, encoding="utf-8")
        stage.console.print("Nothing is lost. The graphs of the whole demo are in one file:")
        stage.console.print(str(report), style="dim", highlight=False)

    def _outage(self) -> Span:
        """Work while every request to Mackerel is answered with 503; returns when that was."""
        house, mackerel, began = self.house, self.house.served.mackerel, time.time()
        mackerel.faults.add(Fault("status", status=503))
        proposals = pull_requests(house.checkout, since="template.yaml", areas=_AREAS)[:2]
        for number, proposal in enumerate(proposals, start=_FIRST_NUMBER):
            where = ("--repo", str(house.checkout), "--repository", REPOSITORY, "--pr", str(number))
            commits = ("--base", proposal.base, "--head", proposal.head, "--wait", "--json")
            title = f"Mackerel is down: plan pull request {number}"
            house.run(title, *kuroshio(), "plan", "request", *where, *commits, accept=(0, INCOMPLETE))
        house.put_in_force("Mackerel is down: a deployment fails", "--tag", "0000000", accept=(1,))
        house.put_in_force("Mackerel is down: the next one succeeds")
        send = (*kuroshio(), "mackerel", "send", f"orders.shipped={_SHIPPED:g}")
        house.run("Mackerel is down: a script sends a figure", *send)
        with house.stage.step("The flusher tries, and is refused"):
            house.invoke("report-deployments")
            self._flush()
        said = house.run("What waits, and why", *kuroshio(), "mackerel", "status")
        house.stage.console.print(said, markup=False, highlight=False)
        mackerel.faults.clear()
        return Span("Mackerel answers 503", began, time.time(), "Mackerel is down", "#d0312d", is_ground=True)

    def _arrive(self, name: str, *, shipped: float) -> Tally:
        """Report and flush until Mackerel holds what happened, or for some minutes. Raises StepFailed where it does not."""
        with self.house.stage.step(name):
            self.house.invoke("report-deployments")
            deadline = time.monotonic() + self.patience_s
            while True:
                self._flush()
                tally = self._tally(shipped)
                if all(happened == held for happened, held in tally.values()):
                    return tally
                if time.monotonic() > deadline:
                    raise StepFailed(f"Mackerel does not hold what happened after {self.patience_s:.0f} s: {tally}")
                time.sleep(2)

    def _flush(self) -> None:
        """A turn in every lane, at once: the schedule would give one a minute."""
        self.house.quietly(*kuroshio(), "mackerel", "redrive", "--yes")
        self.house.invoke("flush-metrics")

    def _tally(self, shipped: float) -> Tally:
        mackerel, runs = self.house.served.mackerel, self._runs()
        deployments = self.house.deployments()
        spans = sum(entry["service"] == SERVICE for entry in mackerel.org.annotations.values())
        return {
            "executions begun": (runs.total(), held(mackerel, "runs.detect-changes.started")),
            "executions that succeeded": (runs["SUCCEEDED"], held(mackerel, "runs.detect-changes.succeeded")),
            "units deployed": (sum(len(d.deployed) for d in deployments), held(mackerel, "deployments.units")),
            "units that failed": (sum(len(d.left) for d in deployments), held(mackerel, "deployments.failed_units")),
            "deployments on the graphs": (len(deployments), spans),
            "orders shipped": (shipped, held(mackerel, "orders.shipped")),
            "points lost": (0, held(mackerel, "kuroshio.outbox.lost")),
        }

    def _runs(self) -> Counter[str]:
        sfn = self.house.aws("stepfunctions")
        machine = self.house.output(APPLICATION, "DetectChangesWorkflowArn")
        return Counter(each["status"] for each in sfn.list_executions(stateMachineArn=machine)["executions"])


def held(mackerel: FakeMackerel, name: str) -> float:
    """The sum of a metric's points in Mackerel."""
    found = [values for series, values in mackerel.org.points.items() if (series.owner, series.name) == (SERVICE, name)]
    return sum(value for values in found for value in list(values.values()))


def story(tally: Mapping[str, tuple[float, float]], outage: Span) -> str:
    """What the report says before its graphs, as HTML."""
    seconds = outage.last - outage.first
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{happened:g}</td><td>{there:g}</td></tr>"
        for name, (happened, there) in tally.items()
    )
    return (
        f"<p>For {seconds:.0f} seconds in the middle of the demo Mackerel answered every request with 503; the graphs show when. "
        "Work went on, and what it said waited in the ledger. Mackerel keeps a point for each minute; it stands at the minute's beginning.</p>"
        f"<h2>What happened, and what Mackerel holds</h2><table><tr><th></th><th>happened</th><th>in Mackerel</th></tr>{rows}</table>"
    )
