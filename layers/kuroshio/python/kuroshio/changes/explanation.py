"""Why a unit is in the plan, or is not; and what a path belongs to, changed or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kuroshio.changes.comparison import covers
from kuroshio.changes.detection import decide
from kuroshio.changes.settings import FILE
from kuroshio.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.changes.observation import Observation
    from kuroshio.changes.plan import Plan, Reason
    from kuroshio.changes.unit import Unit

UNCHANGED = "unchanged"


@dataclass(frozen=True)
class UnitExplained:
    """One unit: what happens to it ("unchanged" where nothing does), for which reasons, and what it is made of."""

    unit: Unit
    change: str
    reasons: tuple[Reason, ...]
    omitted_reasons: int
    unknown: tuple[str, ...]
    compared: int  # changed files that were held against it


@dataclass(frozen=True)
class PathExplained:
    """One file: what happened to it, and which units are made of it, each with the links that lead to it.

    ``kind`` is "input", "template", "settings", "infrastructure", "ignored" or "unclassified".
    """

    path: str
    change: str
    kind: str
    units: tuple[tuple[str, tuple[str, ...]], ...]


def explain(seen: Observation, subject: str) -> UnitExplained | PathExplained:
    """Explain a unit by its id, or a file of either commit by its path. ``seen`` was observed without kept analyses: whole.

    Raises InvalidRequest when ``subject`` is neither.
    """
    unit = seen.after.units.get(subject) or seen.before.units.get(subject)
    if unit is not None:
        return _unit(seen, decide(seen), unit)
    if subject in seen.after.tree.entries or subject in seen.before.tree.entries:
        return _path(seen, subject)
    raise InvalidRequest(f'"{subject}" is neither a unit nor a file of these commits; `kuroshio units` lists the units')


def _unit(seen: Observation, plan: Plan, unit: Unit) -> UnitExplained:
    change = next((change for change in plan.units if change.id == unit.id), None)
    unknown = tuple(warning.message for warning in plan.warnings if unit.id in warning.units)
    if change is None:
        return UnitExplained(unit, UNCHANGED, (), 0, unknown, len(seen.changes))
    return UnitExplained(unit, change.change.value, change.reasons, change.omitted_reasons, unknown, len(seen.changes))


def _path(seen: Observation, path: str) -> PathExplained:
    change = seen.changes.get(path)
    units = dict(sorted(_owners(seen, path)))
    return PathExplained(
        path, change.cause.value if change else UNCHANGED, _kind(seen, path, units), tuple(units.items())
    )


def _owners(seen: Observation, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for side in (seen.before, seen.after):
        direct = {unit.id: links for unit in side.units.values() if (links := _links(unit, path)) is not None}
        yield from direct.items()
        for unit in side.units.values():
            yield from (
                (unit.id, (*direct[used], used)) for used in unit.uses if used in direct and unit.id not in direct
            )


def _links(unit: Unit, path: str) -> tuple[str, ...] | None:
    found = ((covers(each, path), each.through) for each in unit.inputs)
    return next(((*links, through) for links, through in found if links is not None), None)


def _kind(seen: Observation, path: str, units: dict[str, tuple[str, ...]]) -> str:
    if path == FILE:
        return "settings"
    plan = decide(seen)
    if path in seen.before.templates or path in seen.after.templates:
        return "template"
    if units:
        return "input"
    lists = {"infrastructure": plan.infrastructure, "ignored": plan.ignored, "unclassified": plan.unclassified}
    named = next((name for name, paths in lists.items() if path in paths), "")
    return named or ("ignored" if seen.after.settings.ignores(path) else "unclassified")
