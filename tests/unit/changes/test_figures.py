"""A plan's figures leave in one message, once per plan, and never stand in its way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from kuroshio.changes.figures import FiguredJournal
from kuroshio.errors import KuroshioError, NotFound, ServiceUnavailable
from kuroshio.mackerel.messages import unpacked

if TYPE_CHECKING:
    from kuroshio.mackerel.points import Point

NOW = 1_790_000_040.0


@dataclass
class Request:
    plan: str = "plans/octo/shop/pr-1/a-b.json"


@dataclass
class Plan:
    units: tuple[str, ...] = ("one", "two")
    complete: bool = True


@dataclass
class Stage:
    """What was told to the journal, sent and complained about."""

    error: KuroshioError | None = None
    told: list[Any] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def planned(self, request: Any, plan: Any) -> None:
        self.told.append((request, plan))

    def timed(self, request: Any, seconds: Any) -> None:
        self.told.append((request, seconds))

    def send(self, message: str) -> None:
        if self.error:
            raise self.error
        self.sent.append(message)

    def journal(self, now: float = NOW) -> FiguredJournal:
        return FiguredJournal(self, self, "kuroshio-dev", lambda: now, self.complaints.append)

    def points(self) -> list[Point]:
        return [point for message in self.sent for point in unpacked(message, NOW).points]


def plan(**fields: Any) -> Any:
    return Plan(**fields)


def request() -> Any:
    return Request()


@pytest.mark.parametrize(("complete", "incomplete"), [(True, 0), (False, 1)])
def test_a_plan_becomes_two_points_in_one_message(complete: bool, incomplete: int) -> None:
    stage = Stage()
    stage.journal().planned(request(), plan(complete=complete))
    assert len(stage.sent) == len(stage.told) == 1
    assert [(point.service, point.name, point.value) for point in stage.points()] == [
        ("kuroshio-dev", "changes.units_planned", 2),
        ("kuroshio-dev", "changes.incomplete_plans", incomplete),
    ]


def test_the_same_plan_again_says_the_same_under_the_same_keys() -> None:
    stage = Stage()
    for now in (NOW, NOW + 90):
        stage.journal(now).planned(request(), plan())
    keys = [point.key for point in stage.points()]
    assert keys[:2] == keys[2:]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("error", [ServiceUnavailable("throttled"), NotFound("no queue")])
def test_a_queue_that_does_not_take_them_costs_the_figures_and_not_the_plan(error: KuroshioError) -> None:
    stage = Stage(error)
    stage.journal().planned(request(), plan())
    assert len(stage.told) == 1
    assert str(error) in stage.complaints[0]


def test_how_long_a_detection_took_is_told_to_the_journal_alone() -> None:
    stage, asked = Stage(), request()
    stage.journal().timed(asked, {"in_all": 1.5})
    assert (stage.told, stage.sent) == ([(asked, {"in_all": 1.5})], [])
