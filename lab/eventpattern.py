"""Event patterns, as EventBridge and Lambda's event filters read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def matches(pattern: Mapping[str, Any], event: Any) -> bool:
    """Whether the event meets every field of the pattern: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html"""
    from moto.events.models import EventPattern

    return bool(EventPattern(None, dict(pattern)).matches_event(event))
