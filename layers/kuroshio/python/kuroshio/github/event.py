"""Which commits a GitHub event asks about.

Shapes: https://docs.github.com/webhooks/webhook-events-and-payloads (pull_request, merge_group, push).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from kuroshio.errors import InvalidRequest

_PULL_REQUEST = ("pull_request", "pull_request_target")
# The queue's branch is named after the last pull request of its group.
_QUEUED = re.compile(r"(?:refs/heads/)?gh-readonly-queue/.+/pr-(\d+)-[0-9a-f]{40}")


@dataclass(frozen=True)
class Order:
    """When an event happened: a rerun of an old event keeps its place, however late it runs.

    ``updated`` is the pull request's own ``updated_at`` (UTC, whole seconds); ``run`` decides within a second.
    """

    updated: str
    run: int

    def is_after(self, other: Order) -> bool:
        """Whether this event is the newer one. ISO 8601 in UTC sorts as text."""
        return (self.updated, self.run) > (other.updated, other.run)


@dataclass(frozen=True)
class Subject:
    """The commits to plan. ``order`` is None where nothing is said on a pull request: in a merge queue."""

    repository: str
    number: int
    base: str
    head: str
    is_fork: bool = False
    order: Order | None = None


@dataclass(frozen=True)
class Nothing:
    """The event asks for no plan, and why."""

    why: str


@dataclass(frozen=True)
class Push:
    """A branch that moved. ``before`` is None where the branch is new."""

    repository: str
    branch: str
    before: str | None
    after: str


def subject(name: str, event: dict[str, Any], run: int) -> Subject | Nothing:
    """Return what to plan for the event ``name``. Raises InvalidRequest for an event that has no two commits."""
    try:
        if name in _PULL_REQUEST:
            return _skipped(event) or _pull_request(event, run)
        if name == "merge_group":
            return _merge_group(event)
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRequest(f"the event {name} lacks {error}; run this on pull_request or merge_group") from None
    raise InvalidRequest(f"the event is {name}; this plans pull_request and merge_group")


def push(event: dict[str, Any]) -> Push | Nothing:
    """Return how a branch moved. Raises InvalidRequest for anything else than a push."""
    try:
        return _push(event["repository"]["full_name"], event["ref"], event["before"], event["after"])
    except (AttributeError, KeyError, TypeError) as error:
        raise InvalidRequest(f"the event lacks {error}; run this on push") from None


def _push(repository: str, ref: str, before: str, after: str) -> Push | Nothing:
    if not ref.startswith("refs/heads/"):
        return Nothing(f"{ref} is no branch")
    if _is_nothing(after):
        return Nothing(f"{ref} was deleted")
    return Push(repository, ref.removeprefix("refs/heads/"), None if _is_nothing(before) else before, after)


def _skipped(event: dict[str, Any]) -> Nothing | None:
    number = event["pull_request"]["number"]
    if event["action"] == "closed":
        return Nothing(f"pull request {number} is closed")
    if event["action"] == "edited" and "base" not in event.get("changes", {}):
        return Nothing(f"of pull request {number} only words were edited")
    return None


def _pull_request(event: dict[str, Any], run: int) -> Subject:
    pull = event["pull_request"]
    base, head = pull["base"], pull["head"]
    # The repository of a head is null once the fork was deleted.
    is_fork = (head["repo"] or {}).get("id") != base["repo"]["id"]
    order = Order(pull["updated_at"], run)
    return Subject(base["repo"]["full_name"], pull["number"], base["sha"], head["sha"], is_fork, order)


def _merge_group(event: dict[str, Any]) -> Subject | Nothing:
    group = event["merge_group"]
    if event["action"] != "checks_requested":
        return Nothing("the merge group was taken apart")
    queued = _QUEUED.fullmatch(group["head_ref"])
    if not queued:
        raise InvalidRequest(f"the merge group's branch {group['head_ref']} names no pull request")
    return Subject(event["repository"]["full_name"], int(queued[1]), group["base_sha"], group["head_sha"])


def _is_nothing(commit: str) -> bool:
    return set(commit) == {"0"}
