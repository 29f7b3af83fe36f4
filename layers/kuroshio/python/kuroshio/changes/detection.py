"""Detect what a pull request changes: observe two commits, then decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kuroshio.changes.comparison import Comparison, Decision
from kuroshio.changes.narrowing import explained
from kuroshio.changes.observation import Observation, observe, snapshot
from kuroshio.changes.plan import Cause, Caveat, Change, Plan, Reason, UnitChange

if TYPE_CHECKING:
    from kuroshio.changes.imports.ports import Analyses as ImportAnalyses
    from kuroshio.changes.ports import Analyses, Repository
    from kuroshio.changes.unit import Unit


def detect(
    repository: Repository,
    base: str,
    head: str,
    analyses: Analyses | None = None,
    imports: ImportAnalyses | None = None,
) -> Plan:
    """Return the plan of merging ``head`` into ``base``: what differs between their merge base and ``head``.

    ``base`` and ``head`` are revisions. ``analyses`` and ``imports`` may know templates and source files from earlier runs. Whatever cannot be known makes
    the plan incomplete: a warning says what, and the units that it may concern are in the plan with cause "unknown".

    Raises RepositoryUnreadable when a revision or an object is not at hand, LimitExceeded when a bound is passed,
    SettingsInvalid when the head's kuroshio.yaml cannot be followed.
    """
    return decide(observe(repository, base, head, analyses, imports))


def decide(seen: Observation) -> Plan:
    """Return the plan that follows from what was observed."""
    decision = _with_doubts(Comparison(seen.before, seen.after, seen.changes, seen.formal).decide(), seen)
    return Plan(
        base=seen.base,
        head=seen.head,
        merge_base=seen.merge_base,
        complete=not decision.warnings,
        units=decision.units,
        infrastructure=decision.infrastructure,
        ignored=decision.ignored,
        unclassified=decision.unclassified,
        warnings=decision.warnings,
    )


def inventory(repository: Repository, revision: str) -> tuple[Unit, ...]:
    """Return all units of one commit, sorted by id. Raises what ``detect`` raises."""
    units = explained(snapshot(repository, revision), repository).units
    return tuple(units[unit] for unit in sorted(units))


def _with_doubts(decision: Decision, seen: Observation) -> Decision:
    """Put every unit of the head in doubt: the history itself cannot be trusted."""
    if not seen.doubts:
        return decision
    changes = {change.id: change for change in decision.units}
    for unit in seen.after.units.values():
        doubt = Reason(Cause.UNKNOWN, unit.template)
        change = changes.get(unit.id)
        if change is None:
            kind, packaging = unit.definition.kind, unit.definition.packaging
            wave = seen.after.settings.wave(unit.id)
            changes[unit.id] = UnitChange(unit.id, kind, packaging, Change.MODIFIED, (doubt,), wave=wave)
        elif doubt not in change.reasons:
            changes[unit.id] = replace(change, reasons=(*change.reasons, doubt))
    concerned = tuple(sorted(seen.after.units))
    warnings = [Caveat(code, path, message, concerned) for code, path, message in seen.doubts]
    return replace(
        decision,
        units=tuple(changes[unit] for unit in sorted(changes)),
        warnings=tuple(sorted((*decision.warnings, *warnings))),
    )
