"""Read what two commits define: each template once, or not at all where nothing that differs can concern it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kuroshio.changes import settings
from kuroshio.changes.analysis import Analysis, Doubt, analyse, looks_like_template
from kuroshio.changes.document import MAX_BYTES
from kuroshio.changes.rest import at_rest
from kuroshio.changes.snapshot import Snapshot
from kuroshio.changes.tree import may_be_template

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kuroshio.changes.ports import Analyses, Blob, Repository
    from kuroshio.changes.settings import Settings
    from kuroshio.changes.tree import ChangedFiles, Tree


def snapshots(
    repository: Repository,
    before: tuple[Tree, Settings],
    after: tuple[Tree, Settings],
    analyses: Analyses,
    changes: ChangedFiles | None = None,
) -> tuple[Snapshot, Snapshot]:
    """Read what is needed of both trees, each blob once, and never more than one large blob at a time.

    With ``changes``, templates that are at rest are left out, as far as ``analyses`` know them.
    """
    trees = (before[0], after[0])
    candidates = [_candidates(tree, before[1], after[1]) for tree in trees]
    resting = _at_rest(candidates[1], analyses, changes, after[0])
    known = _known(repository, _oids(candidates, resting), analyses)
    if (
        resting
        and changes
        and not changes.are_of_content_alone
        and any(each and each.nested for each in known.values())
    ):
        resting = frozenset()  # what a template gives to those that it nests may differ, and so may which these are
        known |= _known(repository, _oids(candidates, resting) - known.keys(), analyses)
    pointers = {entry.oid for tree in trees for entry in tree.pointers.values()}
    contents = {oid: blob.content for oid, blob in repository.blobs(sorted(pointers), MAX_BYTES)}
    old, new = (
        Snapshot(tree, _templates(_awake(paths, resting), known, said), contents, said, at_rest=resting)
        for paths, (tree, said) in zip(candidates, (before, after), strict=True)
    )
    return old, new


def _candidates(tree: Tree, *said: Settings) -> dict[str, str]:
    """Return the files that may be templates. Both commits have to leave one out for it to be left out."""
    return {
        path: entry.oid
        for path, entry in tree.notable.items()
        if entry.is_file and may_be_template(path) and not all(each.leaves_out(path) for each in said)
    }


def _at_rest(
    candidates: Mapping[str, str], analyses: Analyses, changes: ChangedFiles | None, after: Tree
) -> frozenset[str]:
    if changes is None:
        return frozenset()
    reaches = analyses.reaches(set(candidates.values()))
    return at_rest({path: reaches[oid] for path, oid in candidates.items() if oid in reaches}, changes, after)


def _awake(candidates: Mapping[str, str], resting: frozenset[str]) -> dict[str, str]:
    return {path: oid for path, oid in candidates.items() if path not in resting}


def _oids(candidates: list[dict[str, str]], resting: frozenset[str]) -> set[str]:
    return {oid for each in candidates for oid in _awake(each, resting).values()}


def _known(repository: Repository, wanted: set[str], analyses: Analyses) -> dict[str, Analysis | None]:
    known = dict(analyses.get(wanted))
    found = {oid: _analyse(blob) for oid, blob in repository.blobs(sorted(wanted - known.keys()), MAX_BYTES)}
    analyses.put(found)
    return known | found


def _analyse(blob: Blob) -> Analysis | None:
    if blob.is_whole:
        return analyse(blob.content)
    if not looks_like_template(blob.content):
        return None
    message = f"it has {blob.size:,} bytes; templates of at most {MAX_BYTES:,} are read"
    return Analysis(doubts=(Doubt("template-too-large", message),))


def _templates(
    candidates: Mapping[str, str], analyses: Mapping[str, Analysis | None], said: Settings
) -> dict[str, Analysis]:
    templates = {path: analysis for path, oid in candidates.items() if (analysis := analyses[oid]) is not None}
    if said.digest:
        templates[settings.FILE] = Analysis(units=said.services, rest=said.digest)
    return templates
