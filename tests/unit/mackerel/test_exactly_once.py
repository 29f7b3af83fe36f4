"""Each event is counted exactly once in what Mackerel finally holds, or listed as lost; whatever happens on the way."""

from __future__ import annotations

import pytest

from kuroshio.mackerel import places
from kuroshio.mackerel.settle import LOST
from tests.unit.mackerel.storm import POISON, World, outcome

CASES, PORTIONS = 2_000, 20


def judge(seed: int) -> None:
    world = World(seed)
    world.live(steps=30)
    world.calm_down()
    fates, wrong = outcome(world)
    assert wrong == [], f"seed {seed}"
    events = {key: fate for key, fate in fates.items() if key in world.sent}
    assert set(events) == set(world.sent), f"seed {seed}: events that nobody knows the fate of"
    poisoned = {key for key, point in world.sent.items() if point.name == POISON}
    assert {key for key, fate in events.items() if fate == "parked"} <= poisoned, f"seed {seed}"
    assert not {key for key in poisoned if events[key] == "stored"}, f"seed {seed}"
    assert _reported(world) == sum(fate == "lost" for fate in fates.values()), (
        f"seed {seed}: losses are not all reported"
    )
    assert not world.mackerel.org.dropped, f"seed {seed}: Mackerel dropped something in silence"


def _reported(world: World) -> float:
    """The lost events that the metric of losses tells of; that of lost reports is another one."""
    cells = world.ledger.scan("mackerel#cells#kuroshio", 100_000)
    told = [record for record in cells if places.name_of(record.key.sk) == LOST]
    return sum(value for record in told for _, value, _ in record.body["contributions"])


@pytest.mark.search
@pytest.mark.parametrize("portion", range(PORTIONS))
def test_each_event_is_counted_once_or_listed_as_lost(portion: int) -> None:
    for seed in range(portion, CASES, PORTIONS):
        judge(seed)


@pytest.mark.soak
@pytest.mark.parametrize("portion", range(100))
def test_the_same_holds_in_a_hundred_thousand_worlds(portion: int) -> None:
    for seed in range(CASES + portion, CASES + 100_000, 100):
        judge(seed)
