"""What detection asks of a repository, of git itself and of the fake that unit tests use."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kuroshio.adapters.git import Git
from kuroshio.changes.ports import Blob, Repository
from kuroshio.changes.tree import Entry, FileChange
from kuroshio.errors import RepositoryUnreadable
from tests.fakes.git_repository import GitRepository
from tests.fakes.repository import File, Files, MemoryRepository, executable, link, submodule

OTHER = "1" * 40


AnyRepository = GitRepository | MemoryRepository


@pytest.fixture(params=["git", "memory"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> AnyRepository:
    return GitRepository(tmp_path) if request.param == "git" else MemoryRepository()


def test_a_commit_is_named_by_its_id_and_nothing_else_is_one(repository: AnyRepository) -> None:
    commit = repository.make_commit({"a": "1"})
    assert repository.commit(commit) == commit
    for nonsense in (OTHER, "no-such-branch", "--all", ""):
        with pytest.raises(RepositoryUnreadable):
            repository.commit(nonsense)


def test_the_tree_has_every_kind_of_entry_with_gits_own_ids(repository: AnyRepository) -> None:
    files: Files = {"a/b": "text", "run.sh": executable("#!"), "l": link("a/b"), "m": submodule(OTHER)}
    commit = repository.make_commit(files)
    assert repository.tree(commit).entries == {
        "a/b": Entry("100644", "f3a34851d44d6b97c90fbb99dd3d18c261b9a237"),
        "run.sh": Entry("100755", File(b"#!").oid),
        "l": Entry("120000", File(b"a/b").oid),
        "m": Entry("160000", OTHER),
    }


def test_paths_keep_their_bytes(repository: AnyRepository) -> None:
    odd = ["a b\tc\nd", 'quo"te', "back\\slash", os.fsdecode(b"invalid-\xff\xfe"), "日本", "-n", ":(top)x"]
    before = repository.make_commit(dict.fromkeys(odd, "1"))
    after = repository.make_commit(dict.fromkeys(odd, "2"), before)
    assert set(repository.tree(after).entries) == set(odd)
    assert sorted(change.path for change in repository.changes(before, after)) == sorted(odd)


def test_changes_are_additions_removals_contents_modes_and_types(repository: AnyRepository) -> None:
    before = repository.make_commit(
        {"same": "s", "gone": "g", "text": "1", "mode": "m", "type": "t", "sub": submodule(OTHER)}
    )
    after = repository.make_commit(
        {"same": "s", "new": "g", "text": "2", "mode": executable("m"), "type": link("t"), "sub": submodule("2" * 40)},
        before,
    )
    plain = {path: Entry("100644", File(path.encode()).oid) for path in ("g", "m", "t", "1", "2")}
    assert sorted(repository.changes(before, after), key=lambda change: change.path) == [
        FileChange("gone", plain["g"], None),
        FileChange("mode", plain["m"], Entry("100755", plain["m"].oid)),
        FileChange("new", None, plain["g"]),
        FileChange("sub", Entry("160000", OTHER), Entry("160000", "2" * 40)),
        FileChange("text", plain["1"], plain["2"]),
        FileChange("type", plain["t"], Entry("120000", plain["t"].oid)),
    ]


def test_equal_trees_have_no_changes(repository: AnyRepository) -> None:
    before = repository.make_commit({"a": "1"})
    assert repository.changes(before, repository.make_commit({"a": "1"}, before)) == []


def test_blobs_come_whole_or_as_a_beginning_with_their_size(repository: AnyRepository) -> None:
    repository.make_commit({"small": "12345", "large": b"x" * 300_000, "empty": "", "nul": b"a\0b\nc"})
    oids = {name: File(content).oid for name, content in (("small", b"12345"), ("large", b"x" * 300_000))}
    nul, empty = File(b"a\0b\nc").oid, File(b"").oid
    found = dict(repository.blobs([oids["small"], oids["large"], nul, empty], 5))
    assert found == {
        oids["small"]: Blob(b"12345", 5),
        oids["large"]: Blob(b"xxxxx", 300_000),
        nul: Blob(b"a\0b\nc", 5),
        empty: Blob(b"", 0),
    }


def test_a_missing_blob_is_an_error_and_never_an_absence(repository: AnyRepository) -> None:
    repository.make_commit({"a": "1"})
    with pytest.raises(RepositoryUnreadable, match=OTHER):
        list(repository.blobs([OTHER], 5))


def test_no_blobs_asked_for_is_no_blobs(repository: AnyRepository) -> None:
    assert list(repository.blobs([], 5)) == []


def test_the_merge_base_is_where_the_branches_parted(repository: AnyRepository) -> None:
    fork = repository.make_commit({"a": "1"})
    base = repository.make_commit({"a": "2"}, fork)
    head = repository.make_commit({"a": "3"}, repository.make_commit({"a": "4"}, fork))
    assert repository.merge_bases(base, head) == (fork,)
    assert repository.merge_bases(fork, head) == (fork,)


def test_unrelated_histories_have_no_merge_base(repository: AnyRepository) -> None:
    assert repository.merge_bases(repository.make_commit({"a": "1"}), repository.make_commit({"a": "2"})) == ()


def test_a_criss_cross_history_has_several_merge_bases(repository: AnyRepository) -> None:
    root = repository.make_commit({"a": "0"})
    one, two = repository.make_commit({"a": "1"}, root), repository.make_commit({"a": "2"}, root)
    base, head = repository.make_commit({"a": "3"}, one, two), repository.make_commit({"a": "4"}, two, one)
    assert set(repository.merge_bases(base, head)) == {one, two}


def test_a_cut_before_the_merge_base_does_no_harm(repository: AnyRepository) -> None:
    root = repository.make_commit({"a": "0"})
    fork = repository.make_commit({"a": "1"}, root)
    base, head = repository.make_commit({"a": "2"}, fork), repository.make_commit({"a": "3"}, fork)
    assert not repository.is_cut(base, head, fork)
    repository.cut_at(fork)
    assert repository.merge_bases(base, head) == (fork,)
    assert not repository.is_cut(base, head, fork)


def test_a_cut_on_the_way_is_told(repository: AnyRepository) -> None:
    fork = repository.make_commit({"a": "1"})
    base, head = repository.make_commit({"a": "2"}, fork), repository.make_commit({"a": "3"}, fork)
    repository.cut_at(head)
    assert repository.merge_bases(base, head) == ()
    assert repository.is_cut(base, head, None)


def _is_a_repository(_: Repository) -> None:
    """The type checker holds both to the port."""


BOTH: tuple[Callable[[Git], None], Callable[[MemoryRepository], None]] = (_is_a_repository, _is_a_repository)
