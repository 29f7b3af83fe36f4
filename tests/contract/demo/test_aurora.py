"""The chapter "aurora" tells the truth: it passes where nothing is lost, doubled or different, and fails where something is."""

from __future__ import annotations

import pytest

from lab.databases.writers import Gap, Judgement, Written
from lab.demo.aurora import Result
from lab.demo.stage import StepFailed

WRITTEN = Written({1: 1_000, 2: 900}, [Gap(1, 10.0, 0.4), Gap(2, 50.0, 0.031)])


@pytest.mark.parametrize(
    ("judgement", "differences", "written", "said"),
    [
        (Judgement(1, 0), 0, WRITTEN, "1 acknowledged writes are lost"),
        (Judgement(0, 2), 0, WRITTEN, "2 acknowledged writes are there twice"),
        (Judgement(0, 0), 3, WRITTEN, "3 rows differ"),
        (Judgement(0, 0), 0, Written({1: 0}), "no client had a write acknowledged"),
    ],
)
def test_what_was_promised_and_is_not_so_fails_the_chapter(
    judgement: Judgement, differences: int, written: Written, said: str
) -> None:
    with pytest.raises(StepFailed, match=said):
        Result(written, judgement, 0.0, differences).check()


def test_the_longest_gap_of_the_cut_over_is_told_apart_from_that_of_the_whole_chapter() -> None:
    result = Result(WRITTEN, Judgement(0, 0), WRITTEN.longest(40.0, 60.0), 0)
    result.check()
    told = "\n".join(result.lines())
    assert "1,900 writes were acknowledged to 2 clients: 0 lost, 0 doubled" in told
    assert "during the cut-over: 31.0 ms" in told
    assert "400 ms" in told
