"""What images are made of, held against what the engine really puts into them. FROM scratch: no registry is asked."""

from __future__ import annotations

import io
import tarfile
from random import Random
from subprocess import PIPE, run
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from kuroshio.changes.dockerfile import patterns
from kuroshio.changes.dockerfile.stages import read
from lab import engine as engines
from tests.fakes.dockerfiles import PATHS, dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.engine import Engine

# Without RUN, which needs a shell, and without triggers, which fire in no build of their own.
FORMS = ["plain", "json", "continued", "variable", "argument"]
SEEDS = range(9, 14)


@pytest.fixture(scope="module")
def engine() -> Engine:
    return engines.find()


@pytest.fixture
def image(engine: Engine) -> Iterator[str]:
    name = f"localhost/kuroshio-narrow-{uuid4().hex[:12]}:test"
    yield name
    engine.remove_image(name)


@pytest.mark.parametrize("seed", SEEDS)
def test_exactly_the_files_that_the_engine_copies_are_what_the_image_is_made_of(
    engine: Engine, image: str, tmp_path: Path, seed: int
) -> None:
    # Given a context whose every file holds its own path
    for path in PATHS:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    model = dockerfile(Random(seed), FORMS)  # noqa: S311 - a seeded case
    text = model.text()
    (tmp_path / "Dockerfile").write_text(text)
    # When the engine builds it
    alone = ["--layers=false"] if engine.program == "podman" else ["--no-cache"]
    engine.do("build", *alone, "--target", f"s{model.target}", "--tag", image, str(tmp_path))
    # Then the paths in the image are those that the Dockerfile's reading names
    reading = read(text.encode(), f"s{model.target}", {})
    expected = {path for path in PATHS if any(_is_below(each.parts, path) for each in reading.sources)}
    assert _contents(engine, image) == expected == model.copied(), text


def _is_below(source: tuple[str, ...], path: str) -> bool:
    parts = tuple(path.split("/"))
    return len(parts) >= len(source) and patterns.touches(source, parts)


def _contents(engine: Engine, image: str) -> set[str]:
    """What the files of an image hold: the path that each was copied from."""
    container = engine.do("create", image, "nothing").strip()
    try:
        exported = run([engine.program, "export", container], stdout=PIPE, check=True, env=None).stdout
    finally:
        engine.do("rm", container)
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        files = [file for member in archive if member.isfile() and (file := archive.extractfile(member))]
        return {file.read().decode() for file in files} & set(PATHS)
