"""The chapter "mackerel" tells the truth: it passes where nothing is lost, and fails where something is."""

from __future__ import annotations

import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from kuroshio.mackerel import state
from kuroshio.mackerel.catalogue import of_run
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.definitions import applying
from kuroshio.mackerel.definitions.comparison import compare
from kuroshio.mackerel.definitions.settings import Settings
from kuroshio.mackerel.definitions.wanted import wanted
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.metrics import Metrics
from kuroshio.release.history import Deployment
from kuroshio.release.reporting import Reporting
from lab.demo import mackerel as chapter
from lab.demo.house import SERVICE
from lab.demo.stage import Stage, StepFailed
from lab.mackerel import FakeMackerel, Rules, Served
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger
from tests.contract.demo.test_history import commit, git
from tests.fakes.history import InMemoryHistory

if TYPE_CHECKING:
    from pathlib import Path


class HouseInMemory:
    """Does what the deployed house does with the chapter's commands, without AWS: the outbox is the real one."""

    def __init__(self, checkout: Path, *, losing: str = "") -> None:
        self.checkout, self._losing = checkout, losing
        self.stage = Stage(checkout / "demo.log", Console(quiet=True))
        mackerel = FakeMackerel(rules=Rules(requests_per_minute=None))
        self.served, self._api = Served("http://nowhere", mackerel), InProcessApi(mackerel)
        self.history, self._queue, self._statuses = InMemoryHistory(), list[str](), list[str]()
        ledger = self._ledger = MemoryLedger()
        self._collector = Collector(ledger, time.time)
        self._flusher = Flusher(ledger, self._api, time.time, lambda _: 0.0, "test")
        self._numbers = itertools.count()

    def ensure(self) -> None:
        steps = compare(wanted(Settings(), SERVICE), applying.observe(self._api, SERVICE))
        applying.carry_out(self._api, steps, lambda _: None)
        self.put_in_force("first")

    def run(self, _name: str, *command: str, accept: tuple[int, ...] = (0,)) -> str:
        if "request" in command:
            for status in ("RUNNING", "SUCCEEDED"):
                with self._metrics() as metrics:
                    for figure, value in of_run("detect-changes", status, None):
                        metrics.put(figure.of("detect-changes"), value, combine=figure.combine)
            self._statuses.append("SUCCEEDED")
        if "send" in command:
            with self._metrics() as metrics:
                metrics.put("orders.shipped", 3)
        return ""

    def put_in_force(self, _name: str, *options: str, accept: tuple[int, ...] = (0,)) -> None:
        now = datetime.now(UTC)
        begun = Deployment(f"demo/{next(self._numbers)}", "a" * 40, now, ("cart", "mail"))
        self.history.keep(replace(begun, ended=now, deployed={} if options else {"cart": "", "mail": ""}))

    def invoke(self, function: str) -> dict[str, Any]:
        if function == "report-deployments":
            return Reporting(self.history, self, SERVICE, self, time.time).report()
        kept = [text for text in self._queue if not self._losing or self._losing not in text]
        self._queue.clear()
        self._collector.take([Delivery(str(n), text) for n, text in enumerate(kept)])
        self._flusher.run()
        return {}

    def quietly(self, *_: str) -> None:
        state.redrive(self._ledger)

    def deployments(self) -> list[Deployment]:
        return list(self.history.records.values())

    def output(self, _stack: str, _key: str) -> str:
        return "arn"

    def aws(self, _service: str) -> Any:
        return self

    def list_executions(self, **_: str) -> dict[str, Any]:
        return {"executions": [{"status": status} for status in self._statuses]}

    def send(self, message: str) -> None:
        self._queue.append(message)

    def reported(self, _figures: object, _told: int) -> None:
        pass

    def _metrics(self) -> Metrics:
        return Metrics(self, service=SERVICE, origin=f"demo/{next(self._numbers)}", clock=time.time)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    for subject, path in (("template", "template.yaml"), ("code", "functions/a.py"), ("layer", "layers/a.py")):
        commit(tmp_path, subject, path)
    (tmp_path / "build/demo").mkdir(parents=True)
    return tmp_path


def test_through_the_outage_everything_arrives_and_is_drawn_in_one_file_that_loads_nothing(checkout: Path) -> None:
    house = HouseInMemory(checkout)
    chapter.Chapter(house).run()  # type: ignore[arg-type]
    page = (checkout / "mackerel.html").read_text()
    statuses = {line.status for line in house.served.mackerel.received}
    assert statuses == {200, 503}
    assert "<td>executions that succeeded</td><td>2</td><td>2</td>" in page
    assert "<td>units that failed</td><td>2</td><td>2</td>" in page
    assert "<td>deployments on the graphs</td><td>3</td><td>3</td>" in page
    assert page.count("Mackerel is down</text>") >= 4
    assert [word for word in ("http://", "https://", "<script", "@import", "url(") if word in page] == []


@pytest.mark.parametrize("losing", ["orders.shipped", "runs.detect-changes.succeeded", "failed_units"])
def test_where_a_figure_is_lost_the_chapter_fails_and_says_which(checkout: Path, losing: str) -> None:
    house = HouseInMemory(checkout, losing=losing)
    with pytest.raises(StepFailed, match="Mackerel does not hold what happened"):
        chapter.Chapter(house, patience_s=0.0).run()  # type: ignore[arg-type]
