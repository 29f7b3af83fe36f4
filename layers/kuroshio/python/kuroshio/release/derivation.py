"""Which units a release must deploy: from what is deployed to what is to be, whatever lies between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.changes.detection import detect, inventory
from kuroshio.changes.plan import Cause, Change, Plan, Reason, UnitChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.ports import Blob, Repository
    from kuroshio.changes.tree import FileChange, Tree
    from kuroshio.release.standing import Standing


@dataclass(frozen=True)
class Straight:
    """A repository in which two commits are compared as they are: after a forced push, too, all that differs travels."""

    repository: Repository

    def commit(self, revision: str) -> str:
        """Return the commit."""
        return self.repository.commit(revision)

    def merge_bases(self, base: str, head: str) -> tuple[str, ...]:
        """Return the base itself; nothing for a base that is the head: there is nothing to compare with."""
        return () if base == head else (base,)

    def is_cut(self, base: str, head: str, merge_base: str | None) -> bool:  # noqa: ARG002 - a port
        """Where history was cut does not matter to a comparison of two trees."""
        return False

    def tree(self, commit: str) -> Tree:
        """Return all files of the commit."""
        return self.repository.tree(commit)

    def changes(self, old: str, new: str) -> list[FileChange]:
        """Return the paths that differ."""
        return self.repository.changes(old, new)

    def blobs(self, oids: Iterable[str], max_bytes: int) -> Iterator[tuple[str, Blob]]:
        """Yield the contents of the blobs."""
        return self.repository.blobs(oids, max_bytes)


@dataclass(frozen=True)
class Release:
    """What is to be deployed: the plan of the whole way, and which of its units were owed before this push."""

    plan: Plan
    carried: tuple[str, ...]


def derive(repository: Repository, standing: Standing, before: str | None, after: str) -> Release:
    """Return what must be deployed so that everything is as ``after`` has it.

    Begins at what is deployed, or at ``before`` where nothing was ever recorded; with neither, every unit is new.
    A unit that is owed travels even where it looks as before: its last deployment may have got half-way.
    """
    straight, start = Straight(repository), standing.settled or before or after
    plan = _nothing(after) if start == standing.settled == after else detect(straight, start, after)
    units = {unit.id: unit for unit in plan.units}
    owed: dict[str, set[str]] = {}
    for debt in standing.debts:
        owed.setdefault(debt.since, set()).add(debt.unit)
    for since, names in owed.items():
        units |= _owed(straight, since, after, names)
    carried = tuple(sorted({debt.unit for debt in standing.debts} & units.keys()))
    return Release(replace(plan, units=tuple(units[name] for name in sorted(units))), carried)


def _owed(repository: Straight, since: str, after: str, names: set[str]) -> dict[str, UnitChange]:
    found = detect(repository, since, after).units if since != after else ()
    changed = {unit.id: unit for unit in found if unit.id in names}
    again = {unit.id: unit for unit in inventory(repository, after) if unit.id in names - changed.keys()}
    return changed | {
        name: UnitChange(
            name,
            unit.definition.kind,
            unit.definition.packaging,
            Change.MODIFIED,
            (Reason(Cause.UNKNOWN, unit.template, ("its last deployment did not succeed",)),),
        )
        for name, unit in again.items()
    }


def _nothing(commit: str) -> Plan:
    return Plan(commit, commit, commit, True, (), (), (), (), ())
