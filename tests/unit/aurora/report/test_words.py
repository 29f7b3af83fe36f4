"""Sizes, times and people as they are read."""

from __future__ import annotations

import pytest

from kuroshio.aurora.report import words


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1_023, "1,023 B"),
        (1_024, "1 KiB"),
        (1_500_000, "1.43 MiB"),
        (6e9, "5.59 GiB"),
        (2e15, "1,819 TiB"),
        (None, "not known"),
    ],
)
def test_sizes(count: float | None, said: str) -> None:
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.0213, "21 ms"), (3.24, "3.2 s"), (60, "1 min"), (125, "2 min 5 s"), (7_500, "2 h 5 min"), (90_000, "1 d 1 h"), (59.99, "60.0 s"), (None, "not known")],
)  # fmt: skip
def test_spans(seconds: float | None, said: str) -> None:
    assert words.span(seconds) == said


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:sts::123456789012:assumed-role/operator/haruka@example.com", "haruka@example.com (operator)"),
        ("arn:aws:iam::123456789012:user/kenji", "kenji"),
        ("arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:root"),
        ("kenji", "kenji"),
        ("", ""),
    ],
)
def test_people(arn: str, said: str) -> None:
    assert words.person(arn) == said


def test_counts_and_lists() -> None:
    assert words.count(1, "row") == "1 row"
    assert words.count(1_000, "row") == "1,000 rows"
    assert words.count(None, "row") == "an unknown number of rows"
    assert words.listed(["a", "b", "c"], 2) == "a, b and 1 more"
    assert words.elapsed(90_726) == "+25:12:06"
    assert words.sentences(["It restarts.", "So does its reader"]) == "It restarts. So does its reader."
