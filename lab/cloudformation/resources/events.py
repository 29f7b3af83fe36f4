"""EventBridge and its Scheduler."""

from __future__ import annotations

import json
from typing import Any

from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    names,
    pick,
    true_numbers,
    upper_tags,
)


class Rule(Handler):
    replaced_by = names("Name", "EventBusName")

    def create(self, context: Context, properties: Properties) -> Made:
        return self._put(context, properties.get("Name") or context.name(), {}, properties)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        return self._put(context, physical_id.rsplit("|", 1)[-1], old, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        events, name = context.aws("events"), physical_id.rsplit("|", 1)[-1]
        targets = [target["Id"] for target in properties.get("Targets", [])]
        bus = pick(properties, "EventBusName")
        if targets:
            gone_is_fine(events.remove_targets, Rule=name, Ids=targets, **bus)
        gone_is_fine(events.delete_rule, Name=name, **bus)

    def _put(self, context: Context, name: str, old: Properties, new: Properties) -> Made:
        events, bus = context.aws("events"), pick(new, "EventBusName")
        wanted = pick(new, "Description", "RoleArn", "ScheduleExpression", "State")
        if "EventPattern" in new:
            wanted["EventPattern"] = json.dumps(new["EventPattern"])
        arn = events.put_rule(Name=name, **wanted, **bus)["RuleArn"]
        kept = {target["Id"] for target in new.get("Targets", [])}
        dropped = [target["Id"] for target in old.get("Targets", []) if target["Id"] not in kept]
        if dropped:
            events.remove_targets(Rule=name, Ids=dropped, **bus)
        if kept:
            events.put_targets(Rule=name, Targets=[_target(target) for target in new["Targets"]], **bus)
        physical_id = f"{new['EventBusName']}|{name}" if "EventBusName" in new else name
        return Made(physical_id, {"Arn": arn})


def _target(target: dict[str, Any]) -> dict[str, Any]:
    typed = dict(target)
    if "RetryPolicy" in target:
        typed["RetryPolicy"] = true_numbers(target["RetryPolicy"])
    return typed


class Bus(Handler):
    replaced_by = names("Name")

    def create(self, context: Context, properties: Properties) -> Made:
        arn = context.aws("events").create_event_bus(Name=properties["Name"])["EventBusArn"]
        return Made(properties["Name"], {"Arn": arn, "Name": properties["Name"]})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return Made(physical_id, {"Arn": context.arn("events", f"event-bus/{physical_id}"), "Name": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("events").delete_event_bus, Name=physical_id)


_SCHEDULE = (
    "Description",
    "EndDate",
    "FlexibleTimeWindow",
    "GroupName",
    "KmsKeyArn",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "StartDate",
    "State",
)


class Schedule(Handler):
    replaced_by = names("Name", "GroupName")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("Name") or context.name()
        arn = context.aws("scheduler").create_schedule(Name=name, **self._wanted(properties))["ScheduleArn"]
        return Made(name, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        arn = context.aws("scheduler").update_schedule(Name=physical_id, **self._wanted(new))["ScheduleArn"]
        return Made(physical_id, {"Arn": arn})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        gone_is_fine(context.aws("scheduler").delete_schedule, Name=physical_id, **pick(properties, "GroupName"))

    def _wanted(self, properties: Properties) -> dict[str, Any]:
        target = {**properties["Target"]}
        if "RetryPolicy" in target:
            target["RetryPolicy"] = true_numbers(target["RetryPolicy"])
        return pick(properties, *_SCHEDULE) | {"Target": target}


class ScheduleGroup(Handler):
    replaced_by = names("Name")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("Name") or context.name()
        tags = upper_tags(context.tags_with(properties))
        arn = context.aws("scheduler").create_schedule_group(Name=name, Tags=tags)["ScheduleGroupArn"]
        return Made(name, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return Made(physical_id, {"Arn": context.arn("scheduler", f"schedule-group/{physical_id}")})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("scheduler").delete_schedule_group, Name=physical_id)


HANDLERS: dict[str, Handler] = {
    "AWS::Events::Rule": Rule(),
    "AWS::Events::EventBus": Bus(),
    "AWS::Scheduler::Schedule": Schedule(),
    "AWS::Scheduler::ScheduleGroup": ScheduleGroup(),
}
