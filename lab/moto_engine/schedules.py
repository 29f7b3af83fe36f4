"""What EventBridge and its Scheduler hold of schedules. moto keeps them and looks at no clock."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.events.models import events_backends
from moto.scheduler.models import Schedule as MotoSchedule
from moto.scheduler.models import scheduler_backends
from moto.scheduler.responses import EventBridgeSchedulerResponse

from lab.moto_engine.hooks import Rule
from lab.moto_engine.patching import replace, wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True)
class ScheduledRule:
    """A rule of EventBridge with a schedule expression."""

    rule: Rule
    expression: str
    is_enabled: bool

    @property
    def arn(self) -> str:
        return self.rule.arn


@dataclass(frozen=True)
class Schedule:
    """A schedule of EventBridge Scheduler, with its defaults filled in; ``window_s`` is 0 where it is not flexible."""

    arn: str
    name: str
    group: str
    expression: str
    zone: str
    is_enabled: bool
    start: datetime | None
    end: datetime | None
    window_s: int
    target: dict[str, Any]
    deletes_itself: bool


def patch() -> None:
    # The lab judges start dates by its own clock (lab/schedules/refusals.py).
    replace(MotoSchedule, "_validate_start_date", lambda _self, start_date: start_date)
    wrap(EventBridgeSchedulerResponse, "update_schedule", _update_schedule)


def _update_schedule(original: Callable[[Any], str]) -> Callable[[Any], str]:
    """UpdateSchedule replaces all of it: moto forgets one part and leaves others empty."""

    def update(self: Any) -> str:
        answer = original(self)
        name = self.uri.split("?")[0].split("/")[-1]
        schedule = self.scheduler_backend.get_schedule(self._get_param("GroupName"), name)
        schedule.action_after_completion = self._get_param("ActionAfterCompletion")
        schedule.state = schedule.state or "ENABLED"
        return answer

    return update


def scheduled_rules(account: str) -> Iterator[ScheduledRule]:
    """The rules with a schedule expression, of every region."""
    for backend in list(events_backends[account].values()):
        for bus in list(backend.event_buses.values()):
            for rule in list(bus.rules.values()):
                if rule.scheduled_expression:
                    targets = copy.deepcopy(rule.targets)
                    held = Rule(rule.arn, rule.role_arn or "", targets)
                    yield ScheduledRule(held, rule.scheduled_expression, rule.state == "ENABLED")


def schedules(account: str) -> Iterator[Schedule]:
    """The schedules of every group and region."""
    for backend in list(scheduler_backends[account].values()):
        for group in list(backend.schedule_groups.values()):
            yield from (_schedule(one) for one in list(group.schedules.values()))


def has_schedule_group(account: str, region: str, name: str) -> bool:
    return name in scheduler_backends[account][region].schedule_groups


def _schedule(one: Any) -> Schedule:
    window = one.flexible_time_window or {}
    minutes = int(window.get("MaximumWindowInMinutes") or 0) if window.get("Mode") == "FLEXIBLE" else 0
    return Schedule(
        arn=one.arn,
        name=one.name,
        group=one.group_name,
        expression=one.schedule_expression,
        zone=one.schedule_expression_timezone or "UTC",
        is_enabled=one.state != "DISABLED",
        start=_date(one.start_date),
        end=_date(one.end_date),
        window_s=minutes * 60,
        target=copy.deepcopy(one.target),
        deletes_itself=one.action_after_completion == "DELETE",
    )


def _date(value: Any) -> datetime | None:
    return None if value is None else datetime.fromtimestamp(float(value), UTC)
