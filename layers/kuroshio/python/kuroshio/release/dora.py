"""The four DORA figures, from the ledger's records of deployments and from nothing else.

Defined, for the 30 days before a moment:

- deployments: how many succeeded, that is ended with every unit live
- lead time: median over commits that went live then, from the merge to the end of the first deployment of their target,
  that of the merge itself or a later one, that succeeded; each commit counts once
- change failure rate: of the deployments that were begun then and are over, the percentage that failed
- time to restore: median over failures that ended then, from when the failure was live to the end of the deployment that
  succeeded next; failures that last are not in it yet

A deployment failed where a unit stayed behind; where it was cut off (it has no end, and another of its target began, or a
day passed); and where a later one took it back: by a commit that reverts one of its commits, or by bringing a unit back to
the artifact that it had before.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from kuroshio.release.history import Deployment

WINDOW = timedelta(days=30)
# A commit may have been merged, or a unit's earlier artifact deployed, before the window begins.
LOOK_BACK = timedelta(days=90)
_CUT_OFF = timedelta(days=1)


@dataclass(frozen=True)
class Figures:
    """None where there is nothing to compute a figure from. Times are in seconds, the rate in percent."""

    deployments: int
    lead_time: float | None
    change_failure_rate: float | None
    time_to_restore: float | None


@dataclass(frozen=True)
class _Failure:
    index: int
    begun: datetime
    ended_by: int  # the first deployment whose success can end it


def figures(deployments: Iterable[Deployment], now: datetime) -> Figures:
    """The figures of the window that ends now, over all targets."""
    targets: defaultdict[str, list[Deployment]] = defaultdict(list)
    for each in sorted(deployments, key=lambda each: each.key):
        targets[each.target].append(each)
    first = now - WINDOW
    leads, restores, begun, failed, succeeded = list[float](), list[float](), 0, 0, 0
    for history in targets.values():
        failures = {failure.index: failure for failure in _failures(history, now)}
        over = [at for at, each in enumerate(history) if each.started > first and (each.ended or at in failures)]
        begun += len(over)
        failed += sum(at in failures for at in over)
        succeeded += sum(each.succeeded and _is_in(each.ended, first) for each in history)
        leads += _lead_times(history, first)
        restores += _restore_times(history, failures.values(), first)
    return Figures(
        succeeded,
        median(leads) if leads else None,
        100 * failed / begun if begun else None,
        median(restores) if restores else None,
    )


def _lead_times(history: Sequence[Deployment], first: datetime) -> Iterator[float]:
    seen: set[str] = set()
    for at, each in enumerate(history):
        live = _next_success(history, at)
        if each.merged and each.commit not in seen and live is not None and _is_in(live, first):
            yield max((live - each.merged).total_seconds(), 0.0)
        seen.add(each.commit)


def _restore_times(history: Sequence[Deployment], failures: Iterable[_Failure], first: datetime) -> Iterator[float]:
    for failure in failures:
        restored = _next_success(history, failure.ended_by)
        if restored is not None and _is_in(restored, first):
            yield max((restored - failure.begun).total_seconds(), 0.0)


def _failures(history: Sequence[Deployment], now: datetime) -> Iterator[_Failure]:
    taken_back = _taken_back(history)
    for at, each in enumerate(history):
        if each.ended is None:
            if at + 1 < len(history) or now - each.started > _CUT_OFF:
                yield _Failure(at, each.started, at + 1)
        elif each.left:
            yield _Failure(at, each.ended, at + 1)
        elif at in taken_back:
            yield _Failure(at, each.ended, taken_back[at])


def _taken_back(history: Sequence[Deployment]) -> dict[int, int]:
    """By the index of a deployment that was taken back, the index of the one that did it."""
    found: dict[int, int] = {}
    before: dict[str, list[tuple[int, str]]] = {}  # of each unit the last two artifacts, and who deployed them
    by_commit: dict[str, int] = {}
    for at, each in enumerate(history):
        for sha in each.reverts:
            if sha in by_commit:
                found.setdefault(by_commit[sha], at)
        for sha in (each.commit, *each.commits):
            by_commit.setdefault(sha, at)
        for unit, digest in each.deployed.items():
            last = before.setdefault(unit, [])
            if digest and (not last or last[-1][1] != digest):
                if len(last) > 1 and last[-2][1] == digest:
                    found.setdefault(last[-1][0], at)
                before[unit] = [*last[-1:], (at, digest)]
    return found


def _next_success(history: Sequence[Deployment], start: int) -> datetime | None:
    return next((each.ended for each in history[start:] if each.succeeded), None)


def _is_in(time: datetime | None, first: datetime) -> bool:
    return time is not None and time > first
