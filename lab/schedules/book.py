"""Which schedules there are and when each is due next, on the lab's calendar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lab.schedules.expressions import InvalidExpression, Recurrence, parse_rule, parse_schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lab.moto_engine.schedules import Schedule, ScheduledRule

    Held = Schedule | ScheduledRule


@dataclass(frozen=True)
class Entry:
    """One schedule with its next run; ``due`` is None while it is disabled and when it has no run any more."""

    held: Held
    recurrence: Recurrence
    due: datetime | None

    @property
    def arn(self) -> str:
        return self.held.arn


class Book:
    """Read afresh each time, because schedules come, change and go; what is remembered is when each began."""

    def __init__(self, read: Callable[[], Iterable[Held]]) -> None:
        self._read = read
        self._entries: dict[str, Entry] = {}
        self._known: set[str] = set()

    def forget(self) -> None:
        """The calendar was set: nothing that lay between is made up for, and rates count from the new date."""
        self._known = set(self._entries)
        self._entries.clear()

    def refresh(self, now: float) -> None:
        """Learn of new, changed and deleted schedules. One that is new or changed counts from now."""
        moment = datetime.fromtimestamp(now, UTC)
        before, self._entries = self._entries, {}
        for held in self._read():
            known = before.get(held.arn)
            if known is None or not _is_same(known.held, held):
                entry = _entry(held, moment, is_new=held.arn not in self._known)
            else:
                entry = replace(known, held=held)
            if entry is not None:
                self._entries[held.arn] = entry
        self._known.clear()

    def next_due(self) -> datetime | None:
        return min((entry.due for entry in self._entries.values() if entry.due), default=None)

    def take(self, now: float) -> Entry | None:
        """The entry that is due first, if it is due by now; its next run is then the one after it."""
        moment = datetime.fromtimestamp(now, UTC)
        due = sorted((entry.due, entry.arn) for entry in self._entries.values() if entry.due and entry.due <= moment)
        if not due:
            return None
        entry = self._entries[due[0][1]]
        self._entries[entry.arn] = replace(entry, due=entry.recurrence.next_after(due[0][0]))
        return entry

    def has_more(self, arn: str) -> bool:
        """Whether a run lies ahead of the schedule."""
        entry = self._entries.get(arn)
        return entry is not None and entry.due is not None

    def entries(self) -> Iterator[Entry]:
        """All of them, the disabled ones too, those that are due first in front."""
        far = datetime.max.replace(tzinfo=UTC)
        yield from sorted(self._entries.values(), key=lambda entry: (entry.due or far, entry.arn))


def _is_same(known: Held, held: Held) -> bool:
    """Whether the times are as before; a change of the target alone moves no run."""
    names = ("expression", "zone", "is_enabled", "start", "end")
    return all(getattr(known, name, None) == getattr(held, name, None) for name in names)


def _entry(held: Held, moment: datetime, *, is_new: bool) -> Entry | None:
    try:
        recurrence = recurrence_of(held, moment)
    except InvalidExpression:  # refused at the door; one that came in otherwise never runs
        return None
    # What is due at the very moment of its creation is still due: Scheduler's rates begin at once.
    since = moment - timedelta(microseconds=1) if is_new else moment
    due = recurrence.next_after(since) if held.is_enabled else None
    return Entry(held, recurrence, due)


def recurrence_of(held: Held, anchor: datetime) -> Recurrence:
    """When the schedule is due, counted from the anchor. Raises InvalidExpression."""
    from lab.moto_engine.schedules import Schedule

    if isinstance(held, Schedule):
        return Recurrence(parse_schedule(held.expression, held.zone), anchor, held.start, held.end)
    return Recurrence(parse_rule(held.expression), anchor)
