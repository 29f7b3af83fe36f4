"""Git on repositories that are bare, linked, bundled, shallow, partial, or hostile."""

import os
import subprocess
from pathlib import Path

import pytest

from kuroshio.adapters import bundling
from kuroshio.adapters.bundles import opened
from kuroshio.adapters.git import Git, environment
from kuroshio.changes.detection import detect
from kuroshio.errors import LimitExceeded, RepositoryUnreadable
from tests.fakes.git_repository import GitRepository
from tests.fakes.repository import link

TEMPLATE = """
Resources:
  Orders: {Type: AWS::Serverless::Function, Properties: {CodeUri: src/}}
"""


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    (tmp_path / "origin.git").mkdir()
    return GitRepository(tmp_path / "origin.git")


def a_pull_request(repository: GitRepository) -> tuple[str, str]:
    """A base and a head that changes one unit."""
    root = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "0"})
    fork = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"}, root)
    base = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1", "other": "x"}, fork)
    return base, repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "2"}, fork)


def clone(repository: GitRepository, path: Path, *options: str) -> Path:
    env = environment(may_fetch=True) | {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_COUNT": "0"}
    origin = f"file://{repository.path}"
    subprocess.run(["git", "clone", "--quiet", *options, origin, os.fspath(path)], env=env, check=True)
    return path


def test_a_working_tree_a_subfolder_and_a_linked_worktree_are_the_same_repository(
    repository: GitRepository, tmp_path: Path
) -> None:
    base, head = a_pull_request(repository)
    work = clone(repository, tmp_path / "work", "--branch", "c4")
    expected = detect(repository, base, head)
    assert detect(Git(work), base, head) == expected
    assert detect(Git(work / "src"), base, head) == expected
    repository.git("worktree", "add", "--quiet", os.fspath(tmp_path / "linked"), head)
    assert detect(Git(tmp_path / "linked"), base, head) == expected


def test_a_bundle_gives_the_same_plan_as_the_repository_it_came_from(repository: GitRepository, tmp_path: Path) -> None:
    base, head = a_pull_request(repository)
    bundling.write(repository, tmp_path / "b", base, head)
    with opened(tmp_path / "b") as unpacked:
        assert detect(unpacked, base, head) == detect(repository, base, head)
        assert detect(unpacked, base, head).complete


def test_a_bundle_leaves_what_came_before_the_merge_base_at_home(repository: GitRepository, tmp_path: Path) -> None:
    root = repository.make_commit({"a": os.urandom(200_000)})
    fork = repository.make_commit({"a": "1"}, root)
    base, head = repository.make_commit({"a": "2"}, fork), repository.make_commit({"a": "3"}, fork)
    bundling.write(repository, tmp_path / "b", base, head)
    assert (tmp_path / "b").stat().st_size < 10_000
    with opened(tmp_path / "b") as unpacked, pytest.raises(RepositoryUnreadable):
        unpacked.commit(root)


def test_a_bundle_of_a_users_own_making_works_as_well(repository: GitRepository, tmp_path: Path) -> None:
    base, head = a_pull_request(repository)
    repository.git("bundle", "create", "--quiet", os.fspath(tmp_path / "b"), "--all")
    with opened(tmp_path / "b") as unpacked:
        assert detect(unpacked, "c3", "refs/heads/c4") == detect(repository, base, head)


def test_a_damaged_bundle_is_an_error(repository: GitRepository, tmp_path: Path) -> None:
    base, head = a_pull_request(repository)
    bundling.write(repository, tmp_path / "b", base, head)
    (tmp_path / "b").write_bytes((tmp_path / "b").read_bytes()[:-30])
    with pytest.raises(RepositoryUnreadable), opened(tmp_path / "b"):
        pass
    (tmp_path / "b").write_bytes(b"no bundle")
    with pytest.raises(RepositoryUnreadable), opened(tmp_path / "b"):
        pass


def test_nothing_of_a_bundle_stays_on_disk(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, head = a_pull_request(repository)
    bundling.write(repository, tmp_path / "b", base, head)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(tmp_path / "tmp"))
    with opened(tmp_path / "b"):
        assert list((tmp_path / "tmp").iterdir())
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_shallow_clone_that_hides_the_merge_base_gives_an_incomplete_plan_with_all_units(
    repository: GitRepository, tmp_path: Path
) -> None:
    base, head = a_pull_request(repository)
    shallow = Git(clone(repository, tmp_path / "work", "--depth", "1", "--no-single-branch"))
    plan = detect(shallow, base, head)
    assert (plan.complete, plan.merge_base) == (False, None)
    assert [warning.code for warning in plan.warnings] == ["shallow-clone"]
    assert [unit.id for unit in plan.units] == ["template.yaml#Orders"]


def test_a_shallow_clone_that_is_deep_enough_gives_the_complete_plan(repository: GitRepository, tmp_path: Path) -> None:
    base, head = a_pull_request(repository)
    shallow = Git(clone(repository, tmp_path / "work", "--depth", "2", "--no-single-branch"))
    assert detect(shallow, base, head) == detect(repository, base, head)


def test_a_partial_clone_that_lacks_a_template_fetches_nothing_and_says_so(
    repository: GitRepository, tmp_path: Path
) -> None:
    base, head = a_pull_request(repository)
    repository.git("config", "uploadpack.allowFilter", "true")
    partial = clone(repository, tmp_path / "work", "--filter=blob:none", "--no-checkout")
    with pytest.raises(RepositoryUnreadable):
        detect(Git(partial), base, head)


def test_what_is_no_repository_is_said_to_be_none(tmp_path: Path) -> None:
    with pytest.raises(RepositoryUnreadable, match="not a git repository"):
        Git(tmp_path).commit("HEAD")


def test_a_hostile_configuration_runs_nothing(repository: GitRepository, tmp_path: Path) -> None:
    """Hooks, filters, textconv, external diff, fsmonitor, pager, ssh: none of them is ever started."""
    base, head = a_pull_request(repository)
    work = clone(repository, tmp_path / "work", "--branch", "c4")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    attributes = work / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text("* diff=evil filter=evil\n")
    keys = ["core.fsmonitor", "core.pager", "core.sshCommand", "core.askPass", "core.editor", "core.gitProxy"]
    keys += ["diff.external", "diff.evil.textconv", "diff.evil.command", "filter.evil.clean", "filter.evil.smudge"]
    keys += ["filter.evil.process", "core.alternateRefsCommand", "pager.diff-tree", "pager.ls-tree", "alias.ls-tree"]
    hooks = work / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for key in keys:
        value = f"!{trap}" if key.startswith("alias") else os.fspath(trap)
        subprocess.run(["git", "-C", work, "config", key, value], env=environment(), check=True)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / hook).symlink_to(trap)
    assert len(detect(Git(work), base, head).units) == 1
    bundling.write(Git(work), tmp_path / "b", base, head)
    assert not (tmp_path / "sprung").exists()


def test_the_machines_configuration_is_not_read(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, head = a_pull_request(repository)
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / ".gitconfig").write_text("[this is broken\n")
    for name, value in (("HOME", tmp_path / "home"), ("GIT_DIR", tmp_path), ("GIT_CONFIG_GLOBAL", tmp_path / "no")):
        monkeypatch.setenv(name, os.fspath(value))
    assert len(detect(repository, base, head).units) == 1


def test_replacement_refs_change_nothing(repository: GitRepository) -> None:
    base, head = a_pull_request(repository)
    expected = detect(repository, base, head)
    repository.git("replace", head, base)
    assert detect(repository, base, head) == expected


def test_git_is_stopped_when_its_time_is_up(repository: GitRepository) -> None:
    base, head = a_pull_request(repository)
    with pytest.raises(LimitExceeded, match="longer than"):
        detect(Git(repository.path, timeout_s=0), base, head)


def test_a_link_out_of_the_repository_is_never_followed(repository: GitRepository, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret")
    escape = link(f"{'../' * 20}{tmp_path}/secret".replace("//", "/"))
    before = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1"})
    after = repository.make_commit({"template.yaml": TEMPLATE, "src/app.py": "1", "src/l": escape}, before)
    plan = detect(repository, before, after)
    assert [warning.code for warning in plan.warnings] == ["symlink-leaves-tree"]
    assert not plan.complete
