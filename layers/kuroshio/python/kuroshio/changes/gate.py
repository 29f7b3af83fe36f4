"""The second gate, passed at a release: what git flagged but the build left equal to what is deployed is dropped.

It drops content alone. A changed definition is deployed though the code is the same (its configuration differs), and so is
what cannot be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kuroshio.changes.plan import Cause, Change, Plan, UnitChange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.identity import Identity

# What an equal artifact disproves.
_OF_CONTENT = frozenset(
    {Cause.CONTENT, Cause.ADDED, Cause.DELETED, Cause.RENAMED, Cause.MODE, Cause.SYMLINK, Cause.SUBMODULE}
)
_OF_OTHER_UNITS = frozenset({Cause.LAYER, Cause.TASK_DEFINITION})
_DOUBTS_OF_CONTENT = ("source-", "symlink-")


class Deployed(Protocol):
    """What is deployed now."""

    def identity(self, unit: str) -> Identity | None:
        """Return the identity of the unit's deployed artifact; None: nothing is deployed, or it cannot be told."""


@dataclass(frozen=True)
class Passed:
    """The units of a plan that are to be deployed, and those whose artifact is deployed already."""

    deploy: tuple[UnitChange, ...]
    equal: tuple[UnitChange, ...]


def second_gate(plan: Plan, built: Mapping[str, Identity], deployed: Deployed) -> Passed:
    """Divide the units of ``plan`` by comparing what was ``built`` with what is ``deployed``.

    A unit that uses another (a layer) is deployed whenever that other is.
    """
    doubted = {
        unit for warning in plan.warnings if not warning.code.startswith(_DOUBTS_OF_CONTENT) for unit in warning.units
    }
    equal: set[str] = set()
    # Those that use no other unit first: whether the others are equal depends on them.
    for change in sorted(
        plan.units, key=lambda change: any(reason.cause in _OF_OTHER_UNITS for reason in change.reasons)
    ):
        if change.id not in doubted and _may_be_equal(change, equal) and _is_equal(change.id, built, deployed):
            equal.add(change.id)
    return Passed(
        tuple(change for change in plan.units if change.id not in equal),
        tuple(change for change in plan.units if change.id in equal),
    )


def _may_be_equal(change: UnitChange, equal: set[str]) -> bool:
    """Whether an equal artifact would disprove every reason, those that were counted only included."""
    if change.change is not Change.MODIFIED or change.omitted_reasons:
        return False
    return all(
        reason.cause in _OF_CONTENT
        or reason.cause is Cause.UNKNOWN
        or (reason.cause in _OF_OTHER_UNITS and reason.through[-1] in equal)
        for reason in change.reasons
    )


def _is_equal(unit: str, built: Mapping[str, Identity], deployed: Deployed) -> bool:
    return unit in built and built[unit] == deployed.identity(unit)
