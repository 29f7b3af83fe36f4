"""Nested stacks."""

from __future__ import annotations

import time
from typing import Any

from lab.cloudformation.errors import ResourceFailed
from lab.cloudformation.resources.base import Context, Handler, Made, Properties, gone_is_fine, pick, upper_tags

_POLL_S = 0.1


class NestedStack(Handler):
    def create(self, context: Context, properties: Properties) -> Made:
        cloudformation = context.aws("cloudformation")
        identity = cloudformation.create_stack(StackName=context.name(128), **self._wanted(context, properties))[
            "StackId"
        ]
        return self._await(context, identity, "CREATE_COMPLETE")

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("cloudformation").update_stack(StackName=physical_id, **self._wanted(context, new))
        return self._await(context, physical_id, "UPDATE_COMPLETE")

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("cloudformation").delete_stack, StackName=physical_id)

    def _wanted(self, context: Context, properties: Properties) -> dict[str, Any]:
        given = properties.get("Parameters") or {}
        return {
            **pick(properties, "TemplateURL"),
            "Parameters": [{"ParameterKey": name, "ParameterValue": str(value)} for name, value in given.items()],
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Tags": upper_tags(context.tags_with(properties)),
        }

    def _await(self, context: Context, identity: str, wanted: str) -> Made:
        while True:
            stack = context.aws("cloudformation").describe_stacks(StackName=identity)["Stacks"][0]
            if not stack["StackStatus"].endswith("IN_PROGRESS"):
                break
            time.sleep(_POLL_S)
        if stack["StackStatus"] != wanted:
            raise ResourceFailed(
                f"Embedded stack {identity} was not successfully created: {stack.get('StackStatusReason', '')}"
            )
        outputs = {f"Outputs.{one['OutputKey']}": one["OutputValue"] for one in stack.get("Outputs", [])}
        return Made(identity, outputs)


HANDLERS: dict[str, Handler] = {"AWS::CloudFormation::Stack": NestedStack()}
