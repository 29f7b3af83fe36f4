"""Reading ``tasks.yaml``. Everything that is wrong is told at once, each with file, line, column and what was expected.

A task that is wrong is refused alone, and the others go on. What is wrong outside of the tasks stops them all: a freeze
that cannot be read may be the one that was to hold today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import yaml

from kuroshio.changes.places import Place, read
from kuroshio.tasks.declaration import dependencies, fields, timing
from kuroshio.tasks.declaration.entry import KEYS, Defaults, Entry, notifies, task
from kuroshio.tasks.declaration.fields import Problems
from kuroshio.tasks.declaration.model import Declaration

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.errors import SettingsInvalid
    from kuroshio.tasks.declaration.model import Task
    from kuroshio.tasks.declaration.running import Scripts

FILE = "tasks.yaml"
SCHEMA = "kuroshio.tasks/1"
_NAME = re.compile(r"[a-z][a-z0-9-]{2,49}")
_SHOWN = 50


def parse(content: bytes, file: str = FILE, *, now: datetime, scripts: Scripts | None = None) -> Declaration:
    """Read the file as it is to be understood at ``now``. ``scripts``: gives a script's content by its path, None for none.

    Raises SettingsInvalid where it is no YAML at all.
    """
    place = read(content, file, [])
    problems = Problems()
    top = problems.keys(place, ("schema", "zone", "notify", "freezes", "tasks"), required=("tasks",))
    if not isinstance(place.node, yaml.MappingNode):
        problems.read(place, Place.pairs, ())
        return Declaration(file, problems=tuple({str(each): each for each in problems.found}.values()))
    _refuse_repeated(place, top, problems)
    problems.read(top.get("schema"), lambda value: value.one_of(SCHEMA), SCHEMA)
    defaults = Defaults(
        # Of a zone that is wrong the tasks are not accused as well; none of them goes on.
        problems.read(top.get("zone"), timing.zone, "UTC" if "zone" in top else ""),
        timing.freezes(top["freezes"], problems) if "freezes" in top else (),
        notifies(top["notify"], problems) if "notify" in top else False,
    )
    entries = list(problems.read(top.get("tasks"), Place.pairs, ()))
    if len(entries) > fields.MOST_TASKS:
        problems.refuse(top["tasks"], f"at most {fields.MOST_TASKS:,} tasks, not {len(entries):,}")
        entries = []
    reading = _Reading(defaults, now, scripts, {}, {}, {})
    for key, value in entries:
        reading.take(key, value)
    return reading.declaration(file, problems)


def _refuse_repeated(place: Place, top: dict[str, Place], problems: Problems) -> None:
    """Of a key that stands twice nobody knows which one is meant."""
    own = [value.node for name, value in top.items() if name != "tasks"]
    for key in [*fields.twice(place.node), *(key for node in own for key in fields.repeated(node))]:
        problems.refuse(Place(place.file, "the key", key, key.value), "each key of a mapping once")


@dataclass
class _Reading:
    """The tasks so far: their fields' places, what was made of them, and what is wrong with them."""

    defaults: Defaults
    now: datetime
    scripts: Scripts | None
    places: dict[str, dict[str, Place]]
    tasks: dict[str, Task]
    refused: dict[str, list[SettingsInvalid]]

    def take(self, key: Place, value: Place) -> None:
        name = str(key.value)
        problems = Problems()
        if name in self.places:
            # The value of the first is not to be had any more, and which of the two is meant nobody knows.
            problems.refuse(Place(key.file, "the key", key.node, name), "each task once")
            self.tasks.pop(name, None)
        elif not _NAME.fullmatch(name):
            problems.refuse(
                Place(key.file, "the name of a task", key.node, name),
                "3 to 50 small letters, digits and hyphens, a letter first",
            )
        for each in fields.repeated(value.node):
            problems.refuse(Place(key.file, "the key", each, each.value), "each key of a mapping once")
        given = self.places[name] = problems.keys(value, KEYS, required=("run",))
        found = task(Entry(name, value, given), self.defaults, problems, self.now, self.scripts)
        if found and not problems.found and name not in self.refused:
            self.tasks[name] = replace(found, line=key.line)
        else:
            self.refused.setdefault(name[:_SHOWN], []).extend(problems.found)

    def declaration(self, file: str, problems: Problems) -> Declaration:
        settled = dependencies.settle(self.tasks, self.places, self.refused, self.now)
        tasks = () if problems.found else settled
        refused = {name: tuple(found) for name, found in self.refused.items()}
        return Declaration(file, tasks, tuple(problems.found), refused, dependencies.warnings(tasks, self.now))
