"""Where figures come in: PutMetricData, embedded metrics in logs, and what AWS's own services tell of themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lab.cloudwatch.datapoints import Datapoints, Metric, Sample
from lab.cloudwatch.emf import metrics_of
from lab.moto_engine.metrics import forget_since, measure, queue_depths
from lab.place import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lab.clock import Clock
    from lab.moto_engine import ExecutionStatus

_ENDED = {
    "SUCCEEDED": "ExecutionsSucceeded",
    "FAILED": "ExecutionsFailed",
    "TIMED_OUT": "ExecutionsTimedOut",
    "ABORTED": "ExecutionsAborted",
}
# SQS tells of a queue for six hours after its last activity:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html
_ACTIVE_S = 6 * 3600
_JUST_BEFORE_S = 1.0


class Figures:
    """Everything goes through moto's store as well, so that GetMetricData and the alarms see the same."""

    def __init__(self, clock: Clock) -> None:
        self.datapoints = Datapoints()
        self._clock = clock
        self._active: dict[tuple[str, str], float] = {}

    def measured(self, namespace: str, data: Iterable[Mapping[str, Any]]) -> None:
        """What PutMetricData was given."""
        for one in data:
            dimensions = frozenset((each["Name"], each["Value"]) for each in one.get("Dimensions") or ())
            metric = Metric(namespace, one["MetricName"], dimensions)
            self.datapoints.add(metric, _seconds(one["Timestamp"]), one.get("Unit") or "None", _sample(one))

    def read_log(self, lines: Iterable[str], shift: float, region: str = REGION) -> None:
        """Take the figures out of a function's lines; ``shift`` leads from the function's clock to the lab's."""
        for line in lines:
            for datum in metrics_of(line):
                dimensions = [{"Name": name, "Value": value} for name, value in datum.dimensions]
                one = {
                    "MetricName": datum.name,
                    "Dimensions": dimensions,
                    "Values": list(datum.values),
                    "Unit": datum.unit,
                }
                measure(ACCOUNT, region, datum.namespace, [{**one, "Timestamp": _date(datum.at + shift)}])

    def invoked(self, name: str, qualifier: str, *, failed: bool, milliseconds: float, region: str = REGION) -> None:
        """https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"""
        own = {"FunctionName": name}
        for dimensions in (own, {**own, "Resource": f"{name}:{qualifier}"}) if qualifier else (own,):
            for metric, value in (("Invocations", 1.0), ("Errors", float(failed)), ("Throttles", 0.0)):
                self._tell(region, "AWS/Lambda", metric, value, "Count", dimensions)
            self._tell(region, "AWS/Lambda", "Duration", milliseconds, "Milliseconds", dimensions)

    def execution_changed(self, status: ExecutionStatus) -> None:
        """https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html"""
        region, machine = status.state_machine_arn.split(":")[3], {"StateMachineArn": status.state_machine_arn}
        name = _ENDED.get(status.status, "ExecutionsStarted")
        self._tell(region, "AWS/States", name, 1.0, "Count", machine)
        if status.stopped is not None:
            took = (status.stopped - status.started).total_seconds() * 1000
            self._tell(region, "AWS/States", "ExecutionTime", took, "Milliseconds", machine)

    def scheduled(self, group: str, name: str, value: float) -> None:
        """https://docs.aws.amazon.com/scheduler/latest/UserGuide/monitoring-cloudwatch.html"""
        self._tell(REGION, "AWS/Scheduler", name, value, "Count", {"ScheduleGroup": group})

    def rule_invoked(self, rule_arn: str, *, failed: bool) -> None:
        """https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html"""
        rule = {"RuleName": rule_arn.rsplit("/", 1)[-1]}
        self._tell(
            rule_arn.split(":")[3], "AWS/Events", "FailedInvocations" if failed else "Invocations", 1.0, "Count", rule
        )

    def is_watching_queues(self) -> bool:
        """Whether the next minute has to look at a queue, too."""
        return bool(self._active)

    def look_at_queues(self, now: float) -> None:
        """Tell what waits in each queue that is active."""
        for queue in queue_depths(ACCOUNT):
            known = (queue.region, queue.name)
            if queue.visible or queue.in_flight:
                self._active[known] = now
            if now - self._active.get(known, float("-inf")) > _ACTIVE_S:
                self._active.pop(known, None)
                continue
            told = {
                "ApproximateNumberOfMessagesVisible": (queue.visible, "Count"),
                "ApproximateNumberOfMessagesNotVisible": (queue.in_flight, "Count"),
                "ApproximateAgeOfOldestMessage": (queue.oldest_s if queue.visible else 0.0, "Seconds"),
            }
            for name, (value, unit) in told.items():
                at = now - _JUST_BEFORE_S  # of the minute that is over
                self._tell(queue.region, "AWS/SQS", name, float(value), unit, {"QueueName": queue.name}, at)

    def forget(self) -> None:
        """The calendar was set: of what lies after it nothing was measured."""
        now = self._clock.now()
        self.datapoints.forget_since(now)
        forget_since(ACCOUNT, _date(now).replace(second=0, microsecond=0))
        self._active.clear()

    def _tell(  # noqa: PLR0917 - a datum's own fields
        self,
        region: str,
        namespace: str,
        name: str,
        value: float,
        unit: str,
        by: Mapping[str, str],
        at: float | None = None,
    ) -> None:
        dimensions = [{"Name": key, "Value": text} for key, text in by.items()]
        when = _date(self._clock.now() if at is None else at)
        one = {"MetricName": name, "Value": value, "Unit": unit, "Dimensions": dimensions, "Timestamp": when}
        measure(ACCOUNT, region, namespace, [one])


def _date(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC).replace(tzinfo=None)


def _seconds(date: Any) -> float:
    moment = date if isinstance(date, datetime) else datetime.fromisoformat(str(date))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _sample(one: Mapping[str, Any]) -> Sample:
    sample = Sample()
    if one.get("StatisticValues"):
        given = {name: float(value) for name, value in one["StatisticValues"].items()}
        return Sample(given["SampleCount"], given["Sum"], given["Minimum"], given["Maximum"])
    values = one.get("Values") or [one.get("Value", 0)]
    counts = one.get("Counts") or [1] * len(values)
    for value, times in zip(values, counts, strict=True):
        sample.add(float(value), float(times))
    return sample
