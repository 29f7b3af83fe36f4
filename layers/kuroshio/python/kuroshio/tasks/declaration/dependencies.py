"""What tasks are to each other, and what follows from it: who waits for whom, and who begins the runs of each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kuroshio.tasks.calendar.coming import doubtful
from kuroshio.tasks.declaration.carriers import against_a_window, choose
from kuroshio.tasks.declaration.model import Carrier, Warned

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from kuroshio.changes.places import Place
    from kuroshio.errors import SettingsInvalid
    from kuroshio.tasks.declaration.model import Task

Places = dict[str, dict[str, "Place"]]  # of each task's fields
Refused = dict[str, list["SettingsInvalid"]]


def settle(tasks: dict[str, Task], places: Places, refused: Refused, now: datetime) -> tuple[Task, ...]:
    """The tasks that go on, with their carriers. What cannot go on joins the ``refused``.

    One that waits for a refused task goes on: that task is as it was before, until somebody mends its entry.
    """
    for name, error in [*_unknown(places), *_circles(tasks, places)]:
        refused.setdefault(name, []).append(error)
    awaited = {name for task in tasks.values() for name in task.after}
    found = []
    for name, task in tasks.items():
        if name not in refused:
            settled = _carried(task, places[name], refused, now, is_awaited=name in awaited)
            found += [settled] if settled else []
    return tuple(found)


def _unknown(places: Places) -> Iterator[tuple[str, SettingsInvalid]]:
    """Of every task, also of one that is refused for something else."""
    for name, given in places.items():
        others = given["after"].value if "after" in given else None
        for at, other in enumerate(others if isinstance(others, list) else []):
            if isinstance(other, str) and other not in places:
                yield name, given["after"].items("")[at].refused("the name of a task of this file")


def _circles(tasks: Mapping[str, Task], places: Places) -> Iterator[tuple[str, SettingsInvalid]]:
    """Take away what waits for nothing that is left, again and again: what stays is in a circle, or waits for one."""
    waiting = {name: {other for other in task.after if other in tasks} for name, task in tasks.items()}
    while free := {name for name, others in waiting.items() if not others}:
        waiting = {name: others - free for name, others in waiting.items() if name not in free}
    # And what waits for a circle without being in it is right in itself: take away what nobody in it waits for.
    while loose := waiting.keys() - {other for others in waiting.values() for other in others}:
        waiting = {name: others for name, others in waiting.items() if name not in loose}
    for name in waiting:
        circle = ", ".join(sorted(waiting))
        yield name, places[name]["after"].refused(f"no circle: of {circle} each waits for another")


def _carried(
    task: Task, places: Mapping[str, Place], refused: Refused, now: datetime, *, is_awaited: bool
) -> Task | None:
    is_doubtful = bool(task.at and doubtful(task.at.schedule(now), now))
    if "by" not in places:
        carrier, because = choose(task, now, is_awaited=is_awaited, is_doubtful=is_doubtful)
        return replace(task, carrier=carrier, because=because)
    obstacles = against_a_window(task, now, is_awaited=is_awaited, is_doubtful=is_doubtful)
    if task.carrier is Carrier.WINDOW and obstacles:
        refused[task.name] = [places["by"].refused(f"scheduler, because {'; '.join(obstacles)}")]
        return None
    return replace(task, because="the file says so")


def warnings(tasks: tuple[Task, ...], now: datetime) -> tuple[Warned, ...]:
    """What is right and may surprise."""
    return tuple(Warned(task.name, task.line, text) for task in tasks for text in _warnings(task, now))


def _warnings(task: Task, now: datetime) -> Iterator[str]:
    if task.at:
        for each in doubtful(task.at.schedule(now), now):
            yield f"at {each.wall:%Y-%m-%d %H:%M} in {task.at.zone} {each.note}"
