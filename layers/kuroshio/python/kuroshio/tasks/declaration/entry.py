"""One task of the file: its fields, each by itself, and then what they must not be together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from kuroshio.tasks.declaration import fields, running, timing
from kuroshio.tasks.declaration.model import Carrier, Overlap, Task, Timeouts

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.changes.places import Place
    from kuroshio.tasks.calendar.freezes import Freeze
    from kuroshio.tasks.declaration.fields import Problems
    from kuroshio.tasks.declaration.running import Scripts

KEYS = (
    *("run", "on", "at", "zone", "window", "by", "after", "concurrency", "errors", "timeout", "retry", "overlap"),
    *("catch_up", "grace", "downtime", "freezes", "notify", "enabled"),
)
_RATE_OF = r"[1-9][0-9]{0,6}|[1-9][0-9]?%|100%"
_concurrency = fields.matching(_RATE_OF, "how many instances at a time: a number from 1, or a percentage such as 25%")
_errors = fields.matching(
    rf"0|0%|{_RATE_OF}", "how many errors are borne: a number from 0, or a percentage such as 10%"
)
_delivery = fields.whole(30, 2_592_000, " of seconds")
# Out of these bounds the agent takes 3,600, and says so nowhere but in its own log.
_execution = fields.whole(5, 172_800, " of seconds")
_times = fields.whole(1, 10)
_grace = fields.span(timedelta(minutes=1), timedelta(days=1), "a time from 1m to 1d, such as 15m or 2h")
_monitor = fields.matching(r"[A-Za-z0-9]{5,40}", "the id of a monitor of Mackerel")
_name = fields.matching(r"[a-z][a-z0-9-]{2,49}", "the name of a task")


@dataclass(frozen=True)
class Defaults:
    """What the file says for all tasks."""

    zone: str = ""
    freezes: tuple[Freeze, ...] = ()
    tells_mackerel: bool = False


@dataclass(frozen=True)
class Entry:
    """A task's name, its mapping, and what stands in it."""

    name: str
    place: Place
    given: dict[str, Place]


def task(entry: Entry, defaults: Defaults, problems: Problems, now: datetime, scripts: Scripts | None) -> Task | None:
    """The task, which is worth nothing where there are ``problems``. Its carrier is the one that it asks for, or none."""
    place, given = entry.place, entry.given
    zone = problems.read(given.get("zone"), timing.zone, "") or defaults.zone
    if not zone and given and "zone" not in given:
        problems.refuse(place, "a mapping with the key zone, or a zone for the whole file")
    kind, run = running.run(given["run"], problems, scripts) if "run" in given else ("", None)
    if given and "at" not in given and "after" not in given:
        problems.refuse(place, "a mapping with the key at, or after")
    if kind:
        _judge_kind(kind, place, given, problems)
    on = running.targets(given["on"], problems) if "on" in given else None
    if on and on.once and kind not in ("", *running.COMMANDS):
        problems.refuse(given["on"], f"no once: it chooses the instance of a command, and {kind} runs on none")
    at = timing.at(given["at"], zone, problems, now) if "at" in given else None
    window = timing.window(given["window"], problems) if "window" in given else None
    timeout = _timeouts(given["timeout"], problems) if "timeout" in given else Timeouts()
    retries = _retries(given["retry"], problems) if "retry" in given else 0
    own = given.get("freezes")
    frozen = timing.freezes(own, problems) if own else defaults.freezes
    tells = notifies(given["notify"], problems) if "notify" in given else defaults.tells_mackerel
    by = problems.read(given.get("by"), lambda value: value.one_of(*(each.value for each in Carrier)), "")
    read = problems.read
    if run is None:
        return None
    return Task(
        entry.name,
        run,
        zone,
        on,
        at,
        window,
        read(given.get("after"), fields.texts(_name, "a list of tasks"), ()),
        read(given.get("concurrency"), _concurrency, "1"),
        read(given.get("errors"), _errors, "0"),
        timeout,
        retries,
        Overlap(read(given.get("overlap"), lambda value: value.one_of(*(each.value for each in Overlap)), "skip")),
        read(given.get("catch_up"), lambda value: value.one_of("off", "once"), "off") == "once",
        read(given.get("grace"), _grace, timedelta(minutes=15)),
        read(given.get("downtime"), fields.texts(_monitor, "a list of monitors' ids"), ()),
        frozen,
        tells,
        read(given.get("enabled"), lambda value: value.flag(), default=True),
        carrier=Carrier(by or Carrier.SCHEDULER),
    )


def _judge_kind(kind: str, place: Place, given: dict[str, Place], problems: Problems) -> None:
    """What goes together with a kind of run, and what does not."""
    is_command = kind in running.COMMANDS
    if is_command and "on" not in given:
        problems.refuse(place, f"a mapping with the key on: {kind} runs on instances")
    if "on" not in given and not is_command:
        for name in ("concurrency", "errors"):
            if name in given:
                problems.refuse(given[name], f"no {name} without on: AWS refuses it where there is nothing to count")
    timeout = given.get("timeout")
    if not is_command and timeout and isinstance(timeout.value, dict) and "delivery" in timeout.value:
        problems.refuse(timeout, f"no delivery: {kind} is delivered to no instance")


def _timeouts(place: Place, problems: Problems) -> Timeouts:
    given = problems.keys(place, ("delivery", "execution"))
    return Timeouts(
        problems.read(given.get("delivery"), _delivery, 600), problems.read(given.get("execution"), _execution, None)
    )


def _retries(place: Place, problems: Problems) -> int:
    """Who repeats has to say that it does no harm."""
    given = problems.keys(place, ("idempotent", "times"), required=("idempotent",))
    if "idempotent" in given and not problems.read(given["idempotent"], lambda value: value.flag(), default=True):
        problems.refuse(given["idempotent"], "true: only what may run twice without harm is repeated")
    return problems.read(given.get("times"), _times, 1)


def notifies(place: Place, problems: Problems) -> bool:
    """Whether Mackerel is told."""
    given = problems.keys(place, ("mackerel",))
    return problems.read(given.get("mackerel"), lambda value: value.flag(), default=False)
