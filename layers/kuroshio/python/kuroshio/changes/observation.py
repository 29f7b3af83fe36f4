"""Observe: all that a decision needs of two commits, read once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kuroshio.changes import dockerignore, settings
from kuroshio.changes.canonical import digest
from kuroshio.changes.document import MAX_BYTES, load
from kuroshio.changes.narrowing import narrowed
from kuroshio.changes.ports import Analyses, Blob, NoAnalyses, Repository
from kuroshio.changes.reading import snapshots
from kuroshio.changes.settings import Settings
from kuroshio.changes.tree import ChangedFiles, Tree
from kuroshio.errors import LimitExceeded, SettingsInvalid, TemplateUnreadable

if TYPE_CHECKING:
    from kuroshio.changes.imports.ports import Analyses as ImportAnalyses
    from kuroshio.changes.snapshot import Snapshot

_NO_HISTORY = (
    "base and head share no commit, so what the pull request changes cannot be told from what its base changed"
)
_CUT = "the clone is shallow: history that leads to the merge base is missing; fetch it with: git fetch --unshallow"
_CRISS_CROSS = "base and head have several merge bases ({}); only the first was compared"
_SETTINGS_LOST = "kuroshio.yaml of the merge base cannot be read, so what it said about units is not known: {}"


@dataclass(frozen=True)
class Observation:
    """Two commits as detection sees them.

    ``formal`` are changed paths whose old and new content mean the same. ``doubts`` concern every unit of the head:
    code, path, sentence.
    """

    base: str
    head: str
    merge_base: str | None
    before: Snapshot
    after: Snapshot
    changes: ChangedFiles
    formal: frozenset[str]
    doubts: tuple[tuple[str, str, str], ...]


def observe(
    repository: Repository,
    base: str,
    head: str,
    analyses: Analyses | None = None,
    imports: ImportAnalyses | None = None,
) -> Observation:
    """Read the merge base of two revisions, and the head. Where ``analyses`` are given, less templates that are at rest.

    Raises RepositoryUnreadable, LimitExceeded, and SettingsInvalid when the head's kuroshio.yaml cannot be followed.
    """
    head = repository.commit(head)
    with ThreadPoolExecutor(1) as meanwhile:  # most of the time goes into listing the tree
        listing = meanwhile.submit(repository.tree, head)
        base = repository.commit(base)
        merge_bases = repository.merge_bases(base, head)
        merge_base = merge_bases[0] if merge_bases else None
        is_cut = repository.is_cut(base, head, merge_base)
        changes = ChangedFiles(repository.changes(merge_base, head) if merge_base else ())
        after = listing.result()
    before = after.before(changes)
    old_settings, lost = _settings_of_the_base(repository, before)
    new_settings = _settings(repository, after)
    doubts = (*_history_doubts(merge_bases, is_cut=is_cut), *lost)
    # A doubt about the history concerns every unit, and so may an entry of kuroshio.yaml: then all are looked at.
    concerning = None if doubts or old_settings.units or new_settings.units else changes
    sides = ((before, old_settings), (after, new_settings))
    old, new = snapshots(repository, *sides, analyses or NoAnalyses(), concerning)
    new = _with_units_of(old, new, changes)
    _check(new)
    old, new = narrowed(old, new, changes, repository, imports)
    formal = _formal(repository, old, new, changes)
    return Observation(base, head, merge_base, old, new, changes, formal, doubts)


def snapshot(repository: Repository, revision: str) -> Snapshot:
    """Read one commit."""
    tree = repository.tree(repository.commit(revision))
    side = (tree, _settings(repository, tree))
    found = snapshots(repository, side, side, NoAnalyses())[0]
    _check(found)
    return found


def _settings(repository: Repository, tree: Tree) -> Settings:
    entry = tree.entries.get(settings.FILE)
    if entry is None:
        return Settings()
    if not entry.is_file:
        raise SettingsInvalid(f"{settings.FILE} is a link or a submodule; expected a file")
    _, blob = next(repository.blobs([entry.oid], MAX_BYTES))
    if not blob.is_whole:
        raise SettingsInvalid(f"{settings.FILE} has {blob.size:,} bytes; expected at most {MAX_BYTES:,}")
    return settings.parse(blob.content)


def _settings_of_the_base(repository: Repository, tree: Tree) -> tuple[Settings, list[tuple[str, str, str]]]:
    try:
        return _settings(repository, tree), []
    except SettingsInvalid as error:
        return Settings(), [("settings-unreadable", settings.FILE, _SETTINGS_LOST.format(error))]


def _check(head: Snapshot) -> None:
    """Refuse entries for units that do not exist, unless a template that cannot be read may define them."""
    entry = head.settings.unmatched(head.units)
    if entry and not any(template.doubts for template in head.templates.values()):
        where = f"{settings.FILE}, line {entry.line}"
        raise SettingsInvalid(
            f'{where}: units."{entry.pattern}" means no unit; expected an id that `kuroshio units` lists'
        )


def _with_units_of(old: Snapshot, new: Snapshot, changes: ChangedFiles) -> Snapshot:
    """Let the head have the base's units where nothing differs that units are found by: they are placed once."""
    if old.settings == new.settings and changes.are_of_content_alone:
        return replace(new, placed=old.units)
    return new


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


def _history_doubts(merge_bases: tuple[str, ...], *, is_cut: bool) -> list[tuple[str, str, str]]:
    if is_cut:
        return [("shallow-clone", "", _CUT)]
    if not merge_bases:
        return [("no-merge-base", "", _NO_HISTORY)]
    if len(merge_bases) > 1:
        return [("criss-cross", "", _CRISS_CROSS.format(", ".join(commit[:12] for commit in merge_bases)))]
    return []
