"""What is known of deployments reaches Mackerel once, however often it is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flusher
from kuroshio.release.history import Deployment
from kuroshio.release.reporting import Reporting
from lab.mackerel import Clock, FakeMackerel
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger
from tests.fakes.history import InMemoryHistory

if TYPE_CHECKING:
    from kuroshio.release.dora import Figures

BEGIN = datetime(2026, 11, 21, 3, 0, 20, tzinfo=UTC)
SERVICE = "kuroshio-dev"
RUNNING = Deployment("octo/shop#main", "4f2a9c1d0e" * 4, BEGIN, ("cart", "mail", "tax"), BEGIN - timedelta(minutes=20))
ENDED = replace(RUNNING, ended=BEGIN + timedelta(minutes=9), deployed={"cart": "", "mail": ""})


class World:
    """A history, a queue, the outbox behind it and Mackerel, all at one time."""

    def __init__(self) -> None:
        self.history = InMemoryHistory()
        self.clock = Clock(BEGIN.timestamp())
        self.mackerel = FakeMackerel(self.clock)
        self.api = InProcessApi(self.mackerel)
        self.api.call("POST", "/services", {"name": SERVICE})
        ledger = MemoryLedger()
        self.collector = Collector(ledger, self.clock)
        self.flusher = Flusher(ledger, self.api, self.clock, lambda _: 0.0, "test")
        self.sent: list[str] = []
        self.journal: list[tuple[int, int]] = []

    def send(self, message: str) -> None:
        self.sent.append(message)

    def reported(self, figures: Figures, told: int) -> None:
        self.journal.append((figures.deployments, told))

    def at(self, minutes: float) -> dict[str, Any]:
        """Report at a time, and let all that was reported arrive."""
        self.clock.stand_at((BEGIN + timedelta(minutes=minutes)).timestamp())
        told = Reporting(self.history, self, SERVICE, self, self.clock).report()
        assert self.collector.take([Delivery(str(n), text) for n, text in enumerate(self.sent)]) == []
        self.sent.clear()
        self.flusher.run()
        return told

    def total(self, name: str) -> float:
        document = self.api.call("GET", f"/services/{SERVICE}/metrics?name={name}&from=0&to=9999999999").document
        return float(sum(point["value"] for point in document.get("metrics", [])))


def test_a_deployment_is_one_span_that_ends_when_it_ends_and_its_units_count_once() -> None:
    world = World()
    world.history.keep(RUNNING)
    world.at(1)
    [span] = world.mackerel.org.annotations.values()
    assert (span["title"], span["from"], span["to"]) == (
        "octo/shop#main: 4f2a9c1d0e4f is being deployed (3 units)",
        int(BEGIN.timestamp()),
        int(BEGIN.timestamp()),
    )
    world.history.keep(ENDED)
    for minutes in (10, 15, 20, 61, 121, 600):
        world.at(minutes)
    [span] = world.mackerel.org.annotations.values()
    assert span["title"] == "octo/shop#main: 4f2a9c1d0e4f failed: 1 of 3 units left"
    assert span["to"] - span["from"] == 9 * 60
    assert (world.total("deployments.units"), world.total("deployments.failed_units")) == (2, 1)


def test_what_was_not_reported_for_most_of_a_day_is_reported_then() -> None:
    world = World()
    world.history.keep(ENDED)
    world.at(12 * 60 + 30)
    assert world.mackerel.org.annotations == {}  # only once an hour the whole day is looked at
    world.at(22 * 60)
    assert world.total("deployments.units") == 2
    assert len(world.mackerel.org.annotations) == 1


def test_the_figures_are_posted_whatever_happens_and_what_is_unknown_is_not() -> None:
    world = World()
    assert world.at(0) == {
        "told": 0,
        "deployments": 0,
        "lead_time": None,
        "change_failure_rate": None,
        "time_to_restore": None,
    }
    names = {series.name for series in world.mackerel.org.points}
    assert names == {"dora.deployments"}
    world.history.keep(replace(ENDED, deployed=dict.fromkeys(RUNNING.units, "")))
    assert world.at(10)["lead_time"] == 29 * 60
    assert world.total("dora.lead_time") == 29 * 60
    assert world.journal == [(0, 0), (1, 1)]
