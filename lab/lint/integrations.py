"""Direct integrations held against botocore's models: no local engine checks their parameters."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.exceptions import UnknownServiceError
from botocore.session import get_session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from botocore.model import ServiceModel

# Step Functions names services as the SDK for Java does.
_SERVICES = {
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
    "states": "stepfunctions",
}
# The parts of a resource that say how to wait, not what to call.
_PATTERNS = (".sync:2", ".sync", ".waitForTaskToken")


def error_prefix(service: str) -> str:
    """Return what stands before the dot in the names of a service's errors ("S3", "DynamoDb")."""
    # Of the optimized integration "states"; that of the SDK is called "sfn".
    known = {
        "dynamodb": "DynamoDb",
        "states": "StepFunctions",
        "sqs": "Sqs",
        "s3": "S3",
        "sns": "Sns",
        "ssm": "Ssm",
        "rds": "Rds",
    }
    return known.get(service, service.capitalize())


def objections(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a Task's service, action and parameters, as (rule, message)."""
    resource = str(state["Resource"])
    if ":::" not in resource:
        yield (
            "integration",
            f"{resource} is not arn:aws:states:::service:action; functions are invoked by lambda:invoke",
        )
        return
    service, action = _parts(resource)
    model = _model(_SERVICES.get(service, service))
    if model is None:
        yield "integration", f"botocore knows no service {service}"
        return
    operation = next((name for name in model.operation_names if name.lower() == action.lower()), None)
    if operation is None:
        yield "integration", f"{service} has no action {action}"
        return
    yield from _parameters(model, operation, state.get("Arguments") or {})


def _parts(resource: str) -> tuple[str, str]:
    called = resource.split(":::", 1)[1].removeprefix("aws-sdk:")
    for pattern in _PATTERNS:
        called = called.removesuffix(pattern)
    service, _, action = called.partition(":")
    return service, action


def _parameters(model: ServiceModel, operation: str, arguments: object) -> Iterator[tuple[str, str]]:
    if not isinstance(arguments, dict):
        return  # one expression makes them all: only an execution can tell
    shape = model.operation_model(operation).input_shape
    # Java spells DbClusterIdentifier what botocore spells DBClusterIdentifier.
    known = {name.lower() for name in shape.members} if shape else set()
    given = {name.lower(): name for name in arguments}
    for name in sorted(given.keys() - known):
        yield "integration", f"{operation} has no parameter {given[name]}"
    for name in shape.required_members if shape else []:
        if name.lower() not in given:
            yield "integration", f"{operation} needs the parameter {name}"


@cache
def _model(service: str) -> ServiceModel | None:
    try:
        return get_session().get_service_model(service)
    except UnknownServiceError:
        return None
