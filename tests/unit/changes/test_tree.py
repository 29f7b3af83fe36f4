"""The quick ways through a large tree give what the plain ways give."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import example, given

from kuroshio.changes.tree import SUBMODULE, SYMLINK, ChangedFiles, Entry, FileChange, Listing, Tree, is_notable

OID = "1" * 40
NAMES = st.text(st.sampled_from("ab./YyMmLl"), min_size=1, max_size=8).filter(lambda name: "//" not in name)
SUFFIXED = st.builds(str.__add__, NAMES, st.sampled_from(["", ".yaml", ".JSON", ".py", ".Yml", ".dockerignore", "./y"]))
TREES = st.dictionaries(SUFFIXED, st.sampled_from(["100644", "100755", SYMLINK, SUBMODULE]), max_size=12)


def listing(tree: dict[str, str]) -> Listing:
    kinds = {mode: "commit" if mode == SUBMODULE else "blob" for mode in tree.values()}
    return Listing.parse("".join(f"{mode} {kinds[mode]} {OID}\t{path}\0" for path, mode in tree.items()))


@given(TREES)
@example({"x./y": "100644"})
@example({"a commit b": "100644", "t.yaml": "100644"})
def test_a_listing_has_the_entries_that_git_listed_and_the_notable_among_them(tree: dict[str, str]) -> None:
    entries = {path: Entry(mode, OID) for path, mode in tree.items()}
    assert dict(listing(tree)) == entries
    assert Tree(listing(tree)).notable == {path: entry for path, entry in entries.items() if is_notable(path, entry)}


@given(TREES, TREES)
def test_the_tree_before_some_changes_is_the_tree_that_they_led_from(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = listing(old), listing(new)
    changes = [
        FileChange(path, before.get(path), after.get(path)) for path in {*old, *new} if old.get(path) != new.get(path)
    ]
    found = Tree(after).before(changes)
    assert dict(found.entries) == dict(before)
    assert found.notable == Tree(before).notable


@given(st.lists(SUFFIXED, max_size=6, unique=True))
def test_a_change_touches_its_path_and_the_folders_above_it(paths: list[str]) -> None:
    changes = ChangedFiles([FileChange(path, None, Entry("100644", OID)) for path in paths])
    for folder in ["", "a", "b", "a/b", *paths]:
        assert (folder in changes.folders) == (next(changes.below(folder), None) is not None)
