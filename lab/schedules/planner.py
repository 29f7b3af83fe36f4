"""All that is due by the calendar: rules with a schedule, schedules of EventBridge Scheduler, and what these still owe."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.moto_engine.schedules import Schedule, ScheduledRule, scheduled_rules, schedules
from lab.place import ACCOUNT
from lab.schedules.book import Book, Entry
from lab.schedules.delivery import Deliveries, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.clients import Clients
    from lab.eventbus import EventBus


class Planner:
    """A source of due things for the timekeeper, and the one place that knows what is planned."""

    def __init__(self, clients: Clients, bus: EventBus, deliveries: Deliveries) -> None:
        self._clients = clients
        self._bus = bus
        self._deliveries = deliveries
        self._book = Book(_read)

    def refresh(self, now: float) -> None:
        self._book.refresh(now)
        self._end_of_life()

    def forget(self) -> None:
        self._book.forget()

    def next_due(self) -> float | None:
        due = self._book.next_due()
        times = [due.timestamp() if due else None, self._deliveries.next_due()]
        return min((at for at in times if at is not None), default=None)

    def take(self, now: float) -> list[Outcome] | None:
        """Do the first thing that is due by now, and tell it; None where nothing is due."""
        due = self._book.next_due()
        owed = self._deliveries.next_due()
        if due is not None and due.timestamp() <= now and (owed is None or due.timestamp() <= owed):
            return self._begin(self._book.take(now), due)
        outcome = self._deliveries.take(now)
        if outcome is None:
            return None
        return [outcome]

    def planned(self) -> Iterator[Entry]:
        return self._book.entries()

    def _begin(self, entry: Entry | None, due: datetime) -> list[Outcome]:
        if entry is None:
            return []
        if isinstance(entry.held, Schedule):
            self._deliveries.plan(entry.held, due)
            return []
        event = scheduled_event(entry.held, due)
        self._bus.deliver(entry.held.rule, event)
        targets = [str(target["Arn"]) for target in entry.held.rule.targets]
        return [Outcome(due, entry.arn, target, due, 1) for target in targets]

    def _end_of_life(self) -> None:
        """Delete what is to be deleted after its last run, once that run and its retries are over."""
        for entry in list(self._book.entries()):
            held = entry.held
            if not isinstance(held, Schedule) or not held.deletes_itself or not held.is_enabled:
                continue
            if entry.due is None and not self._deliveries.is_pending(held.arn):
                scheduler = self._clients.internal("scheduler", held.arn.split(":")[3])
                try:
                    scheduler.delete_schedule(Name=held.name, GroupName=held.group)
                except ClientError:  # somebody else was faster
                    continue


def scheduled_event(rule: ScheduledRule, due: datetime) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html"""
    return {
        "version": "0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{rule.arn} {due.isoformat()}")),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": f"{due.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": rule.arn.split(":")[3],
        "resources": [rule.arn],
        "detail": {},
    }


def _read() -> Iterator[Schedule | ScheduledRule]:
    yield from scheduled_rules(ACCOUNT)
    yield from schedules(ACCOUNT)


def as_dict(entry: Entry, now: float, runs: int) -> dict[str, Any]:
    """A schedule with its next runs, for people."""
    held, moment = entry.held, datetime.fromtimestamp(now, UTC)
    upcoming = entry.recurrence.upcoming(moment, runs) if held.is_enabled else []
    zone = held.zone if isinstance(held, Schedule) else "UTC"
    targets = [held.target] if isinstance(held, Schedule) else held.rule.targets
    return {
        "arn": held.arn,
        "expression": held.expression,
        "zone": zone,
        "enabled": held.is_enabled,
        "targets": [str(target["Arn"]) for target in targets],
        "next": [f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in upcoming],
    }


def to_json(outcome: Any) -> dict[str, Any]:
    """What happened, a dataclass, with its dates as text."""
    return json.loads(json.dumps(outcome.__dict__, default=lambda moment: f"{moment:%Y-%m-%dT%H:%M:%SZ}"))  # type: ignore[no-any-return]
