"""A function of several steps: the event names the step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def dispatch(steps: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]], event: object) -> dict[str, Any]:
    """Do the step that the event names, with the event. Raises InvalidRequest for a step that is none."""
    if not isinstance(event, dict):
        raise InvalidRequest(f"the event is {ascii(event)[:120]}; it must be an object with a step")
    step = steps.get(str(event.get("step")))
    if step is None:
        raise InvalidRequest(f"step is {ascii(event.get('step'))[:120]}; it must be one of {', '.join(steps)}")
    return step(event)
