"""Step Functions."""

from __future__ import annotations

import json
import re
from typing import Any

from lab.cloudformation.errors import ResourceFailed
from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    lower_first,
    lower_tags,
    names,
    true_numbers,
)


class StateMachine(Handler):
    replaced_by = names("StateMachineName", "StateMachineType")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("StateMachineName") or context.name(80)
        arn = context.aws("stepfunctions").create_state_machine(
            name=name,
            definition=definition(context, properties),
            roleArn=properties["RoleArn"],
            type=properties.get("StateMachineType", "STANDARD"),
            tags=lower_tags(context.tags_with(properties)),
            **_settings(properties),
        )["stateMachineArn"]
        return self._made(arn)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("stepfunctions").update_state_machine(
            stateMachineArn=physical_id,
            definition=definition(context, new),
            roleArn=new["RoleArn"],
            **_settings(new),
        )
        return self._made(physical_id)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("stepfunctions").delete_state_machine, stateMachineArn=physical_id)

    def _made(self, arn: str) -> Made:
        return Made(arn, {"Arn": arn, "Name": arn.rsplit(":", 1)[1], "StateMachineRevisionId": "INITIAL"})


def _settings(properties: Properties) -> dict[str, Any]:
    settings = {}
    if "LoggingConfiguration" in properties:
        settings["loggingConfiguration"] = lower_first(true_numbers(properties["LoggingConfiguration"]))
    if "TracingConfiguration" in properties:
        settings["tracingConfiguration"] = lower_first(true_numbers(properties["TracingConfiguration"]))
    return settings


def definition(context: Context, properties: Properties) -> str:
    """The machine's text with its substitutions made. Raises ResourceFailed for one that is not defined."""
    if "DefinitionString" in properties:
        text = str(properties["DefinitionString"])
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        text = _from_s3(context, properties["DefinitionS3Location"])
    values = properties.get("DefinitionSubstitutions") or {}

    def place(match: re.Match[str]) -> str:
        if match[1] not in values:
            return match[0]
        return json.dumps(str(values[match[1]]))[1:-1]

    filled = re.sub(r"\$\{(\w+)\}", place, text)
    return filled if filled.lstrip().startswith("{") else _from_yaml(filled)


def _from_s3(context: Context, location: dict[str, str]) -> str:
    s3 = context.aws("s3")
    body: bytes = s3.get_object(Bucket=location["Bucket"], Key=location["Key"])["Body"].read()
    return body.decode()


def _from_yaml(text: str) -> str:
    import yaml

    try:
        return json.dumps(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ResourceFailed(f"the state machine's definition is neither JSON nor YAML: {error}") from error


class Version(Handler):
    replaced_by = names("StateMachineArn", "StateMachineRevisionId", "Description")

    def create(self, context: Context, properties: Properties) -> Made:
        client = context.aws("stepfunctions")
        arn = properties["StateMachineArn"]
        machine = client.describe_state_machine(stateMachineArn=arn)
        # moto lacks PublishStateMachineVersion; an update that publishes does the same.
        published = client.update_state_machine(stateMachineArn=arn, definition=machine["definition"], publish=True)
        version = published["stateMachineVersionArn"]
        return Made(version, {"Arn": version})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Moto keeps versions as long as their machine; nothing else refers to a deleted one."""


class Alias(Handler):
    replaced_by = names("Name")

    def create(self, context: Context, properties: Properties) -> Made:
        arn = context.aws("stepfunctions").create_state_machine_alias(
            name=properties["Name"], routingConfiguration=_routes(properties)
        )["stateMachineAliasArn"]
        return Made(arn, {"Arn": arn})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("stepfunctions").update_state_machine_alias(
            stateMachineAliasArn=physical_id, routingConfiguration=_routes(new)
        )
        return Made(physical_id, {"Arn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("stepfunctions").delete_state_machine_alias, stateMachineAliasArn=physical_id)


def _routes(properties: Properties) -> list[dict[str, Any]]:
    if "DeploymentPreference" in properties:  # the lab shifts all traffic at once, whatever the preference
        return [{"stateMachineVersionArn": properties["DeploymentPreference"]["StateMachineVersionArn"], "weight": 100}]
    return [
        {"stateMachineVersionArn": one["StateMachineVersionArn"], "weight": int(one["Weight"])}
        for one in properties["RoutingConfiguration"]
    ]


HANDLERS: dict[str, Handler] = {
    "AWS::StepFunctions::StateMachine": StateMachine(),
    "AWS::StepFunctions::StateMachineVersion": Version(),
    "AWS::StepFunctions::StateMachineAlias": Alias(),
}
