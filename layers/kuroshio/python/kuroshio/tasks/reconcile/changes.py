"""One change of what AWS has, with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Action(StrEnum):
    """What is done. Deregistering a target is always done safely: AWS then refuses while a task names it."""

    CREATE_WINDOW = "create window"
    UPDATE_WINDOW = "update window"
    DELETE_WINDOW = "delete window"
    TAG_WINDOW = "tag window"
    REGISTER_TARGET = "register target"
    UPDATE_TARGET = "update target"
    DEREGISTER_TARGET = "deregister target"
    REGISTER_TASK = "register task"
    UPDATE_TASK = "update task"
    DEREGISTER_TASK = "deregister task"
    CREATE_SCHEDULE = "create schedule"
    UPDATE_SCHEDULE = "update schedule"
    DELETE_SCHEDULE = "delete schedule"


@dataclass(frozen=True)
class Change:
    """``window``, ``id``: empty for those that an earlier change of the same task makes.

    ``target``: the window's target that a task shall name; empty for the one just registered, None for a task without.
    """

    action: Action
    task: str
    reason: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    window: str = ""
    id: str = ""
    target: str | None = None
