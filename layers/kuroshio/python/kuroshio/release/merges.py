"""The pull requests that a push merged, and how the merge differs from what they forecast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Merges(Protocol):
    """What GitHub knows of commits."""

    def pulls_of(self, commit: str) -> list[dict[str, Any]]:
        """Return the pull requests that are associated with a commit."""


@dataclass(frozen=True)
class Difference:
    """How what a push really changed differs from the stored plan of one of its pull requests.

    ``unplanned`` are units that no pull request of the push had forecast. ``is_known`` is False without a stored plan.
    """

    is_known: bool
    absent: tuple[str, ...] = ()
    unplanned: tuple[str, ...] = ()


def merged(merges: Merges, commits: Iterable[str], branch: str) -> tuple[int, ...]:
    """Return the numbers of the pull requests that these commits of ``branch`` merged, in their order.

    A merge commit, a squashed commit, the last commit of a rebase and each commit of a queue is its pull request's
    ``merge_commit_sha``; a commit that merely passed through another pull request is not.
    """
    found: dict[int, None] = {}
    pushed = list(commits)
    for commit in pushed:
        for pull in merges.pulls_of(commit):
            is_of_branch = pull["base"]["ref"] == branch and pull.get("merged_at")
            if is_of_branch and pull.get("merge_commit_sha") in pushed:
                found.setdefault(pull["number"])
    return tuple(found)


def differences(stored: Mapping[int, frozenset[str] | None], really: frozenset[str]) -> dict[int, Difference]:
    """Compare the stored plans' units, by pull request, with the units that the push really changed."""
    forecast = frozenset().union(*(units for units in stored.values() if units is not None))
    unplanned = () if None in stored.values() else tuple(sorted(really - forecast))
    return {
        number: Difference(False)
        if units is None
        else Difference(True, absent=tuple(sorted(units - really)), unplanned=unplanned)
        for number, units in stored.items()
    }
