"""Detect what a pull request changes: observe two commits, then decide."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kuroshio.changes import dockerignore
from kuroshio.changes.analysis import Analysis, Doubt, analyse, looks_like_template
from kuroshio.changes.canonical import digest
from kuroshio.changes.comparison import Comparison, Decision
from kuroshio.changes.document import MAX_BYTES, load
from kuroshio.changes.plan import Cause, Caveat, Change, Plan, Reason, UnitChange
from kuroshio.changes.ports import Analyses, Blob, NoAnalyses, Repository
from kuroshio.changes.snapshot import Snapshot
from kuroshio.changes.tree import ChangedFiles, Tree, may_be_template
from kuroshio.errors import LimitExceeded, TemplateUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kuroshio.changes.unit import Unit

_NO_HISTORY = (
    "base and head share no commit, so what the pull request changes cannot be told from what its base changed"
)
_CUT = "the clone is shallow: history that leads to the merge base is missing; fetch it with: git fetch --unshallow"
_CRISS_CROSS = "base and head have several merge bases ({}); only the first was compared"


def detect(repository: Repository, base: str, head: str, analyses: Analyses | None = None) -> Plan:
    """Return the plan of merging ``head`` into ``base``: what differs between their merge base and ``head``.

    ``base`` and ``head`` are revisions. ``analyses`` may know templates from earlier runs. Whatever cannot be known makes
    the plan incomplete: a warning says what, and the units that it may concern are in the plan with cause "unknown".

    Raises RepositoryUnreadable when a revision or an object is not at hand, LimitExceeded when a bound is passed.
    """
    base, head = repository.commit(base), repository.commit(head)
    merge_bases = repository.merge_bases(base, head)
    merge_base = merge_bases[0] if merge_bases else None
    after = repository.tree(head)
    changes = ChangedFiles(repository.changes(merge_base, head) if merge_base else ())
    before = after.before(changes)
    old, new = _observe(repository, before, after, NoAnalyses() if analyses is None else analyses)
    decision = Comparison(old, new, changes, _formal(repository, old, new, changes)).decide()
    is_cut = repository.is_cut(base, head, merge_base)
    decision = _with_doubts(decision, new, _history_doubts(merge_bases, is_cut=is_cut))
    return Plan(
        base=base,
        head=head,
        merge_base=merge_base,
        complete=not decision.warnings,
        units=decision.units,
        infrastructure=decision.infrastructure,
        ignored=decision.ignored,
        unclassified=decision.unclassified,
        warnings=decision.warnings,
    )


def inventory(repository: Repository, revision: str) -> tuple[Unit, ...]:
    """Return all units of one commit, sorted by id."""
    tree = repository.tree(repository.commit(revision))
    snapshot = _observe(repository, tree, tree, NoAnalyses())[0]
    return tuple(snapshot.units[unit] for unit in sorted(snapshot.units))


def _observe(repository: Repository, before: Tree, after: Tree, analyses: Analyses) -> tuple[Snapshot, Snapshot]:
    """Read what is needed of both trees, each blob once, and never more than one large blob at a time."""
    candidates = {oid for tree in (before, after) for oid in _candidates(tree).values()}
    known = dict(analyses.get(candidates))
    found = {oid: _analyse(blob) for oid, blob in repository.blobs(sorted(candidates - known.keys()), MAX_BYTES)}
    analyses.put(found)
    known |= found
    links = {oid for tree in (before, after) for oid in _pointers(tree)}
    contents = {oid: blob.content for oid, blob in repository.blobs(sorted(links), MAX_BYTES)}
    return _snapshot(before, known, contents), _snapshot(after, known, contents)


def _snapshot(tree: Tree, analyses: Mapping[str, Analysis | None], contents: Mapping[str, bytes]) -> Snapshot:
    templates = {path: analysis for path, oid in _candidates(tree).items() if (analysis := analyses[oid]) is not None}
    return Snapshot(tree, templates, contents)


def _candidates(tree: Tree) -> dict[str, str]:
    return {path: entry.oid for path, entry in tree.notable.items() if entry.is_file and may_be_template(path)}


def _pointers(tree: Tree) -> Iterable[str]:
    """Return the blobs that point elsewhere: symbolic links, and .dockerignore files."""
    notable = tree.notable.items()
    return (entry.oid for path, entry in notable if not entry.is_file or path.endswith(".dockerignore"))


def _analyse(blob: Blob) -> Analysis | None:
    if blob.is_whole:
        return analyse(blob.content)
    if not looks_like_template(blob.content):
        return None
    message = f"it has {blob.size:,} bytes; templates of at most {MAX_BYTES:,} are read"
    return Analysis(doubts=(Doubt("template-too-large", message),))


def _formal(repository: Repository, old: Snapshot, new: Snapshot, changes: ChangedFiles) -> frozenset[str]:
    """Return the changed files that mean what they meant: only order, comments or format differ."""
    inputs = {each for side in (old, new) for unit in side.units.values() for each in unit.inputs if each.canonical}
    files = [change for each in inputs for change in changes.below(each.path)]
    pairs = {change.path: (change.old.oid, change.new.oid) for change in files if change.old and change.new}
    wanted = sorted({oid for pair in pairs.values() for oid in pair})
    blobs = dict(repository.blobs(wanted, MAX_BYTES)) if wanted else {}
    return frozenset(
        path for path, pair in pairs.items() if len({_meaning(path, oid, blobs[oid]) for oid in pair}) == 1
    )


def _meaning(path: str, oid: str, blob: Blob) -> str:
    if path.endswith(".dockerignore"):
        return digest(list(dockerignore.patterns(blob.content)))
    try:
        return digest(load(blob.content)) if blob.is_whole else oid
    except (TemplateUnreadable, LimitExceeded):
        return oid


def _history_doubts(merge_bases: tuple[str, ...], *, is_cut: bool) -> list[tuple[str, str]]:
    if is_cut:
        return [("shallow-clone", _CUT)]
    if not merge_bases:
        return [("no-merge-base", _NO_HISTORY)]
    if len(merge_bases) > 1:
        return [("criss-cross", _CRISS_CROSS.format(", ".join(commit[:12] for commit in merge_bases)))]
    return []


def _with_doubts(decision: Decision, head: Snapshot, doubts: list[tuple[str, str]]) -> Decision:
    """Put every unit of the head in doubt: the history itself cannot be trusted."""
    if not doubts:
        return decision
    changes = {change.id: change for change in decision.units}
    for unit in head.units.values():
        doubt = Reason(Cause.UNKNOWN, unit.template)
        change = changes.get(unit.id)
        if change is None:
            definition = unit.definition
            changes[unit.id] = UnitChange(unit.id, definition.kind, definition.packaging, Change.MODIFIED, (doubt,))
        elif doubt not in change.reasons:
            changes[unit.id] = replace(change, reasons=(*change.reasons, doubt))
    warnings = [Caveat(code, "", message, tuple(sorted(head.units))) for code, message in doubts]
    return replace(
        decision,
        units=tuple(changes[unit] for unit in sorted(changes)),
        warnings=tuple(sorted((*decision.warnings, *warnings))),
    )
