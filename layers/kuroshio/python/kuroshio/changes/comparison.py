"""Decide: two snapshots and the files that differ between them become reasons, unit by unit."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from kuroshio.changes import dockerignore
from kuroshio.changes.classification import is_infrastructure
from kuroshio.changes.plan import MAX_REASONS, Cause, Caveat, Change, Reason, UnitChange
from kuroshio.changes.unit import Kind
from kuroshio.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kuroshio.changes.snapshot import Snapshot
    from kuroshio.changes.tree import ChangedFiles, FileChange
    from kuroshio.changes.unit import Definition, Input, Unit

# Nested folders that are each a unit's source multiply what a change costs; real repositories stay far below.
MAX_MATCHES = 5_000_000

_RANK = {cause: rank for rank, cause in enumerate(Cause)}


@dataclass(frozen=True)
class Decision:
    """What differs between two snapshots."""

    units: tuple[UnitChange, ...]
    infrastructure: tuple[str, ...]
    ignored: tuple[str, ...]
    unclassified: tuple[str, ...]
    warnings: tuple[Caveat, ...]


@dataclass
class _Reasons:
    """The reasons of one unit: all of them counted, the first MAX_REASONS kept."""

    kept: set[Reason] = field(default_factory=set)
    omitted: int = 0

    def add(self, reasons: Iterable[Reason], omitted: int = 0) -> None:
        self.kept.update(reasons)
        self.omitted += omitted

    def result(self) -> tuple[tuple[Reason, ...], int]:
        ordered = sorted(self.kept, key=lambda reason: (_RANK[reason.cause], reason.path, reason.through))
        return tuple(ordered[:MAX_REASONS]), self.omitted + max(0, len(ordered) - MAX_REASONS)


class Comparison:
    """Compares ``base`` with ``head``. ``formal`` are changed paths whose old and new content mean the same."""

    def __init__(self, base: Snapshot, head: Snapshot, changed: ChangedFiles, formal: frozenset[str]) -> None:
        self._base = base
        self._head = head
        self._changed = changed
        self._formal = formal
        self._matches: dict[Input, list[FileChange]] = {}
        self._matched = 0
        self._warnings: dict[tuple[str, str, str], set[str]] = {}
        self._doubted: set[str] = set()
        # A change of documentation alone cannot be what an unknown source was built from.
        self._is_relevant = any(not self._is_ignored(change.path) for change in changed)

    def decide(self) -> Decision:
        """Return what changes, each list sorted."""
        self._doubt_templates()
        ids = sorted({*self._base.units, *self._head.units})
        reasons = {unit: self._own_reasons(unit) for unit in ids if not self._is_still(unit)}
        units = [self._change(unit, reasons) for unit in ids if unit in reasons or self._uses_any(unit, reasons)]
        changes = tuple(change for change in units if change.reasons)
        return self._classified(changes)

    def _is_still(self, unit: str) -> bool:
        """Whether nothing of the unit can differ, seen at a glance: most units of a large repository."""
        after = self._head.units.get(unit)
        return (
            after is not None
            and after is self._base.units.get(unit)
            and not after.doubts
            and after.template not in self._doubted
            and self._changed.folders.isdisjoint([each.path for each in after.inputs])
        )

    def _uses_any(self, unit: str, reasons: dict[str, _Reasons]) -> bool:
        sides = (self._base.units.get(unit), self._head.units.get(unit))
        return any(used in reasons for side in sides if side for used in side.uses)

    def _own_reasons(self, unit: str) -> _Reasons:
        before, after = self._base.units.get(unit), self._head.units.get(unit)
        reasons = _Reasons()
        if before is None or after is None:
            reasons.add(self._appearance(before, after))
        else:
            reasons.add(_definition_reasons(before.template, before.definition, after.definition))
            reasons.add(_given_reasons(before, after))
        for each in dict.fromkeys((*(before.inputs if before else ()), *(after.inputs if after else ()))):
            matches = self._matching(each)
            kept = [_input_reason(change, each) for change in matches[:MAX_REASONS]]
            reasons.add(kept, len(matches) - len(kept))
        reasons.add(self._doubt_reasons(before, after))
        return reasons

    def _appearance(self, before: Unit | None, after: Unit | None) -> Iterator[Reason]:
        unit = before or after
        assert unit is not None  # noqa: S101 - an id of either snapshot
        other = (self._head if before else self._base).templates.get(unit.template)
        if other is not None and not other.units and other.doubts:
            return  # the other side cannot be read: the unit may well be there, and is doubted as a whole
        yield Reason(Cause.UNIT_REMOVED if before else Cause.UNIT_ADDED, unit.template)

    def _matching(self, each: Input) -> list[FileChange]:
        """Return the changed files that an input covers."""
        if each not in self._matches:
            self._matches[each] = [change for change in self._changed.below(each.path) if self._is_real(each, change)]
            self._matched += len(self._matches[each])
            if self._matched > MAX_MATCHES:
                raise LimitExceeded(f"changed files and the units' sources meet more than {MAX_MATCHES:,} times")
        return self._matches[each]

    def _is_real(self, each: Input, change: FileChange) -> bool:
        if each.canonical and change.path in self._formal:
            return False
        return covers(each, change.path) is not None

    def _doubt_reasons(self, before: Unit | None, after: Unit | None) -> Iterator[Reason]:
        unit = after or before
        assert unit is not None  # noqa: S101 - an id of either snapshot
        if after and self._is_relevant:
            for code, message in after.doubts:
                self._warn(code, after.template, message, after.id)
                yield Reason(Cause.UNKNOWN, after.template)
        if unit.template in self._doubted:
            yield Reason(Cause.UNKNOWN, unit.template)

    def _doubt_templates(self) -> None:
        """Warn of each template that leaves something open; those that leave all their units open are remembered."""
        for path in sorted({*self._base.templates, *self._head.templates}):
            self._doubt_template(path)

    def _doubt_template(self, path: str) -> None:
        is_changed = self._changed.get(path) is not None
        for side in (self._base, self._head):
            template = side.templates.get(path)
            for doubt in (*template.doubts, *side.lost.get(path, ())) if template else ():
                if not is_changed and not (doubt.standing and self._is_relevant):
                    continue
                concerns_all = is_changed and not (doubt.standing and template and template.units)
                units = self._units_of(path) if concerns_all else ()
                self._doubted.update([path] if units else [])
                self._warn(doubt.code, path, doubt.message, *units)

    def _units_of(self, template: str) -> tuple[str, ...]:
        sides = (self._base.units.values(), self._head.units.values())
        return tuple(sorted({unit.id for units in sides for unit in units if unit.template == template}))

    def _warn(self, code: str, path: str, message: str, *units: str) -> None:
        self._warnings.setdefault((code, path, message), set()).update(units)

    def _change(self, unit: str, reasons: dict[str, _Reasons]) -> UnitChange:
        before, after = self._base.units.get(unit), self._head.units.get(unit)
        known = after or before
        assert known is not None  # noqa: S101 - an id of either snapshot
        own = reasons.get(unit) or _Reasons()
        if before and after:
            for used in sorted({*before.uses, *after.uses} & reasons.keys()):
                kept, omitted = reasons[used].result()
                cause = Cause.LAYER if known.definition.kind is Kind.FUNCTION else Cause.TASK_DEFINITION
                through = (Reason(cause, reason.path, (*reason.through, used)) for reason in kept)
                own.add(through, omitted)
        kept, omitted = own.result()
        change = _change_of({reason.cause for reason in kept})
        wave = self._head.settings.wave(unit)
        return UnitChange(unit, known.definition.kind, known.definition.packaging, change, kept, omitted, wave)

    def _classified(self, units: tuple[UnitChange, ...]) -> Decision:
        explained = {change.path for matches in self._matches.values() for change in matches}
        defining = {reason.path for unit in units for reason in unit.reasons}
        lists: dict[str, list[str]] = {"infrastructure": [], "ignored": [], "unclassified": []}
        for change in self._changed:
            name = self._class_of(change.path, change.path in explained or change.path in defining)
            if name:
                lists[name].append(change.path)
        return Decision(
            units=units,
            infrastructure=tuple(lists["infrastructure"]),
            ignored=tuple(lists["ignored"]),
            unclassified=tuple(lists["unclassified"]),
            warnings=tuple(sorted(Caveat(*key, tuple(sorted(units))) for key, units in self._warnings.items())),
        )

    def _class_of(self, path: str, is_explained: bool) -> str:  # noqa: FBT001 - two facts about one path
        before, after = self._base.templates.get(path), self._head.templates.get(path)
        if before or after:
            rest = {template.rest for template in (before, after) if template}
            return "" if is_explained and len(rest) == 1 and before and after else "infrastructure"
        if is_explained:
            return ""
        if path in self._formal:
            return "ignored"
        if path in self._infrastructure_files or is_infrastructure(path):
            return "infrastructure"
        return "ignored" if self._is_ignored(path) else "unclassified"

    def _is_ignored(self, path: str) -> bool:
        """Both commits have to say so, or a pull request could hide its own change."""
        return self._base.settings.ignores(path) and self._head.settings.ignores(path)

    @cached_property
    def _infrastructure_files(self) -> frozenset[str]:
        inputs = self._base.infrastructure | self._head.infrastructure
        return frozenset(change.path for each in inputs for change in self._changed.below(each.path))


def covers(each: Input, path: str) -> tuple[str, ...] | None:
    """Return the files that lead from ``path`` to the unit of an input, mostly none; None: the input does not hold it."""
    if each.path and path != each.path and not path.startswith(f"{each.path}/"):
        return None
    if each.members is not None:
        return each.members.through(path)
    within = path[len(each.path) :].lstrip("/")
    return None if each.excluded and dockerignore.excludes(each.excluded, within) else ()


def _definition_reasons(template: str, before: Definition, after: Definition) -> Iterator[Reason]:
    for part in sorted({name for name, _ in {*before.parts} ^ {*after.parts}}):
        yield Reason(Cause.DEFINITION, template, (part,))


def _given_reasons(before: Unit, after: Unit) -> Iterator[Reason]:
    """What a nesting template gives; where that template lies does not matter."""
    old, new = ({(part, digest) for _, part, digest in unit.given} for unit in (before, after))
    for template, part, digest in sorted(before.given | after.given):
        if (part, digest) in old ^ new:
            yield Reason(Cause.DEFINITION, template, (part,))


def _input_reason(change: FileChange, each: Input) -> Reason:
    through = (*(covers(each, change.path) or ()), each.through)
    cause = change.cause
    if cause is Cause.RENAMED:
        through = (change.counterpart, *through)
    return Reason(cause, change.path, through)


def _change_of(causes: set[Cause]) -> Change:
    if Cause.UNIT_ADDED in causes:
        return Change.ADDED
    return Change.REMOVED if Cause.UNIT_REMOVED in causes else Change.MODIFIED
