"""Alarms are evaluated each minute of the lab's calendar; a change of state is written down, sent on and acted upon."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.answers import Answer, json_answer
from lab.cloudwatch.datapoints import Metric, is_known
from lab.cloudwatch.evaluation import Rule, evaluate
from lab.moto_engine import put_event
from lab.moto_engine.metrics import Alarm, alarms, change_alarm
from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.calls import Call, HttpRequest
    from lab.clients import Clients
    from lab.clock import Clock
    from lab.cloudwatch.figures import Figures

_MINUTE = 60


@dataclass(frozen=True)
class Change:
    """An alarm that took another state."""

    at: datetime
    alarm: str
    before: str
    after: str
    reason: str


class Alarms:
    """A source of due things for the timekeeper: one evaluation of all alarms per minute, while there is something to see."""

    def __init__(self, figures: Figures, clients: Clients, clock: Clock, invoke: Callable[[str, bytes], None]) -> None:
        self._figures = figures
        self._clients = clients
        self._clock = clock
        self._invoke = invoke
        self._due: float | None = None
        self._seen = (-1, -1)
        self._next_change: float | None = None
        self._history: list[dict[str, Any]] = []
        self._changes: list[Change] = []

    # By the clock ------------------------------------------------------------------------------------------------------

    def refresh(self, now: float) -> None:
        """A minute in which nothing was measured, nothing waits in a queue and no alarm can change is passed over."""
        held = list(alarms(ACCOUNT))
        seen = (self._figures.datapoints.version, _settings(held))
        soon = (math.floor(now / _MINUTE) + 1) * float(_MINUTE)
        if not held:
            self._due = None
        elif seen != self._seen:
            self._due = soon if self._due is None else min(self._due, soon)
        else:
            self._due = self._next_change

    def forget(self) -> None:
        self._figures.forget()
        self._due, self._next_change, self._seen = None, None, (-1, -1)

    def next_due(self) -> float | None:
        return self._due

    def take(self, now: float) -> list[Change] | None:
        if self._due is None or self._due > now:
            return None
        minute, self._due = self._due, None
        self._figures.look_at_queues(minute)
        version = self._figures.datapoints.version if not self._figures.is_watching_queues() else -1
        before, self._changes = self._changes, []
        moves = [self._evaluate(alarm, minute) for alarm in alarms(ACCOUNT)]
        self._next_change = min((at for at in moves if at is not None), default=None)
        self._seen = (version, _settings(alarms(ACCOUNT)))
        changes, self._changes = self._changes, before
        return changes

    def _evaluate(self, alarm: Alarm, now: float) -> float | None:
        """Let the alarm take its state; when it could be another one although nothing new is measured."""
        rule = Rule(alarm.comparison, alarm.threshold, alarm.periods, alarm.to_alarm, alarm.missing)
        if not rule.is_known or not is_known(alarm.statistic):
            return None  # anomaly detection, trimmed means: docs/fine-print.md
        metric = Metric(alarm.namespace, alarm.metric, alarm.dimensions)
        samples = self._figures.datapoints.over(metric, now, alarm.period, rule.range, alarm.unit)
        values = [sample.statistic(alarm.statistic) for sample in samples]
        verdict = evaluate(rule, values, alarm.state)
        if verdict.state != alarm.state:
            change_alarm(ACCOUNT, alarm, verdict.state, verdict.reason)
        return self._figures.datapoints.next_change(metric, now, alarm.period, rule.range)

    # When the state changed --------------------------------------------------------------------------------------------

    def changed(self, before: Alarm, after: Alarm) -> None:
        """By an evaluation, or because SetAlarmState said so."""
        self._write_down(before, after)
        put_event(after.region, ACCOUNT, _event(before, after))
        if after.state == before.state or not after.actions_enabled:
            return
        self._changes.append(Change(self._clock.date(), after.arn, before.state, after.state, after.reason))
        for arn in after.actions.get(after.state, ()):
            try:
                self._act(arn, before, after)
            except ClientError as error:
                self._remember(after, "Action", f"Failed to execute action {arn}. Received error: {error}", {})
            else:
                self._remember(after, "Action", f"Successfully executed action {arn}", {})

    def _act(self, arn: str, before: Alarm, after: Alarm) -> None:
        if ":sns:" in arn:
            subject = f'{after.state}: "{after.name}" in Asia Pacific (Tokyo)'
            message = json.dumps(_notification(before, after))
            self._clients.internal("sns", arn.split(":")[3]).publish(
                TopicArn=arn, Subject=subject[:100], Message=message
            )
        elif ":lambda:" in arn:
            self._invoke(arn, json.dumps(_event_of_action(before, after)).encode())
        else:
            message = "the lab acts through SNS and Lambda only: see docs/fine-print.md"
            raise ClientError({"Error": {"Code": "InvalidAction", "Message": message}}, arn)

    def _write_down(self, before: Alarm, after: Alarm) -> None:
        data = {"version": "1.0", "oldState": _state(before), "newState": _state(after)}
        self._remember(after, "StateUpdate", f"Alarm updated from {before.state} to {after.state}", data)

    def _remember(self, alarm: Alarm, kind: str, summary: str, data: dict[str, Any]) -> None:
        item = {"AlarmName": alarm.name, "AlarmType": "MetricAlarm", "HistoryItemType": kind, "HistorySummary": summary}
        self._history.append({**item, "Timestamp": self._clock.now(), "HistoryData": json.dumps(data)})

    def answer(self, call: Call, request: HttpRequest, caller: str) -> Answer | None:  # noqa: ARG002 - the door's protocol
        """DescribeAlarmHistory, which moto lacks."""
        if call.operation != "DescribeAlarmHistory":
            return None
        name, kind = call.parameters.get("AlarmName"), call.parameters.get("HistoryItemType")
        found = [
            one for one in self._history if name in {None, one["AlarmName"]} and kind in {None, one["HistoryItemType"]}
        ]
        if call.parameters.get("ScanBy") != "TimestampAscending":
            found.reverse()
        return json_answer({"AlarmHistoryItems": found[: int(call.parameters.get("MaxRecords") or 100)]})


def _settings(held: Iterable[Alarm]) -> int:
    """Something that is another number once an alarm came, went, was changed or took another state."""
    return hash(tuple((one.arn, one.state, one.threshold, one.period, one.to_alarm, one.missing) for one in held))


def _date(moment: datetime) -> str:
    return f"{moment.replace(tzinfo=UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000"


def _state(alarm: Alarm) -> dict[str, Any]:
    return {"stateValue": alarm.state, "stateReason": alarm.reason}


def _event(before: Alarm, after: Alarm) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html"""
    return {
        "Source": "aws.cloudwatch",
        "DetailType": "CloudWatch Alarm State Change",
        "Resources": [after.arn],
        "Detail": json.dumps(_detail(before, after)),
    }


def _detail(before: Alarm, after: Alarm) -> dict[str, Any]:
    metric = {"namespace": after.namespace, "name": after.metric, "dimensions": dict(after.dimensions)}
    stat = {"metric": metric, "period": after.period, "stat": after.statistic}
    return {
        "alarmName": after.name,
        "configuration": {
            "description": after.description,
            "metrics": [{"id": "m1", "metricStat": stat, "returnData": True}],
        },
        "previousState": {"value": before.state, "reason": before.reason, "timestamp": _date(before.since)},
        "state": {"value": after.state, "reason": after.reason, "timestamp": _date(after.since)},
    }


def _event_of_action(before: Alarm, after: Alarm) -> dict[str, Any]:
    """What an alarm's function receives."""
    return {
        "source": "aws.cloudwatch",
        "alarmArn": after.arn,
        "accountId": ACCOUNT,
        "time": _date(after.since),
        "region": after.region,
        "alarmData": _detail(before, after),
    }


def _notification(before: Alarm, after: Alarm) -> dict[str, Any]:
    """What an alarm's topic is told."""
    return {
        "AlarmName": after.name,
        "AlarmDescription": after.description or None,
        "AWSAccountId": ACCOUNT,
        "NewStateValue": after.state,
        "NewStateReason": after.reason,
        "StateChangeTime": _date(after.since),
        "Region": "Asia Pacific (Tokyo)",
        "AlarmArn": after.arn,
        "OldStateValue": before.state,
        "OKActions": list(after.actions["OK"]),
        "AlarmActions": list(after.actions["ALARM"]),
        "InsufficientDataActions": list(after.actions["INSUFFICIENT_DATA"]),
        "Trigger": {
            "MetricName": after.metric,
            "Namespace": after.namespace,
            "Statistic": after.statistic.upper(),
            "Unit": after.unit or None,
            "Dimensions": [{"name": name, "value": value} for name, value in sorted(after.dimensions)],
            "Period": after.period,
            "EvaluationPeriods": after.periods,
            "DatapointsToAlarm": after.to_alarm,
            "ComparisonOperator": after.comparison,
            "Threshold": after.threshold,
            "TreatMissingData": after.missing,
        },
    }
