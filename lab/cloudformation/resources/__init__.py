"""The resource types that the lab can create, update and delete, each through its service's own API."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from lab.cloudformation.errors import ResourceFailed
from lab.cloudformation.resources.base import Handler

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULES = (
    "configuration",
    "events",
    "functions",
    "identity",
    "machines",
    "messages",
    "network",
    "observation",
    "stacks",
    "storage",
)

#: Accepted and not made, each with the reason why nothing in the lab could tell the difference.
IGNORED = {
    "AWS::CloudFormation::WaitConditionHandle": "only a placeholder for stacks without resources",
    "AWS::Lambda::LayerVersionPermission": "there is one account",
    "AWS::XRay::Group": "the lab keeps no traces",
    "AWS::XRay::SamplingRule": "the lab keeps no traces",
    "AWS::ApplicationInsights::Application": "nothing watches the lab",
}


@cache
def _handlers() -> Mapping[str, Handler]:
    found: dict[str, Handler] = {}
    for module in _MODULES:
        found |= import_module(f"{__name__}.{module}").HANDLERS
    return found


def is_known(kind: str) -> bool:
    return kind in _handlers() or kind in IGNORED


def handler_of(kind: str) -> Handler:
    """The handler of a resource type. Raises ResourceFailed, with what to do, for a type that the lab does not know."""
    if kind in IGNORED:
        return Handler()
    if kind not in _handlers():
        raise ResourceFailed(
            f"The lab does not know the resource type {kind}. Add a handler for it in lab/cloudformation/resources/, "
            "or list it in IGNORED there with the reason why the lab can do without it."
        )
    return _handlers()[kind]
