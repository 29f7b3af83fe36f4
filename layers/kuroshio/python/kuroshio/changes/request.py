"""The request to detect what a pull request changes, as the workflow and the function of that name take it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = "kuroshio.detect-request/1"

_OBJECT_ID = re.compile(r"[0-9a-f]{40}")
# GitHub's own limits: https://docs.github.com/rest refuses anything else as an owner or repository.
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,38})/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_MAX_NUMBER = 2**31


@dataclass(frozen=True)
class DetectRequest:
    """A pull request at one moment: two commits of it, and a git bundle that has both."""

    repository: str
    pull_request: int
    base: str
    head: str

    @property
    def _name(self) -> str:
        return f"{self.repository}/pr-{self.pull_request}/{self.head}-{self.base}"

    @property
    def bundle(self) -> str:
        """The key of the bundle in the incoming bucket."""
        return f"incoming/{self._name}.bundle"

    @property
    def plan(self) -> str:
        """The key of the plan in the plan bucket: one per pair of commits, for ever."""
        return f"plans/{self._name}.json"

    @property
    def report(self) -> str:
        """The key of the plan's Markdown rendering."""
        return f"plans/{self._name}.md"

    @property
    def execution(self) -> str:
        """The name of the execution: Step Functions starts it once however often it is asked to."""
        # Forks share commits and pull requests share numbers, so the repository is part of the name; 80 characters fit.
        return (
            f"pr-{self.pull_request}-{self.head[:12]}-{self.base[:12]}-{sha256(self._name.encode()).hexdigest()[:12]}"
        )

    def document(self) -> dict[str, Any]:
        """Return the request as it travels."""
        return {
            "schema": SCHEMA,
            "repository": self.repository,
            "pull_request": self.pull_request,
            "base": self.base,
            "head": self.head,
            "bundle": self.bundle,
        }


def parse(event: object) -> DetectRequest:
    """Return the request in ``event``. Unknown fields are left alone: Step Functions adds some of its own.

    Raises InvalidRequest that names every field which is wrong, and what it must be.
    """
    if not isinstance(event, dict):
        raise InvalidRequest(f"the request is {_shown(event)}; it must be an object with the schema {SCHEMA}")
    wrong = [f"{field} is {_shown(event.get(field))}; it must be {rule}" for field, rule in _broken(event)]
    if wrong:
        raise InvalidRequest(". ".join(wrong))
    request = DetectRequest(event["repository"], event["pull_request"], event["base"], event["head"])
    if event["bundle"] != request.bundle:
        raise InvalidRequest(f"bundle is {_shown(event['bundle'])}; for this pull request it must be {request.bundle}")
    return request


def request(repository: str, pull_request: int, base: str, head: str) -> DetectRequest:
    """Return the request for these values. Raises InvalidRequest as ``parse`` does."""
    return parse(DetectRequest(repository, pull_request, base, head).document())


def _broken(event: dict[str, Any]) -> list[tuple[str, str]]:
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "schema": (lambda value: value == SCHEMA, SCHEMA),
        "repository": (lambda value: _matches(_REPOSITORY, value), '"owner/name" as on GitHub'),
        "pull_request": (_is_number, "the number of the pull request"),
        "base": (lambda value: _matches(_OBJECT_ID, value), "a commit id of 40 hexadecimal digits"),
        "head": (lambda value: _matches(_OBJECT_ID, value), "a commit id of 40 hexadecimal digits"),
        "bundle": (lambda value: isinstance(value, str), "the key of a git bundle in the incoming bucket"),
    }
    return [(field, rule) for field, (holds, rule) in rules.items() if not holds(event.get(field))]


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < _MAX_NUMBER


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return ascii(value)[:120]
