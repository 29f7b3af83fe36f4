"""Lambda."""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import Any

from botocore.exceptions import ClientError

from lab.cloudformation.errors import ResourceFailed
from lab.cloudformation.resources.base import (
    Context,
    Handler,
    Made,
    Properties,
    gone_is_fine,
    names,
    pick,
    true_numbers,
)

_CONFIGURATION = (
    "DeadLetterConfig",
    "Description",
    "FileSystemConfigs",
    "Handler",
    "ImageConfig",
    "KMSKeyArn",
    "Layers",
    "LoggingConfig",
    "Role",
    "Runtime",
    "SnapStart",
    "TracingConfig",
    "VpcConfig",
)
_NUMBERS = ("MemorySize", "Timeout", "EphemeralStorage")


class Function(Handler):
    replaced_by = names("FunctionName", "PackageType")

    def create(self, context: Context, properties: Properties) -> Made:
        name = properties.get("FunctionName") or context.name()
        context.aws("lambda").create_function(
            FunctionName=name,
            Code=_code(properties["Code"]),
            Tags=context.tags_with(properties),
            **pick(properties, "PackageType", "Architectures"),
            **_configuration(properties),
        )
        self._reserve(context, name, properties)
        return self._made(context, name)

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:
        client = context.aws("lambda")
        if old["Code"] != new["Code"] or old.get("Architectures") != new.get("Architectures"):
            client.update_function_code(FunctionName=physical_id, **_code(new["Code"]), **pick(new, "Architectures"))
        # Left out means unchanged to the API and gone to CloudFormation.
        blank: dict[str, Any] = {"Environment": {"Variables": {}}, "Description": "", "Layers": []}
        cleared = {name: blank[name] for name in blank if name in old and name not in new}
        client.update_function_configuration(FunctionName=physical_id, **{**cleared, **_configuration(new)})
        self._reserve(context, physical_id, new)
        return self._made(context, physical_id)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("lambda").delete_function, FunctionName=physical_id)

    def _reserve(self, context: Context, name: str, properties: Properties) -> None:
        if "ReservedConcurrentExecutions" in properties:
            amount = int(properties["ReservedConcurrentExecutions"])
            context.aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=amount)

    def _made(self, context: Context, name: str) -> Made:
        return Made(name, {"Arn": context.arn("lambda", f"function:{name}")})


def _code(code: dict[str, Any]) -> dict[str, Any]:
    if "ImageUri" not in code:
        raise ResourceFailed(
            "The lab runs functions of PackageType Image only; this one's Code has no ImageUri. "
            "Zip functions would need AWS's own base images, which the lab does not have (docs/fine-print.md)."
        )
    return {"ImageUri": code["ImageUri"]}


def _configuration(properties: Properties) -> dict[str, Any]:
    configuration: dict[str, Any] = pick(properties, *_CONFIGURATION) | true_numbers(pick(properties, *_NUMBERS))
    if "Environment" in properties:
        variables = properties["Environment"].get("Variables") or {}
        configuration["Environment"] = {"Variables": {name: _text(value) for name, value in variables.items()}}
    return configuration


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


class Version(Handler):
    """A version is never changed: SAM gives each its own logical id."""

    replaced_by = names("FunctionName", "CodeSha256", "Description")

    def create(self, context: Context, properties: Properties) -> Made:
        published = context.aws("lambda").publish_version(**pick(properties, "FunctionName", "Description"))
        return Made(
            published["FunctionArn"], {"Version": published["Version"], "FunctionArn": published["FunctionArn"]}
        )

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return Made(physical_id, {"Version": physical_id.rsplit(":", 1)[1], "FunctionArn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        name, _, version = physical_id.rpartition(":")
        gone_is_fine(context.aws("lambda").delete_function, FunctionName=name, Qualifier=version)


class Alias(Handler):
    replaced_by = names("FunctionName", "Name")

    def create(self, context: Context, properties: Properties) -> Made:
        alias = context.aws("lambda").create_alias(
            **pick(properties, "FunctionName", "Name", "FunctionVersion", "Description"), **_routing(properties)
        )
        return Made(alias["AliasArn"], {"AliasArn": alias["AliasArn"]})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("lambda").update_alias(
            **pick(new, "FunctionName", "Name", "FunctionVersion", "Description"), **_routing(new)
        )
        return Made(physical_id, {"AliasArn": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("lambda").delete_alias, **pick(properties, "FunctionName", "Name"))


def _routing(properties: Properties) -> dict[str, Any]:
    weights = (properties.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or []
    return {
        "RoutingConfig": {
            "AdditionalVersionWeights": {one["FunctionVersion"]: float(one["FunctionWeight"]) for one in weights}
        }
    }


class Permission(Handler):
    """Immutable, as on AWS: any change replaces it."""

    replaced_by = names("Action", "EventSourceToken", "FunctionName", "Principal", "SourceAccount", "SourceArn")

    def create(self, context: Context, properties: Properties) -> Made:
        statement = context.name(100)
        wanted = pick(
            properties, "Action", "EventSourceToken", "Principal", "SourceAccount", "SourceArn", "PrincipalOrgID"
        )
        name, qualifier = _qualified(properties["FunctionName"])
        context.aws("lambda").add_permission(FunctionName=name, StatementId=statement, **qualifier, **wanted)
        return Made(statement, {"Id": statement})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        name, qualifier = _qualified(properties["FunctionName"])
        with contextlib.suppress(ClientError):  # the function and its policy may be gone before
            context.aws("lambda").remove_permission(FunctionName=name, StatementId=physical_id, **qualifier)


_COLONS_OF_QUALIFIED_ARN = 7


def _qualified(name: str) -> tuple[str, dict[str, str]]:
    if name.count(":") == _COLONS_OF_QUALIFIED_ARN:
        unqualified, _, qualifier = name.rpartition(":")
        return unqualified, {"Qualifier": qualifier}
    return name, {}


class EventSourceMapping(Handler):
    replaced_by = names("EventSourceArn")
    _settings = (
        "BatchSize",
        "MaximumBatchingWindowInSeconds",
        "FunctionResponseTypes",
        "FilterCriteria",
        "ScalingConfig",
    )

    def create(self, context: Context, properties: Properties) -> Made:
        identity = context.aws("lambda").create_event_source_mapping(
            **pick(properties, "EventSourceArn", "FunctionName"), **self._wanted(properties)
        )["UUID"]
        return Made(identity, {"Id": identity})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        context.aws("lambda").update_event_source_mapping(UUID=physical_id, **self._wanted(new))
        return Made(physical_id, {"Id": physical_id})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        gone_is_fine(context.aws("lambda").delete_event_source_mapping, UUID=physical_id)

    def _wanted(self, properties: Properties) -> dict[str, Any]:
        wanted: dict[str, Any] = true_numbers(pick(properties, *self._settings, "Enabled"))
        return wanted


class EventInvokeConfig(Handler):
    replaced_by = names("FunctionName", "Qualifier")

    def create(self, context: Context, properties: Properties) -> Made:
        wanted = true_numbers(pick(properties, "MaximumEventAgeInSeconds", "MaximumRetryAttempts"))
        context.aws("lambda").put_function_event_invoke_config(
            **pick(properties, "FunctionName", "Qualifier", "DestinationConfig"), **wanted
        )
        key = json.dumps([properties["FunctionName"], properties.get("Qualifier")])
        return Made(hashlib.sha256(key.encode()).hexdigest()[:16])

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        return self.create(context, new)

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:  # noqa: ARG002
        arguments = pick(properties, "FunctionName", "Qualifier")
        gone_is_fine(context.aws("lambda").delete_function_event_invoke_config, **arguments)


HANDLERS: dict[str, Handler] = {
    "AWS::Lambda::Function": Function(),
    "AWS::Lambda::Version": Version(),
    "AWS::Lambda::Alias": Alias(),
    "AWS::Lambda::Permission": Permission(),
    "AWS::Lambda::EventSourceMapping": EventSourceMapping(),
    "AWS::Lambda::EventInvokeConfig": EventInvokeConfig(),
}
