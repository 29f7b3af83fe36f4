"""CloudWatch in moto: what is measured is told as it comes in, and each change of an alarm's state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moto.cloudwatch.models import Alarm as MotoAlarm
from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends
from moto.sqs.models import sqs_backends

from lab.moto_engine.hooks import hooks
from lab.moto_engine.patching import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True)
class Alarm:
    """A metric alarm as it stands; ``statistic`` a percentile's too."""

    arn: str
    name: str
    description: str
    region: str
    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]
    statistic: str
    unit: str
    period: int
    periods: int
    to_alarm: int
    comparison: str
    threshold: float
    missing: str
    state: str
    reason: str
    since: datetime
    actions_enabled: bool
    actions: Mapping[str, Sequence[str]]  # by state


@dataclass(frozen=True)
class QueueDepth:
    """What waits in a queue now."""

    name: str
    region: str
    visible: int
    in_flight: int
    oldest_s: float


def patch() -> None:
    wrap(CloudWatchBackend, "put_metric_data", _put_metric_data)
    wrap(CloudWatchBackend, "put_metric_alarm", _put_metric_alarm)
    wrap(MotoAlarm, "update_state", _update_state)


def _put_metric_data(original: Callable[..., None]) -> Callable[..., None]:
    def put(self: Any, namespace: str, metric_data: list[dict[str, Any]]) -> None:
        dated = [
            {**one, "Timestamp": one.get("Timestamp") or hooks().now().replace(tzinfo=None)} for one in metric_data
        ]
        original(self, namespace, dated)
        hooks().measured(namespace, dated)

    return put


def _put_metric_alarm(original: Callable[..., Any]) -> Callable[..., Any]:
    """An alarm begins without data, as CloudWatch's do, and keeps its state when it is changed."""

    def put(self: Any, *arguments: Any, **named: Any) -> Any:
        before = self.alarms.get(named.get("name"))
        alarm = original(self, *arguments, **named)
        alarm.configuration_updated_timestamp = hooks().now().replace(tzinfo=None)
        if before is not None:
            alarm.history = before.history
            for name in ("state_reason", "state_reason_data", "state_value", "state_updated_timestamp"):
                setattr(alarm, name, getattr(before, name))
        else:
            alarm.state_value = "INSUFFICIENT_DATA"
            alarm.state_updated_timestamp = alarm.configuration_updated_timestamp
        return alarm

    return put


def _update_state(original: Callable[..., None]) -> Callable[..., None]:
    def update(self: Any, reason: str, reason_data: str, state_value: str) -> None:
        before = _alarm(self)
        original(self, reason, reason_data, state_value)
        self.state_updated_timestamp = hooks().now().replace(tzinfo=None)
        hooks().alarm_changed(before, _alarm(self))

    return update


def measure(account: str, region: str, namespace: str, data: list[dict[str, Any]]) -> None:
    """Keep figures of AWS's own, which PutMetricData refuses to others."""
    cloudwatch_backends[account][region].put_metric_data(namespace, data)


def forget_since(account: str, moment: datetime) -> None:
    """What was measured at a moment or later was not."""
    for backend in list(cloudwatch_backends[account].values()):
        kept = [one for one in backend.metric_data if one.timestamp.replace(tzinfo=None) < moment]
        backend.metric_data[:] = kept


def alarms(account: str) -> Iterator[Alarm]:
    """The metric alarms of every region; those over expressions and composite ones are left out."""
    for backend in list(cloudwatch_backends[account].values()):
        for one in list(backend.alarms.values()):
            if one.rule is None and one.metric_name:
                yield _alarm(one)


def change_alarm(account: str, alarm: Alarm, state: str, reason: str) -> None:
    """Let an alarm take a state; ``alarm_changed`` is told."""
    held = cloudwatch_backends[account][alarm.region].alarms.get(alarm.name)
    if held is not None:
        held.update_state(reason, "{}", state)


def queue_depths(account: str) -> Iterator[QueueDepth]:
    now = hooks().running()
    for region, backend in list(sqs_backends[account].items()):
        for queue in list(backend.queues.values()):
            waiting = list(queue._messages)  # noqa: SLF001 - moto has no other way to those in flight
            visible = [message for message in waiting if message.visible and not message.delayed]
            oldest = min((message.sent_timestamp / 1000 for message in waiting), default=now)
            in_flight = sum(not message.visible for message in waiting)
            yield QueueDepth(queue.name, region, len(visible), in_flight, max(0.0, now - oldest))


def _alarm(one: Any) -> Alarm:
    return Alarm(
        arn=one.alarm_arn,
        name=one.name,
        description=one.description or "",
        region=one.region_name,
        namespace=one.namespace or "",
        metric=one.metric_name or "",
        dimensions=frozenset((dimension.name, dimension.value) for dimension in one.dimensions),
        statistic=one.extended_statistic or one.statistic or "",
        unit=one.unit or "",
        period=int(one.period or 60),
        periods=int(one.evaluation_periods or 1),
        to_alarm=int(one.datapoints_to_alarm or one.evaluation_periods or 1),
        comparison=one.comparison_operator or "",
        threshold=float(one.threshold or 0),
        missing=one.treat_missing_data or "missing",
        state=one.state_value,
        reason=one.state_reason,
        since=one.state_updated_timestamp,
        actions_enabled=bool(one.actions_enabled),
        actions={
            "ALARM": tuple(one.alarm_actions or ()),
            "OK": tuple(one.ok_actions or ()),
            "INSUFFICIENT_DATA": tuple(one.insufficient_data_actions or ()),
        },
    )
