"""The figures against their definitions, written down a second time: slowly, per commit, per failure, per deployment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

import pytest

from kuroshio.release.dora import WINDOW, Figures, figures
from kuroshio.release.history import Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UNITS = ("cart", "mail", "tax")


def history(seed: int) -> list[Deployment]:
    chance = random.Random(seed)  # noqa: S311 - no secret is drawn
    made: list[Deployment] = []
    for target in ("a/b#main", "c/d#main")[: chance.randint(1, 2)]:
        at = NOW - timedelta(days=chance.choice([2, 35, 60]))
        commits: list[str] = []
        while at < NOW and len(made) < chance.randint(1, 24):
            commit = chance.choice([f"{target}-{len(commits)}", *commits[-1:]])
            commits.append(commit)
            units = tuple(chance.sample(UNITS, chance.randint(1, 3)))
            ended = at + timedelta(minutes=chance.randint(1, 50)) if chance.random() < 0.9 else None
            failed = chance.random() < 0.25
            live = {u: chance.choice(["", "1", "2"]) for n, u in enumerate(units) if not (failed and n == 0)}
            reverts = (chance.choice(commits),) if chance.random() < 0.2 else ()
            merged = at - timedelta(minutes=chance.randint(0, 600)) if chance.random() < 0.9 else None
            made.append(Deployment(target, commit, at, units, merged, (), reverts, ended, live if ended else {}))
            at += timedelta(hours=chance.randint(1, 200))
    return made


def oracle(records: list[Deployment]) -> Figures:
    start = NOW - WINDOW
    targets = [sorted_of(records, target) for target in {each.target for each in records}]
    leads = [lead for ours in targets for lead in lead_times(ours, start)]
    ends = [(ours, n, end_of(ours, n)) for ours in targets for n in range(len(ours))]
    over = [end is not None for ours, n, end in ends if ours[n].started > start and (ours[n].ended or end is not None)]
    restores = []
    for ours, n, end in ends:
        back = None if end is None else restored(ours, end)
        if back and back > start:
            restores.append((back - (ours[n].ended or ours[n].started)).total_seconds())
    succeeded = sum(bool(each.ended and not each.left and each.ended > start) for each in records)
    rate = 100 * sum(over) / len(over) if over else None
    return Figures(succeeded, median(leads) if leads else None, rate, median(restores) if restores else None)


def sorted_of(records: list[Deployment], target: str) -> list[Deployment]:
    return sorted((each for each in records if each.target == target), key=lambda each: each.started)


def restored(ours: list[Deployment], after: int) -> datetime | None:
    return next((each.ended for each in ours[after:] if each.ended and not each.left), None)


def lead_times(ours: list[Deployment], start: datetime) -> Iterator[float]:
    for commit in {each.commit for each in ours}:
        first = min(n for n, each in enumerate(ours) if each.commit == commit)
        live, merged = restored(ours, first), ours[first].merged
        if merged and live and live > start:
            yield (live - merged).total_seconds()


def end_of(ours: list[Deployment], n: int) -> int | None:
    """The first deployment whose success ends the failure of ``n``, or None where it did not fail."""
    if ours[n].ended is None:
        return n + 1 if n + 1 < len(ours) or NOW - ours[n].started > timedelta(days=1) else None
    if ours[n].left:
        return n + 1
    return min((by for by in range(n + 1, len(ours)) if took_back(ours, n, by)), default=None)


def took_back(ours: list[Deployment], n: int, by: int) -> bool:
    """Whether deployment ``by`` reverts the commit that ``n`` brought first, or restores an artifact that ``n`` replaced."""
    if ours[n].commit in ours[by].reverts and not any(each.commit == ours[n].commit for each in ours[:n]):
        return True
    for unit, digest in ours[by].deployed.items():
        told = [(m, each.deployed[unit]) for m, each in enumerate(ours[:by]) if each.deployed.get(unit)]
        runs = [(m, d) for at, (m, d) in enumerate(told) if at == 0 or told[at - 1][1] != d]
        if digest and len(runs) > 1 and runs[-1][0] == n and runs[-1][1] != digest and runs[-2][1] == digest:
            return True
    return False


@pytest.mark.parametrize("seed", range(300))
def test_whatever_happened_the_figures_are_what_their_definitions_say(seed: int) -> None:
    records = history(seed)
    ours, theirs = figures(records, NOW), oracle(records)
    assert ours.deployments == theirs.deployments
    assert ours.change_failure_rate == pytest.approx(theirs.change_failure_rate)
    assert ours.lead_time == pytest.approx(theirs.lead_time)
    assert ours.time_to_restore == pytest.approx(theirs.time_to_restore)
