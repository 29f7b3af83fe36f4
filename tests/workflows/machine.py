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
class Scenario:
    """``answers`` are raw results by state; ``detours`` name the failures that lead to states off the happy path."""

    given: Any
    answers: Mapping[str, Any]
    output: Any
    path: list[str]
    detours: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def scenario(name: str) -> Scenario:
    found: Scenario = importlib.import_module(f"tests.workflows.scenarios.{name}").SCENARIO
    return found


def definition(name: str) -> dict[str, Any]:
    """The machine with every placeholder filled in by its own name in lower case."""
    text = (ROOT / "statemachines" / f"{name}.asl.yaml").read_text()
    filled: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{(\w+)\}", lambda found: found[1].lower(), text))
    return filled


def tasks(name: str) -> dict[str, dict[str, Any]]:
    return {state: body for state, body in definition(name)["States"].items() if body["Type"] == "Task"}


@dataclass
class Stage:
    """Runs a machine with the answers of its scenario, and counts and keeps what each Task was given."""

    name: str
    given: dict[str, list[Any]] = field(default_factory=dict)

    def run(self, failing: Mapping[str, tuple[str, float]] | None = None, given: Any = None) -> moto_engine.Execution:
        """``failing`` gives, by state, an error's name and how many times it is raised before the state answers."""
        scene = scenario(self.name)
        fakes = {state: self._fake(state, scene.answers[state], (failing or {}).get(state)) for state in scene.answers}
        return moto_engine.run(definition(self.name), scene.given if given is None else given, fakes)

    def calls(self, state: str) -> int:
        return len(self.given.get(state, []))

    def _fake(self, state: str, answer: Any, failing: tuple[str, float] | None) -> Callable[[Any], Any]:
        def fake(arguments: Any) -> Any:
            self.given.setdefault(state, []).append(arguments)
            if failing and self.calls(state) <= failing[1]:
                raise moto_engine.TaskFailed(failing[0], f"{state} was told to fail")
            return answer

        return fake
