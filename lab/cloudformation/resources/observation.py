"""CloudWatch and its Logs."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    lower_first,
    names,
    pick,
    true_numbers,
    upper_tags,
)


class LogGroup(Handler):
    replaced_by = names("LogGroupName")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("LogGroupName") or context.name(512)
        context.aws("logs").create_log_group(
            logGroupName=name, tags=context.tags_with(properties), **pick(properties, kmsKeyId="KmsKeyId")
        )
        return self._configure(context, name, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._configure(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("logs").delete_log_group, logGroupName=physical_id)

    def _configure(self, context: Context, name: str, properties: Properties) -> Made:
        if "RetentionInDays" in properties:
            days = int(properties["RetentionInDays"])
            context.aws("logs").put_retention_policy(logGroupName=name, retentionInDays=days)
        return Made(name, {"Arn": context.arn("logs", f"log-group:{name}:*")})


class MetricFilter(Handler):
    replaced_by = names("FilterName", "LogGroupName")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("FilterName") or context.name(512), properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        group = properties["LogGroupName"]
        gone_is_fine(context.aws("logs").delete_metric_filter, logGroupName=group, filterName=physical_id)

    def _put(self, context: Context, name: str, properties: Properties) -> Made:
        transformations = [_transformation(one) for one in properties["MetricTransformations"]]
        context.aws("logs").put_metric_filter(
            logGroupName=properties["LogGroupName"],
            filterName=name,
            filterPattern=properties["FilterPattern"],
            metricTransformations=transformations,
        )
        return Made(name)


def _transformation(one: dict[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = lower_first({key: value for key, value in one.items() if key != "Dimensions"})
    api["metricValue"] = str(one["MetricValue"])
    if "DefaultValue" in one:
        api["defaultValue"] = float(one["DefaultValue"])
    if "Dimensions" in one:
        api["dimensions"] = {dimension["Key"]: dimension["Value"] for dimension in one["Dimensions"]}
    return api


class SubscriptionFilter(Handler):
    replaced_by = names("FilterName", "LogGroupName")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("FilterName") or context.name(512), properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        group = properties["LogGroupName"]
        gone_is_fine(context.aws("logs").delete_subscription_filter, logGroupName=group, filterName=physical_id)

    def _put(self, context: Context, name: str, properties: Properties) -> Made:
        context.aws("logs").put_subscription_filter(
            filterName=name,
            **lower_first(pick(properties, "LogGroupName", "FilterPattern", "DestinationArn", "RoleArn")),
        )
        return Made(name)


class Alarm(Handler):
    replaced_by = names("AlarmName")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("AlarmName") or context.name(255), properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("cloudwatch").delete_alarms, AlarmNames=[physical_id])

    def _put(self, context: Context, name: str, properties: Properties) -> Made:
        texts = ("AlarmDescription", "Unit", "MetricName", "Namespace", "ComparisonOperator")
        wanted = {key: value for key, value in properties.items() if key not in {"Tags", "AlarmName"}}
        typed = {key: value if key in texts else true_numbers(value) for key, value in wanted.items()}
        if "Threshold" in typed:
            typed["Threshold"] = float(typed["Threshold"])
        if "Dimensions" in wanted:
            typed["Dimensions"] = wanted["Dimensions"]
        self._call(context)(AlarmName=name, Tags=upper_tags(context.tags_with(properties)), **typed)
        return Made(name, {"Arn": context.arn("cloudwatch", f"alarm:{name}")})

    def _call(self, context: Context) -> Any:
        return context.aws("cloudwatch").put_metric_alarm


class CompositeAlarm(Alarm):
    def _call(self, context: Context) -> Any:
        return context.aws("cloudwatch").put_composite_alarm


class Dashboard(Handler):
    replaced_by = names("DashboardName")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("DashboardName") or context.name(255), properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self._put(context, physical_id, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("cloudwatch").delete_dashboards, DashboardNames=[physical_id])

    def _put(self, context: Context, name: str, properties: Properties) -> Made:
        body = properties["DashboardBody"]
        text = body if isinstance(body, str) else json.dumps(body)
        context.aws("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=text)
        return Made(name)


HANDLERS: dict[str, Handler] = {
    "AWS::Logs::LogGroup": LogGroup(),
    "AWS::Logs::MetricFilter": MetricFilter(),
    "AWS::Logs::SubscriptionFilter": SubscriptionFilter(),
    "AWS::CloudWatch::Alarm": Alarm(),
    "AWS::CloudWatch::CompositeAlarm": CompositeAlarm(),
    "AWS::CloudWatch::Dashboard": Dashboard(),
}
