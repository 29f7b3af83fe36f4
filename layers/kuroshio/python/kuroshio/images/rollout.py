"""Put an image in force: the parameter that the template resolves and the functions of all stacks move together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Parameter(Protocol):
    """The SSM parameter that holds the address of the image in force."""

    def read(self) -> str:
        """Return its value. Raises NotFound where the foundation is not deployed."""

    def write(self, value: str) -> None:
        """Replace its value."""


class Stack(Protocol):
    """A stack of functions: the application, or the one beside the databases."""

    def exists(self) -> bool:
        """Tell whether the stack is deployed."""

    def update_in_place(self) -> bool:
        """Update with its previous template and parameter values, resolving the image parameter again, and wait.

        Returns whether anything was updated. Raises DeploymentFailed after CloudFormation has rolled back.
        """


@dataclass(frozen=True)
class RolledOut:
    """What a roll-out did. ``previous`` is what to give to ``roll_out`` for a way back."""

    image: str
    previous: str
    updated: bool


def roll_out(image: str, parameter: Parameter, stacks: Sequence[Stack], say: Callable[[str], None]) -> RolledOut:
    """Make ``image`` (an address with a digest) the one in force; where that fails, the one before stays in force.

    CloudFormation resolves the parameter at each update and at nothing else, so a value that no update has seen would
    be deployed by the next one, whatever it was meant for: the parameter never keeps a value that did not deploy.
    Where the second stack fails, the first goes back, too. Stacks that are not deployed yet are left alone.
    """
    previous = parameter.read()
    if previous != image:
        parameter.write(image)
    deployed = [stack for stack in stacks if stack.exists()]
    if not deployed:
        say("the application is not deployed yet: its first `sam deploy` will use this image")
    moved: list[Stack] = []
    updated = False
    try:
        for stack in deployed:
            updated = stack.update_in_place() or updated
            moved.append(stack)
    except BaseException:
        if previous != image:
            parameter.write(previous)
            say(f"put back {previous}")
            for stack in moved:
                stack.update_in_place()
        raise
    return RolledOut(image, previous, updated)
