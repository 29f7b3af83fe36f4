"""State machines judged from the inside, since no public linter looks into those of SAM templates.

Each rule takes a machine and returns what is wrong; ``findings`` runs all of them over ``statemachines/*.asl.yaml``.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from kuroshio import errors
from lab.lint import integrations
from lab.lint.expansion import TEMPLATES
from lab.lint.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_LAMBDA_FIVE = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
]
_PASCAL = re.compile(r"(?:[A-Z][a-z0-9]+)+")
_SUBSTITUTION = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Machine:
    """A definition, and what the template gives to it. ``given`` is None where no template names the file."""

    path: str
    text: str
    given: frozenset[str] | None

    @property
    def definition(self) -> dict[str, Any]:
        """The document, placeholders and all."""
        document: dict[str, Any] = yaml.safe_load(self.text)
        return document


def machines(root: Path) -> Iterator[Machine]:
    """Yield every machine of the repository with the substitutions that its template defines for it."""
    resources = [each for name in TEMPLATES for each in yaml_parse((root / name).read_text())["Resources"].values()]
    given = {
        resource["Properties"]["DefinitionUri"]: frozenset(resource["Properties"].get("DefinitionSubstitutions", {}))
        for resource in resources
        if resource["Type"] == "AWS::Serverless::StateMachine"
    }
    for path in sorted((root / "statemachines").glob("*.asl.yaml")):
        name = path.relative_to(root).as_posix()
        yield Machine(name, path.read_text(), given.get(name))


def findings(root: Path) -> list[Finding]:
    """Return all that is wrong with the machines of the repository."""
    return [finding for machine in machines(root) for finding in judge(machine)]


def judge(machine: Machine) -> list[Finding]:
    """Return all that is wrong with one machine."""
    definition = machine.definition
    scopes = list(_scopes(definition))
    named = [(name, state) for scope in scopes for name, state in scope["States"].items()]
    found = [
        *_head(definition),
        *_substitutions(machine),
        *(objection for scope in scopes for objection in _graph(scope)),
        *_names([name for name, _ in named]),
        *(objection for name, state in named for objection in _state(name, state)),
    ]
    return [Finding(f"{machine.path}:{where}" if where else machine.path, rule, said) for where, rule, said in found]


Objection = tuple[str, str, str]  # state, rule, message


def _scopes(scope: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The machine and the processors and branches in it: names are targets only within their own scope."""
    yield scope
    for state in scope["States"].values():
        inner = [*state.get("Branches", []), *([state["ItemProcessor"]] if "ItemProcessor" in state else [])]
        for nested in inner:
            yield from _scopes(nested)


def _head(definition: Mapping[str, Any]) -> Iterator[Objection]:
    for field in ("Comment", "TimeoutSeconds"):
        if field not in definition:
            yield "", "head", f"{field} is missing at the top"
    if definition.get("QueryLanguage") != "JSONata":
        yield "", "head", "QueryLanguage is not JSONata"


def _substitutions(machine: Machine) -> Iterator[Objection]:
    used = frozenset(_SUBSTITUTION.findall(machine.text))
    if machine.given is None:
        yield "", "substitution", "no state machine of a template has this file as its DefinitionUri"
        return
    for name in sorted(used - machine.given):
        yield "", "substitution", f"${{{name}}} is used, and no template defines it"
    for name in sorted(machine.given - used):
        yield "", "substitution", f"a template defines {name}, and nothing uses it"


def _graph(scope: Mapping[str, Any]) -> Iterator[Objection]:
    states, reached = scope["States"], set()
    ahead = [scope.get("StartAt", "")]
    while ahead:
        name = ahead.pop()
        if name in reached:
            continue
        if name not in states:
            yield name, "target", "the state is gone to, and does not exist"
            continue
        reached.add(name)
        ahead += _next(states[name])
    for name in sorted(set(states) - reached):
        yield name, "reachable", "nothing leads here"


def _next(state: Mapping[str, Any]) -> list[str]:
    ways = [state, *state.get("Catch", []), *state.get("Choices", []), {"Next": state.get("Default")}]
    return [way["Next"] for way in ways if way.get("Next")]


def _names(names: list[str]) -> Iterator[Objection]:
    for name in sorted(set(names)):
        if names.count(name) > 1:
            yield name, "name", "the name is used twice in this file"
        if not _PASCAL.fullmatch(name):
            yield name, "name", "a state's name is PascalCase"


def _state(name: str, state: Mapping[str, Any]) -> Iterator[Objection]:
    commented = [state, *state.get("Catch", []), *state.get("Choices", [])]
    if not all(part.get("Comment") for part in commented):
        yield name, "comment", "a state, each catcher and each choice say why"
    if state["Type"] == "Task":
        if "TimeoutSeconds" not in state:
            yield name, "timeout", "a Task without TimeoutSeconds waits for as long as the execution may live"
        for said in [*_retries(state), *integrations.objections(state)]:
            yield name, *said
    for error in _own_errors(state):
        if error not in _ERRORS:
            yield name, "error", f"{error} is no class of kuroshio.errors"


def _own_errors(state: Mapping[str, Any]) -> list[str]:
    handlers = [*state.get("Retry", []), *state.get("Catch", [])]
    named = [error for handler in handlers for error in handler["ErrorEquals"]]
    if state["Type"] == "Fail" and not str(state.get("Error", "{%")).startswith("{%"):
        named.append(state["Error"])
    return [error for error in named if "." not in error]


def _retries(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    retriers = state.get("Retry", [])
    if [retrier["ErrorEquals"] for retrier in retriers] != standard_retriers(state["Resource"]):
        yield "retry", f"the retriers are not the standard ones: {standard_retriers(state['Resource'])}"
    for retrier in retriers:
        if retrier.get("JitterStrategy") != "FULL" or "MaxDelaySeconds" not in retrier:
            yield "retry", f"the retrier of {retrier['ErrorEquals'][0]} lacks JitterStrategy FULL or MaxDelaySeconds"


def standard_retriers(resource: str) -> list[list[str]]:
    """Return the ErrorEquals of the retriers that a Task of this resource has, in order.

    Functions: our transient errors, then Lambda's own five (Step Functions guide, "Best practices"). SDK integrations:
    what the SDK for Java raises when it could not call, and when the service refused.
    """
    if ":lambda:invoke" in resource:
        return [_TRANSIENT, _LAMBDA_FIVE]
    service = resource.rsplit(":::", maxsplit=1)[-1].removeprefix("aws-sdk:").split(":")[0]
    prefix = integrations.error_prefix(service)
    return [[f"{prefix}.SdkClientException", f"{prefix}.{prefix}Exception"]]


_ERRORS = {name for name, kind in vars(errors).items() if inspect.isclass(kind)}
# Step Functions compares names and knows no inheritance: each transient class is named.
_TRANSIENT = sorted(kind.__name__ for kind in errors.TransientError.__subclasses__())
