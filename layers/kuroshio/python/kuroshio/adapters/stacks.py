"""CloudFormation stacks that are updated without a new template."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.adapters import aws
from kuroshio.adapters.stack_outputs import outputs
from kuroshio.errors import DeploymentFailed, KuroshioError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudformation.type_defs import ParameterTypeDef, StackEventTypeDef, StackTypeDef

_GOOD = frozenset({"UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"})


@dataclass(frozen=True)
class CloudFormationStack:
    """One stack by its name. ``say`` is told its status while an update goes on."""

    name: str
    say: Callable[[str], None]
    pause: float = 5.0  # seconds between two looks
    sleep: Callable[[float], None] = field(default=time.sleep)

    def exists(self) -> bool:
        """Tell whether the stack is deployed."""
        try:
            outputs(self.name)
        except NotFound:
            return False
        return True

    def update_in_place(self) -> bool:
        """Update with the previous template and parameter values and wait for the end.

        Returns False where CloudFormation finds nothing to update. Raises DeploymentFailed with the first reason that
        CloudFormation gave, after it has rolled back.
        """
        begun = self._begin()
        return bool(begun) and self._await_the_end()

    def _begin(self) -> bool:
        parameters: list[ParameterTypeDef] = [
            {"ParameterKey": given["ParameterKey"], "UsePreviousValue": True}
            for given in self._describe().get("Parameters", [])
        ]
        with aws.translated(f"updating the stack {self.name}"):
            try:
                aws.client("cloudformation").update_stack(
                    StackName=self.name,
                    UsePreviousTemplate=True,
                    Parameters=parameters,
                    # The previous template names the SAM transform, which an update without a change set must allow.
                    Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
                )
            except aws.client("cloudformation").exceptions.ClientError as error:
                # Like every other refusal this one is a ValidationError: only its words tell it apart.
                if "No updates are to be performed" in str(error):
                    return False
                raise
        return True

    def _await_the_end(self) -> bool:
        while (status := self._describe()["StackStatus"]).endswith("_IN_PROGRESS") and status not in _GOOD:
            self.say(f"{self.name}: {status}")
            self.sleep(self.pause)
        if status not in _GOOD:
            raise DeploymentFailed(f"the update of {self.name} ended with {status}: {self._first_reason()}")
        return True

    def _describe(self) -> StackTypeDef:
        with aws.translated(f"describing the stack {self.name}"):
            return aws.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]

    def _first_reason(self) -> str:
        try:
            events = self._events()
        except KuroshioError as error:
            return f"its events could not be read ({error})"
        failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
        told = [
            f"{e.get('LogicalResourceId')}: {e['ResourceStatusReason']}" for e in failed if "ResourceStatusReason" in e
        ]
        return told[-1] if told else "no reason was given"  # the newest event comes first

    def _events(self) -> list[StackEventTypeDef]:
        """The events of the newest operation only: an older failure is not the reason of this one."""
        newest: list[StackEventTypeDef] = []
        with aws.translated(f"reading the events of the stack {self.name}"):
            for page in (
                aws.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=self.name)
            ):
                for event in page["StackEvents"]:
                    newest.append(event)
                    began = event.get("ResourceStatus") in {"UPDATE_IN_PROGRESS", "CREATE_IN_PROGRESS"}
                    if began and event.get("PhysicalResourceId") == event["StackId"]:
                        return newest
        return newest
