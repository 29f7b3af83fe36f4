"""A bundle carries what detection reads and no more: the plan from it is the plan from the repository, or an error."""

from __future__ import annotations

import os
import random
import subprocess
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import bundling
from kuroshio.adapters.bundles import opened
from kuroshio.adapters.git import Git, environment
from kuroshio.changes import footprint as footprints
from kuroshio.changes.detection import detect
from kuroshio.changes.footprint import Footprint, footprint
from kuroshio.changes.rendering import document
from kuroshio.errors import RepositoryUnreadable, SettingsInvalid
from tests.fakes.git_repository import GitRepository
from tests.fakes.repository import File, executable, link, submodule

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEMPLATE = """
Resources:
  Cart: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: cart.handle, Runtime: python3.13}}
  Mail: {Type: AWS::Serverless::Function, Properties: {CodeUri: src, Handler: mail.handle, Runtime: python3.13}}
  Web: {Type: AWS::Serverless::Function, Metadata: {DockerContext: web, Dockerfile: Dockerfile}, Properties: {PackageType: Image}}
  Flow: {Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.asl.yaml}}
"""
STAYS = {
    "template.yaml": TEMPLATE,
    "src/cart.py": "import common\n",
    "src/mail.py": "import mailing.send\n",
    "src/common.py": "",
    "src/mailing/send.py": "",
    "web/Dockerfile": "FROM scratch\n",
    "web/.dockerignore": "*.md\n",
    "flow.asl.yaml": "StartAt: A\nStates: {A: {Type: Succeed}}\n",
}
# Any of these may lie at its path in any commit, or nothing.
EDITS: dict[str, list[str | bytes | File]] = {
    "template.yaml": [TEMPLATE.replace("handle,", "handle, Timeout: 3,"), TEMPLATE + "  # a comment\n"],
    "other/t.json": ['{"Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Code": "../src"}}}}', "{"],
    "src/cart.py": ["import common\nimport mailing\n", "import importlib\nimportlib.import_module(x)\n"],
    "src/common.py": ["a = 1\n", "import mailing.send\n", link("mail.py")],
    "src/mailing/send.py": ["b = 1\n"],
    "src/new.py": ["c = 1\n"],
    "src/vendor": [link("../lib"), submodule("1" * 40)],
    "lib/tool.py": ["d = 1\n", executable("d = 1\n")],
    "web/.dockerignore": ["*.md\n# the same\n", "*\n"],
    "web/README.md": ["words", "more words"],
    "web/page.html": ["<p>"],
    "flow.asl.yaml": [
        "States: {A: {Type: Succeed}}\nStartAt: A\n",
        "StartAt: B\nStates: {B: {Type: Pass, End: true}}\n",
    ],
    "kuroshio.yaml": ["units: {'*#Web': {inputs: [lib]}}\n", "ignore: {paths: [lib]}\n", "order: nonsense\n"],
    "requirements.txt": ["boto3\n", "boto3==1\n"],
    "assets/photo.jpg": [b"\xff\xd8" * 5000, b"\xff\xd9" * 5000],
    os.fsdecode(b"src/\xff \n.py"): ["e = 1\n"],
}


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    (tmp_path / "origin.git").mkdir()
    return GitRepository(tmp_path / "origin.git")


def grown(repository: GitRepository, seed: int) -> tuple[str, str]:
    """A history of random edits, branches and merges; a base and a head somewhere in it."""
    draw = random.Random(seed)  # noqa: S311 - no secret is drawn
    commits: list[str] = []
    for _ in range(draw.randint(4, 9)):
        edits = {path: draw.choice(choices) for path, choices in EDITS.items() if draw.random() < 0.35}
        newest = commits[-4:]
        parents = draw.sample(newest, min(len(newest), draw.choice([0, 1, 1, 1, 1, 2, 2]) if newest else 0))
        commits.append(repository.make_commit(STAYS | edits, *parents))
    return draw.choice(commits[-3:]), commits[-1]


def plan_of(repository: Git, base: str, head: str) -> str:
    """The plan to the byte, or the error that there is instead of one."""
    try:
        return document.write(detect(repository, base, head))
    except SettingsInvalid as error:
        return f"SettingsInvalid: {error}"


@contextmanager
def bundled(repository: Git, folder: Path, base: str, head: str) -> Iterator[Git]:
    bundling.write(repository, folder / "bundle", base, head)
    with opened(folder / "bundle") as unpacked:
        yield unpacked


def clone(repository: GitRepository, path: Path, *options: str) -> Git:
    env = environment(may_fetch=True) | {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_COUNT": "0"}
    origin = f"file://{repository.path}"
    subprocess.run(["git", "clone", "--quiet", *options, origin, os.fspath(path)], env=env, check=True)
    return Git(path)


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.search) for seed in (42, *range(8, 30)))]
)
def test_the_plan_from_the_bundle_is_the_plan_from_the_repository(
    repository: GitRepository, tmp_path: Path, seed: int
) -> None:
    base, head = grown(repository, seed)
    with bundled(repository, tmp_path, base, head) as unpacked:
        assert plan_of(unpacked, base, head) == plan_of(repository, base, head)


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.search) for seed in (2, 6))])
def test_whatever_one_thing_is_left_out_is_missed_and_never_read_as_no_change(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    base, head = grown(repository, seed)
    whole = footprint(repository, base, head)
    less = [Footprint(whole.commits, whole.blobs - {blob}) for blob in sorted(whole.blobs)]
    less += [Footprint(whole.commits - {commit}, whole.blobs) for commit in sorted(whole.commits)]
    expected = plan_of(repository, base, head)
    for each in less:
        monkeypatch.setattr(bundling, "footprint", lambda *_, each=each: each)
        with bundled(repository, tmp_path, base, head) as unpacked:
            try:
                found = plan_of(unpacked, base, head)
            except RepositoryUnreadable:
                continue
            # Only trees that another commit shares, or a file that another tree lists too, may be left out unnoticed.
            assert found == expected


def merged_again_and_again(repository: GitRepository, seed: int) -> list[str]:
    """A history of branches that merge each other in, in one stream; the newest commits, which are all that matters."""
    draw = random.Random(seed)  # noqa: S311 - no secret is drawn
    lines = ["blob", "mark :100", "data 1", "1"]
    for at in range(1, 25):
        parents = draw.sample(range(max(1, at - 7), at), min(at - 1, draw.choice([1, 1, 2])))
        lines += [
            f"commit refs/heads/m{at}",
            f"mark :{at}",
            f"committer A <a@example> {10**9 + at // 3} +0000",
            "data 0",
        ]
        lines += [f"{'merge' if place else 'from'} :{parent}" for place, parent in enumerate(parents)]
        lines += ["M 100644 :100 a", ""]
    repository.git("fast-import", "--quiet", "--force", stdin="\n".join(lines).encode())
    return [repository.commit(f"m{at}") for at in range(17, 25)]


@pytest.mark.parametrize(
    "seed", [*range(3), *(pytest.param(seed, marks=pytest.mark.search) for seed in (220, 229, *range(3, 10)))]
)
def test_merge_bases_are_the_same_in_the_bundle_whatever_was_merged_into_what(
    repository: GitRepository, tmp_path: Path, seed: int
) -> None:
    commits = merged_again_and_again(repository, seed)
    for base, head in pairwise(commits):
        with bundled(repository, tmp_path, base, head) as unpacked:
            merge_bases = repository.merge_bases(base, head)
            assert set(unpacked.merge_bases(base, head)) == set(merge_bases)
            assert unpacked.merge_bases(base, head)[:1] == merge_bases[:1]
            assert not unpacked.is_cut(base, head, merge_bases[0] if merge_bases else None)


def test_contents_that_detection_does_not_read_stay_at_home(repository: GitRepository, tmp_path: Path) -> None:
    noise = {f"assets/{at}.png": os.urandom(100_000) for at in range(5)}
    before = repository.make_commit(STAYS | noise)
    changed = {"assets/0.png": os.urandom(100_000), "src/common.py": "a = 1\n"}
    base, head = repository.make_commit(STAYS | noise, before), repository.make_commit(STAYS | noise | changed, before)
    parcel = bundling.write(repository, tmp_path / "bundle", base, head)
    assert (parcel.size, parcel.commits) == ((tmp_path / "bundle").stat().st_size, 3)
    assert parcel.size < 5_000
    with opened(tmp_path / "bundle") as unpacked:
        assert plan_of(unpacked, base, head) == plan_of(repository, base, head)


def test_a_reader_of_another_version_is_told_what_it_lacks_and_has_it_in_a_whole_bundle(
    repository: GitRepository, tmp_path: Path
) -> None:
    base = repository.make_commit(STAYS)
    head = repository.make_commit(STAYS | {"web/page.html": "<p>"}, base)
    page = repository.tree(head).entries["web/page.html"].oid
    bundling.write(repository, tmp_path / "bundle", base, head)
    with opened(tmp_path / "bundle") as unpacked, pytest.raises(RepositoryUnreadable, match=f"{page}.*--whole"):
        list(unpacked.blobs([page], 9))
    bundling.write(repository, tmp_path / "bundle", base, head, whole=True)
    with opened(tmp_path / "bundle") as unpacked:
        assert [blob.content for _, blob in unpacked.blobs([page], 9)] == [b"<p>"]
        assert plan_of(unpacked, base, head) == plan_of(repository, base, head)


def test_settings_that_cannot_be_followed_are_refused_by_whoever_reads_the_bundle(
    repository: GitRepository, tmp_path: Path
) -> None:
    base = repository.make_commit(STAYS)
    head = repository.make_commit(STAYS | {"kuroshio.yaml": "order: nonsense\n"}, base)
    with bundled(repository, tmp_path, base, head) as unpacked, pytest.raises(SettingsInvalid, match="line 1"):
        detect(unpacked, base, head)


@pytest.mark.parametrize(
    "options", [("--depth=1",), ("--depth=2",), ("--filter=blob:none",), ("--depth=2", "--filter=blob:none")]
)
def test_a_shallow_or_partial_clone_gives_the_bundle_that_it_can(
    repository: GitRepository, tmp_path: Path, options: tuple[str, ...]
) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    root = repository.make_commit(STAYS)
    base = repository.make_commit(STAYS | {"assets/photo.jpg": "1"}, repository.make_commit(STAYS, root))
    head = repository.make_commit(STAYS | {"src/common.py": "a = 1\n"}, repository.commit("c2"))
    cloned = clone(repository, tmp_path / "work", "--no-single-branch", "--no-checkout", *options)
    if any("filter" in option for option in options):
        for blob in (*STAYS.values(), "a = 1\n"):  # as if somebody had looked at them
            content = blob.encode()
            subprocess.run(["git", "-C", tmp_path / "work", "hash-object", "-w", "--stdin"], input=content, check=True)
    with bundled(cloned, tmp_path, base, head) as unpacked:
        assert plan_of(unpacked, base, head) == plan_of(cloned, base, head)


def test_a_partial_clone_that_lacks_what_is_read_is_an_error(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    base = repository.make_commit(STAYS)
    head = repository.make_commit(STAYS | {"src/common.py": "a = 1\n"}, base)
    cloned = clone(repository, tmp_path / "work", "--no-single-branch", "--no-checkout", "--filter=blob:none")
    with pytest.raises(RepositoryUnreadable, match=r"promisor|must fetch it first"):
        bundling.write(cloned, tmp_path / "bundle", base, head)


def test_a_bundle_whose_refs_name_no_commits_is_refused(repository: GitRepository, tmp_path: Path) -> None:
    """Somebody else's bundle under our refs: the head is a file."""
    base = repository.make_commit(STAYS)
    bundling.write(repository, tmp_path / "bundle", base, base)
    template = repository.tree(base).entries["template.yaml"].oid
    forged = (
        (tmp_path / "bundle")
        .read_bytes()
        .replace(f"{base} refs/kuroshio/head".encode(), f"{template} refs/kuroshio/head".encode())
    )
    (tmp_path / "bundle").write_bytes(forged)
    with pytest.raises(RepositoryUnreadable), opened(tmp_path / "bundle") as unpacked:
        detect(unpacked, "refs/kuroshio/base", "refs/kuroshio/head")


def test_detection_reads_through_the_account_that_is_kept(repository: GitRepository) -> None:
    base, head = grown(repository, 0)
    assert plan_of(footprints.Watched(repository), base, head) == plan_of(repository, base, head)  # type: ignore[arg-type]
