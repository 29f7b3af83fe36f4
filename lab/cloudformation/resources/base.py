"""What every handler of a resource type has in common."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lab.place import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lab.clients import Clients

Properties = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A resource that exists: what Ref gives, and what GetAtt gives by attribute."""

    physical_id: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """Where a handler works."""

    clients: Clients
    region: str
    stack_name: str
    stack_id: str
    logical_id: str
    tags: tuple[tuple[str, str], ...] = ()

    def aws(self, service: str) -> Any:
        return self.clients.internal(service, self.region)

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{ACCOUNT}:{resource}"

    def name(self, longest: int = 64, *, lower: bool = False) -> str:
        """A name as CloudFormation generates it: stack, logical id, and a random end."""
        end = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(12))
        room = longest - len(end) - 1
        stem = f"{self.stack_name}-{self.logical_id}"
        if len(stem) > room:
            half = max(room - len(self.logical_id) - 1, room // 2)
            stem = f"{self.stack_name[:half]}-{self.logical_id}"[:room]
        name = f"{stem}-{end}"
        return name.lower() if lower else name

    def tags_with(self, properties: Mapping[str, Any]) -> dict[str, str]:
        """The stack's tags and the resource's own, which win."""
        own = properties.get("Tags") or []
        pairs = own.items() if isinstance(own, dict) else ((tag["Key"], tag["Value"]) for tag in own)
        return {**dict(self.tags), **{key: str(value) for key, value in pairs}}


class Handler:
    """Creates, updates and deletes one resource type. This one makes nothing."""

    #: A change of one of these makes a new resource and deletes the old one.
    replaced_by: frozenset[str] = frozenset()

    def create(self, context: Context, properties: Properties) -> Made:  # noqa: ARG002 - handlers that make something need them
        """Make it. Raises ResourceFailed or botocore's ClientError."""
        return Made(context.name(), {})

    def update(self, context: Context, physical_id: str, old: Properties, new: Properties) -> Made:  # noqa: ARG002
        """Change it in place. The properties in ``replaced_by`` have not changed."""
        return Made(physical_id, {})

    def delete(self, context: Context, physical_id: str, properties: Properties) -> None:
        """Delete it. One that is gone is deleted."""

    def must_replace(self, old: Properties, new: Properties) -> bool:
        return any(old.get(name) != new.get(name) for name in self.replaced_by)


def names(*properties: str) -> frozenset[str]:
    return frozenset(properties)


def pick(properties: Mapping[str, Any], *wanted: str, **renamed: str) -> dict[str, Any]:
    """The wanted properties that are set, as keyword arguments; ``renamed`` maps the API's name to CloudFormation's."""
    picked = {name: properties[name] for name in wanted if name in properties}
    return picked | {api: properties[name] for api, name in renamed.items() if name in properties}


def lower_first(value: Any) -> Any:
    """CloudFormation's spelling of keys as ECR, Step Functions and Logs spell theirs."""
    if isinstance(value, list):
        return [lower_first(item) for item in value]
    if isinstance(value, dict):
        return {key[:1].lower() + key[1:]: lower_first(item) for key, item in value.items()}
    return value


def upper_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def lower_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


_GONE = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "404", "NotExist")


def gone_is_fine(call: Callable[..., Any], **arguments: Any) -> None:
    """Call, and take an answer that says that there is nothing to delete."""
    try:
        call(**arguments)
    except ClientError as error:
        if not any(word in error.response["Error"]["Code"] for word in _GONE):
            raise


def true_numbers(value: Any) -> Any:
    """Texts of numbers and booleans as such: parameters arrive as text, and CloudFormation converts by the property's type."""
    if isinstance(value, dict):
        return {key: true_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [true_numbers(item) for item in value]
    if isinstance(value, str) and value in {"true", "false"}:
        return value == "true"
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def added(old: Iterable[Any], new: Iterable[Any]) -> list[Any]:
    before = list(old)
    return [item for item in new if item not in before]
