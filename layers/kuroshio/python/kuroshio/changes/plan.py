"""The plan: which units a pull request changes, and why. A value; it never changes after it was made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SCHEMA = "kuroshio.plan/1"

# What is kept of a unit's reasons when thousands of its files changed; the rest is counted, never dropped silently.
MAX_REASONS = 100


class Cause(StrEnum):
    """What happened to the path of a reason, in the order in which reasons are listed.

    New causes may be added within one version of the schema.
    """

    UNIT_ADDED = "unit-added"  # the template gained the unit
    UNIT_REMOVED = "unit-removed"  # the template lost the unit, or the template is gone
    UNKNOWN = "unknown"  # what happened cannot be known; the warning with the same path says why
    DEFINITION = "definition"  # the effective definition differs; `through` names what differs in it
    CONTENT = "content"  # an input has other content
    ADDED = "added"  # an input is new
    DELETED = "deleted"  # an input is gone
    RENAMED = "renamed"  # an input came from, or went to, the path that `through` begins with
    MODE = "mode"  # an input became executable, or ceased to be
    SYMLINK = "symlink"  # an input is, or was, a symbolic link whose target differs
    SUBMODULE = "submodule"  # an input is, or was, a submodule at another commit
    LAYER = "layer"  # a layer that the function uses changed; `through` ends with the layer's id
    TASK_DEFINITION = "task-definition"  # the task definition of the ECS service changed; `through` ends with its id


class Change(StrEnum):
    """What happens to a unit."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"


@dataclass(frozen=True, order=True)
class Reason:
    """Why a unit changes: what happened (``cause``) to ``path``, and the links that lead from there to the unit.

    ``through`` reads from the path towards the unit: property names such as ``CodeUri``, unit ids for dependencies.
    """

    cause: Cause
    path: str
    through: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnitChange:
    """One unit that the pull request adds, modifies or removes. ``omitted_reasons`` counts those beyond MAX_REASONS.

    Units are deployed by ``wave``, the lowest first; 1 for all where kuroshio.yaml gives no order.
    """

    id: str
    kind: str
    packaging: str
    change: Change
    reasons: tuple[Reason, ...]
    omitted_reasons: int = 0
    wave: int = 1


@dataclass(frozen=True, order=True)
class Caveat:
    """A warning: something that a reader must know. ``units`` are those it may concern; ``code`` is stable, ``message`` is not."""

    code: str
    path: str
    message: str
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """All that a pull request changes. ``complete`` is False when something cannot be known; a warning says what.

    Every changed file is a reason of some unit, or is listed as infrastructure, ignored or unclassified.
    """

    base: str
    head: str
    merge_base: str | None
    complete: bool
    units: tuple[UnitChange, ...]
    infrastructure: tuple[str, ...]
    ignored: tuple[str, ...]
    unclassified: tuple[str, ...]
    warnings: tuple[Caveat, ...]

    def count(self, change: Change) -> int:
        """How many units are added, modified or removed."""
        return sum(unit.change is change for unit in self.units)
