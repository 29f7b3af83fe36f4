"""What CloudFormation keeps about stacks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from lab.place import ACCOUNT


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Resource:
    """One resource as it is."""

    logical_id: str
    kind: str
    physical_id: str
    properties: dict[str, Any]  # resolved
    attributes: dict[str, Any]
    deletion_policy: str = "Delete"
    status: str = "CREATE_COMPLETE"
    changed: datetime = field(default_factory=now)
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True)
class Event:
    stack_id: str
    stack_name: str
    logical_id: str
    physical_id: str
    kind: str
    status: str
    reason: str = ""
    at: datetime = field(default_factory=now)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass
class Stack:
    name: str
    region: str
    id: str = ""
    status: str = "REVIEW_IN_PROGRESS"
    reason: str = ""
    template_body: str = ""
    template: dict[str, Any] = field(default_factory=dict)  # expanded
    parameters: dict[str, str] = field(default_factory=dict)  # as given, SSM ones by name
    values: dict[str, Any] = field(default_factory=dict)  # as a Ref gives them
    tags: list[dict[str, str]] = field(default_factory=list)
    capabilities: list[str] = field(default_factory=list)
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    created: datetime = field(default_factory=now)
    updated: datetime | None = None
    deleted: datetime | None = None
    role_arn: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            self.id = f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/{self.name}/{uuid.uuid4()}"

    def tell(self, status: str, reason: str = "") -> None:
        """A new status of the stack itself."""
        self.status, self.reason = status, reason
        kind = "AWS::CloudFormation::Stack"
        self.events.append(Event(self.id, self.name, self.name, self.id, kind, status, reason))

    def tell_of(self, logical_id: str, kind: str, physical_id: str, status: str, reason: str = "") -> None:
        """A new status of one of its resources."""
        self.events.append(Event(self.id, self.name, logical_id, physical_id, kind, status, reason))


@dataclass(frozen=True)
class Change:
    """One line of a change set. ``replacement`` is "" unless the action is Modify."""

    action: str  # Add, Modify, Remove
    logical_id: str
    kind: str
    physical_id: str = ""
    replacement: str = ""
    properties: tuple[str, ...] = ()


@dataclass
class ChangeSet:
    name: str
    stack: Stack
    kind: str  # CREATE or UPDATE
    desired: Stack  # what the stack is to become: template, parameters, tags
    changes: list[Change]
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    execution: str = "AVAILABLE"
    description: str = ""
    created: datetime = field(default_factory=now)
    id: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            self.id = f"arn:aws:cloudformation:{self.stack.region}:{ACCOUNT}:changeSet/{self.name}/{uuid.uuid4()}"
