"""The quick ways through a large tree give what the plain ways give."""

from __future__ import annotations

from itertools import pairwise

import hypothesis.strategies as st
from hypothesis import example, given

from kuroshio.changes.listing import Listing
from kuroshio.changes.tree import SUBMODULE, SYMLINK, ChangedFiles, Entry, FileChange, Tree

OID = "1" * 40
NAMES = st.text(st.sampled_from("ab./YyMmLl"), min_size=1, max_size=8).filter(lambda name: "//" not in name)
SUFFIXED = st.builds(str.__add__, NAMES, st.sampled_from(["", ".yaml", ".JSON", ".py", ".Yml", ".dockerignore", "./y"]))
TREES = st.dictionaries(SUFFIXED, st.sampled_from(["100644", "100755", SYMLINK, SUBMODULE]), max_size=12)


def listing(tree: dict[str, str], *cuts: int) -> Listing:
    """As git lists a tree, taken in by parts that end before the records at ``cuts``."""
    kinds = {mode: "commit" if mode == SUBMODULE else "blob" for mode in tree.values()}
    records = [f"{mode} {kinds[mode]} {OID}\t{path}\0" for path, mode in tree.items()]
    found = Listing()
    for start, end in pairwise([0, *sorted(cuts), len(records)]):
        found.add("".join(records[start:end]))
    return found


@given(TREES, st.lists(st.integers(0, 12), max_size=2))
@example({"x./y": "100644"}, [])
@example({"a commit b": "100644", "t.yaml": "100644"}, [])
@example({"t.yaml": "100644", "a": SUBMODULE, "b": SYMLINK, "Makefile": "100644"}, [1, 2])
def test_a_listing_has_what_git_listed_in_whatever_parts_it_came(tree: dict[str, str], cuts: list[int]) -> None:
    entries = {path: Entry(mode, OID) for path, mode in tree.items()}
    found, plain = listing(tree, *(cut for cut in cuts if cut <= len(tree))).tree(), Tree(entries)
    assert dict(found.entries) == entries
    assert {path for path in ("a", "b", "x./y", *tree) if path in found.entries} == {
        path for path in ("a", "b", "x./y") if path in entries
    } | {*tree}
    assert found.notable == plain.notable
    assert found.submodules == plain.submodules
    assert found.special == {path: entry for path, entry in entries.items() if not entry.is_file}
    assert found.paths == plain.paths


@given(TREES, TREES)
def test_the_tree_before_some_changes_is_the_tree_that_they_led_from(old: dict[str, str], new: dict[str, str]) -> None:
    before, after = listing(old), listing(new)
    changes = [
        FileChange(path, before.get(path), after.get(path)) for path in {*old, *new} if old.get(path) != new.get(path)
    ]
    found = after.tree().before(changes)
    assert dict(found.entries) == dict(before)
    assert len(found.entries) == len(before)
    assert {path for path in {*old, *new} if path in found.entries} == {*old}
    assert found.notable == before.tree().notable
    assert found.paths == sorted(old)
    assert found.submodules == before.tree().submodules


@given(TREES, NAMES)
def test_what_lies_in_a_submodule_is_known_to_lie_there(tree: dict[str, str], path: str) -> None:
    above = [path[:at] for at, letter in enumerate(path) if letter == "/" and tree.get(path[:at]) == SUBMODULE]
    assert listing(tree).tree().submodule_above(path) == next(iter(above), "")


@given(st.lists(SUFFIXED, max_size=6, unique=True))
def test_a_change_touches_its_path_and_the_folders_above_it(paths: list[str]) -> None:
    changes = ChangedFiles([FileChange(path, None, Entry("100644", OID)) for path in paths])
    for folder in ["", "a", "b", "a/b", *paths]:
        assert (folder in changes.folders) == (next(changes.below(folder), None) is not None)
