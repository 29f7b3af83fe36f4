"""What is due happens in order, on a clock that stands, and what wakes meanwhile is waited for."""

from __future__ import annotations

import heapq
import threading
from typing import Any

from lab.activity import Activity
from lab.clock import Clock
from lab.timekeeper import Timekeeper


class Due:
    """A source of things that are due at given times."""

    def __init__(self, clock: Clock, *times: float) -> None:
        self.times = sorted(times)
        self.clock = clock
        self.more: dict[float, float] = {}
        self.was_forgotten = False

    def refresh(self, now: float) -> None:
        pass

    def forget(self) -> None:
        self.was_forgotten = True
        self.times.clear()

    def next_due(self) -> float | None:
        return self.times[0] if self.times else None

    def take(self, now: float) -> list[Any] | None:
        if not self.times or self.times[0] > now:
            return None
        at = heapq.heappop(self.times)
        if at in self.more:
            heapq.heappush(self.times, self.more[at])
        return [(at, self.clock.now())]


def standing(now: float = 1000.0) -> Clock:
    clock = Clock(machine=lambda: now)
    clock.run(0)
    return clock


def test_what_is_due_happens_in_order_at_its_own_time_and_the_clock_ends_where_it_was_to_go() -> None:
    clock = standing()
    one, other = Due(clock, 1010, 1030, 2000), Due(clock, 1020, 1030)
    one.more[1010] = 1015

    told = Timekeeper(clock, Activity(), [one, other]).advance(100)

    assert told == {"happened": [(at, at) for at in (1010, 1015, 1020, 1030, 1030)], "restless": 0}
    assert (clock.now(), one.times) == (1100, [2000])


def test_setting_the_clock_makes_nothing_happen_and_sources_begin_anew() -> None:
    clock = standing()
    source = Due(clock, 1010)
    keeper = Timekeeper(clock, Activity(), [source])

    keeper.set(5000)

    assert (clock.now(), source.was_forgotten) == (5000, True)
    assert keeper.advance(10)["happened"] == []


def test_the_clock_waits_for_those_whose_pause_ends_and_for_the_work_that_they_then_do() -> None:
    clock, activity, dates = standing(), Activity(), []
    begun = threading.Event()

    def work() -> None:
        for seconds in (30, 0.5, 40):
            begun.set()
            clock.pause(seconds, resting=activity.rest())
            dates.append(clock.now())
        activity.end()

    activity.begin()
    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)

    told = Timekeeper(clock, activity, []).advance(60)
    assert dates == [1030, 1030.5]
    told = Timekeeper(clock, activity, []).advance(60)
    thread.join(10)

    assert (dates, told["restless"]) == ([1030, 1030.5, 1070.5], 0)


def test_work_that_does_not_end_is_told_and_does_not_hold_the_clock_for_ever() -> None:
    clock, activity = standing(), Activity()
    activity.begin()

    told = Timekeeper(clock, activity, []).advance(60, patience=0.05)

    assert (told["restless"] > 0, clock.now()) == (True, 1060)
