"""The drawn machines are the ones that are deployed."""

from pathlib import Path

from lab import diagrams

ROOT = Path(__file__).parents[2]


def test_the_pictures_are_current() -> None:
    assert (ROOT / diagrams.PAGE).read_text() == diagrams.page(ROOT), "run: python -m lab.diagrams"
