"""The lab's clock, on a machine whose time the test holds."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Iterator


class Machine:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_it_shows_the_machines_time_until_it_is_told_otherwise(machine: Machine) -> None:
    clock = Clock(machine=machine)
    machine.time += 5
    assert clock.now() == 1005


def test_it_runs_as_fast_as_it_is_told_stands_and_goes_on_from_where_it_stood(machine: Machine) -> None:
    clock = Clock(machine=machine)
    clock.run(60)
    machine.time += 2
    assert clock.now() == 1120
    clock.run(0)
    machine.time += 100
    assert clock.now() == 1120
    clock.run(1)
    machine.time += 1
    assert clock.now() == 1121


def test_setting_it_lets_no_time_pass_for_those_that_pause_and_advancing_does(machine: Machine) -> None:
    clock = Clock(machine=machine)
    clock.run(0)
    with paused(clock, 60.0) as ended:
        assert clock.next_waking() == 1060
        clock.set(5000)
        assert clock.next_waking() == 5060
        assert clock.everybody_is_asleep()
        clock.advance(59)
        assert not ended.is_set()
        clock.advance(1)
        assert ended.wait(10)
    assert clock.next_waking() is None
    assert clock.running() == machine.time + 60


def test_pauses_are_hurried_apart_from_the_calendar(machine: Machine) -> None:
    clock = Clock(speed=600, machine=machine)
    with paused(clock, 600.0) as ended:
        machine.time += 1
        clock.wake()
        assert ended.wait(10)
    assert clock.now() == 1001


def test_a_pause_ends_when_it_is_interrupted(machine: Machine) -> None:
    clock = Clock(machine=machine)
    clock.run(0)
    assert clock.pause(60, lambda: True) is False


def test_whoever_rests_is_awake_before_the_clock_forgets_him(machine: Machine) -> None:
    clock, seen = Clock(machine=machine), []

    @contextmanager
    def resting() -> Iterator[None]:
        seen.append(clock.next_waking())
        yield
        seen.append(clock.next_waking())

    machine.time += 1
    assert clock.pause(0, resting=resting())
    assert seen == [1001, 1001]


@contextmanager
def paused(clock: Clock, seconds: float) -> Iterator[threading.Event]:
    ended = threading.Event()

    def pause() -> None:
        clock.pause(seconds)
        ended.set()

    thread = threading.Thread(target=pause)
    thread.start()
    while clock.next_waking() is None and thread.is_alive():
        ended.wait(0.001)
    yield ended
    thread.join(10)
