"""A machine of ours with its scenario: what goes in, what each Task answers, and how to get to the ones off the path."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab import moto_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROOT = Path(__file__).parents[2]
NAMES = sorted(path.name.removesuffix(".asl.yaml") for path in (ROOT / "statemachines").glob("*.asl.yaml"))


@dataclass(frozen=True)
class Turns:
    """Answers one after the other; the last stays."""

    answers: tuple[Any, ...]


@dataclass(frozen=True)
class Variant:
    """What is otherwise than on the happy path; ``given`` is put into the input."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """``answers`` are raw results by state; ``detours`` name the failures that lead to states off the happy path.

    ``variants``: other answers, and another input, that lead to a state; an answer in ``Turns`` changes from call to call.
    """

    given: Any
    answers: Mapping[str, Any]
    output: Any
    path: list[str]
    detours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    variants: Mapping[str, Variant] = field(default_factory=dict)


def scenario(name: str) -> Scenario:
    found: Scenario = importlib.import_module(f"tests.workflows.scenarios.{name}").SCENARIO
    return found


def definition(name: str) -> dict[str, Any]:
    """The machine with every placeholder filled in by its own name in lower case."""
    text = (ROOT / "statemachines" / f"{name}.asl.yaml").read_text()
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)\}", lambda found: found[1].lower(), text))
    return filled


def states(scope: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every state, those inside of others too: a name is used once in a file."""
    found = dict(scope["States"])
    for body in scope["States"].values():
        for inner in [*body.get("Branches", []), *([body["ItemProcessor"]] if "ItemProcessor" in body else [])]:
            found |= states(inner)
    return found


def tasks(name: str) -> dict[str, dict[str, Any]]:
    return {state: body for state, body in states(definition(name)).items() if body["Type"] == "Task"}


@dataclass
class Stage:
    """Runs a machine with the answers of its scenario, and counts and keeps what each Task was given."""

    name: str
    given: dict[str, list[Any]] = field(default_factory=dict)

    def run(
        self,
        failing: Mapping[str, tuple[str, float]] | None = None,
        given: Any = None,
        towards: str = "",
        variant: Variant | None = None,
    ) -> moto_engine.Execution:
        """``failing`` gives, by state, an error's name and how many times it is raised before the state answers.

        ``towards``: the state whose variant is played, if it has one.
        """
        scene = scenario(self.name)
        other = variant or scene.variants.get(towards, Variant())
        answers = {**scene.answers, **other.answers}
        fakes = {state: self._fake(state, answers[state], (failing or {}).get(state)) for state in answers}
        begin = {**scene.given, **other.given} if given is None else given
        return moto_engine.run(definition(self.name), begin, fakes)

    def calls(self, state: str) -> int:
        return len(self.given.get(state, []))

    def _fake(self, state: str, answer: Any, failing: tuple[str, float] | None) -> Callable[[Any], Any]:
        def fake(arguments: Any) -> Any:
            self.given.setdefault(state, []).append(arguments)
            if failing and self.calls(state) <= failing[1]:
                raise moto_engine.TaskFailed(failing[0], f"{state} was told to fail")
            if isinstance(answer, Turns):
                return answer.answers[min(self.calls(state), len(answer.answers)) - 1]
            return answer

        return fake
