"""What the settings come to, as the documents that Mackerel is sent. Every field is there: a PUT resets what is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.mackerel.catalogue import figure
from kuroshio.mackerel.definitions.dashboard import dashboard
from kuroshio.mackerel.definitions.marks import mark, with_mark
from kuroshio.mackerel.definitions.settings import Monitor, Silence
from kuroshio.mackerel.points import shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.mackerel.definitions.settings import GraphDefinition, Settings, Watched

_LONGEST_MEMO = 2048
_ENDS = {"failed": "failed", "timed_out": "ran out of time", "aborted": "was stopped"}


@dataclass(frozen=True)
class Wanted:
    """Documents by what they are found again by: names, and for monitors the key in their mark."""

    service: dict[str, Any]
    roles: dict[str, dict[str, Any]]
    definitions: dict[str, dict[str, Any]]
    monitors: dict[str, dict[str, Any]]
    dashboard: dict[str, Any] | None

    @property
    def name(self) -> str:
        """The service's."""
        return str(self.service["name"])


def wanted(settings: Settings, service: str) -> Wanted:
    """What Mackerel shall have for the service."""
    own = ((f"own {each.name}", each) for each in settings.monitors)
    return Wanted(
        {"name": service, "memo": settings.memo},
        {name: {"name": name, "memo": memo} for name, memo in settings.roles},
        {each.name: _definition(each) for each in settings.definitions},
        {key: _monitor(key, each, service) for key, each in [*_built_in(settings), *own]},
        dashboard(settings, service) if settings.has_dashboard else None,
    )


def _built_in(settings: Settings) -> Iterator[tuple[str, Monitor]]:
    for watched in settings.workflows:
        yield from _of_workflow(watched)
    memo = "Open until a person closes it: what was given up does not come back."
    for name, title in (
        ("kuroshio.outbox.lost", "points were lost"),
        ("kuroshio.outbox.lost_reports", "check reports were lost"),
    ):
        yield title, Monitor(title, figure(name).name, critical=0, memo=memo)
    if settings.silence != Silence():
        memo = "Posted every few minutes, whatever happens: without it nothing reaches Mackerel at all."
        yield "silence", _heartbeat("nothing arrives", figure("dora.deployments").name, settings.silence, memo)


def _of_workflow(watched: Watched) -> Iterator[tuple[str, Monitor]]:
    for status in watched.alert_on:
        title = f"{watched.name} {_ENDS[status]}"
        metric = figure(f"runs.*.{status}").of(watched.name)
        yield (
            f"{watched.name} {status}",
            Monitor(title, metric, critical=0, memo="Closes with the next run that succeeds."),
        )
    if watched.heartbeat != Silence():
        metric = figure("runs.*.succeeded").of(watched.name)
        memo = "Begins with the first success: Mackerel misses only what it had."
        title = f"{watched.name} has had no success"
        yield f"{watched.name} heartbeat", _heartbeat(title, metric, watched.heartbeat, memo)


def _heartbeat(title: str, metric: str, silence: Silence, memo: str) -> Monitor:
    """With a threshold that no count meets: whether Mackerel takes a monitor without any is not documented."""
    return Monitor(title, metric, operator="<", critical=0, missing=silence, memo=memo)


def _monitor(key: str, monitor: Monitor, service: str) -> dict[str, Any]:
    room = _LONGEST_MEMO - len(mark("monitor", service, key)) - 1
    return {
        "type": "service",
        "name": f"{service}: {monitor.name}",
        "memo": with_mark(shortened(monitor.memo, room), "monitor", service, key),
        "service": service,
        "duration": monitor.points,
        "metric": monitor.metric,
        "operator": monitor.operator,
        "warning": monitor.warning,
        "critical": monitor.critical,
        "maxCheckAttempts": monitor.attempts,
        "missingDurationWarning": monitor.missing.warning,
        "missingDurationCritical": monitor.missing.critical,
        "notificationInterval": monitor.notify_every,
    }


def _definition(definition: GraphDefinition) -> dict[str, Any]:
    return {
        "name": definition.name,
        "displayName": definition.title,
        "unit": definition.unit,
        "metrics": [
            {"name": line.name, "displayName": line.title, "isStacked": line.stacked} for line in definition.lines
        ],
    }
