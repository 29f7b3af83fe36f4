"""What a report does not know, it says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kuroshio.aurora.records import Phase
from kuroshio.aurora.report.blocks import Tone
from kuroshio.aurora.report.doubts import left, unknown
from kuroshio.aurora.report.story import PHASES
from kuroshio.aurora.report.verdict import verdict
from tests.fakes import aurora_records as known

CALM = replace(
    known.whole(),
    preflight={"findings": []},
    skips=[],
    lags=known.lags()[:200],
    verifications=[known.verification(1_511, "full") | {"upto": "mysql-bin-changelog.000057:91877", "tables": []}],
)
SKIP = {"at": known.at(1_520), "number": 1062, "tables": ["shop.log"]}


def test_where_everything_is_known_nothing_is_doubted() -> None:
    assert unknown(CALM) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"preflight": {}}, "No preflight is in the ledger"),
        ({"preflight": {"findings": [{"severity": "unknown", "message": "quotas"}]}}, "Preflight could not find out: quotas"),
        ({"seed": {}}, "Where the clone begins in the source's binlog is not in the ledger"),
        ({"verifications": []}, "Nothing was compared yet"),
        ({"verifications": [{"at": known.at(1_511)}]}, "The last comparison has no result"),
        ({"verifications": [{**CALM.verifications[0], "unsettled": 3}]}, "3 rows changed each time they were looked at"),
        ({"skips": [SKIP]}, "1 transaction skipped after the last comparison (tables: shop.log)"),
        ({"verifications": [{**CALM.verifications[0], "proof": "delta", "tables": [{"table": "a", "proof": "delta"}]}]}, "For 1 table the proof rests on"),
        ({"verifications": [{**CALM.verifications[0], "tables": [{"table": "a", "unknown": "no result"}]}]}, "Whether a is equal is not known: no result"),
        ({"verifications": [{**CALM.verifications[0], "upto": "a.000001:4"}]}, "written between a.000001:4 and mysql-bin-changelog.000057:91877"),
        ({"lags": [{"at": known.at(0)}, {"at": known.at(60)}]}, "Nobody watched the clone from 2026-11-20 09:00:00 to 2026-11-20 10:00:00"),
        ({"approvals": []}, "The clone took over, and no approval of it"),
        ({"approvals": [{**known.whole().approvals[1], "by": ""}]}, "Who answered the approval cut-over is not in the ledger"),
    ],
)  # fmt: skip
def test_each_thing_that_is_not_known_is_a_sentence(change: dict[str, Any], said: str) -> None:
    [doubt] = [each for each in unknown(replace(CALM, **change)) if said in each]
    assert doubt not in unknown(CALM)


def test_a_skip_before_the_last_comparison_is_no_doubt() -> None:
    assert unknown(replace(CALM, skips=[{**SKIP, "at": known.at(100)}])) == []


def test_what_is_left_is_what_the_last_step_that_cleaned_up_listed() -> None:
    events = [
        {"left": ["the secret"], "at": known.at(1)},
        {"left": ["the group"], "at": known.at(2)},
        {"at": known.at(3)},
    ]
    assert left(replace(CALM, events=events)) == ["the group"]
    assert left(replace(CALM, events=[*events, {"left": [], "at": known.at(4)}])) == []


def test_a_cut_over_that_neither_ended_nor_returned_is_left_to_somebody() -> None:
    half = {"steps": [{"step": "fenced", "at_ms": 4.0}]}
    assert any("neither ended nor returned" in each for each in left(replace(CALM, cutovers=[half])))


@pytest.mark.parametrize(
    ("change", "said", "tone"),
    [
        ({}, "shop-next took over at 2026-11-21 10:12:00.000; writes were refused for 23.806 ms. Proven equal", Tone.GOOD),
        ({"skips": [SKIP]}, "1 transaction skipped", Tone.WARN),
        ({"verifications": []}, "The two were never compared", Tone.WARN),
        ({"verifications": [{**CALM.verifications[0], "unsettled": 2}]}, "but 2 rows unsettled", Tone.WARN),
        ({"verifications": [known.verification(9, "full", differing=2)]}, "found 2 differences", Tone.BAD),
        ({"state": {"phase": "failed"}, "events": [{"phase": "failed", "error": "SeedRefused", "cause": "stale"}]}, "SeedRefused: stale", Tone.BAD),
        ({"state": {"phase": "failed"}, "events": []}, "the ledger does not say which", Tone.BAD),
        ({"state": {"phase": "aborted"}}, "given up", Tone.WARN),
        ({"state": {"phase": "cutting-over"}}, "under way", Tone.WARN),
        ({"state": {"phase": "ready"}, "cutovers": []}, "Ready to take over. Proven equal", Tone.GOOD),
        ({"state": {"phase": "cloning"}, "cutovers": [], "verifications": []}, "Making the clone. Nothing was compared yet", Tone.PLAIN),
        ({"state": {}, "cutovers": []}, "Only a preflight", Tone.PLAIN),
    ],
)  # fmt: skip
def test_the_first_sentence_says_how_it_stands(change: dict[str, Any], said: str, tone: Tone) -> None:
    found = verdict(replace(CALM, **change))
    assert said in found.text
    assert found.tone is tone


def test_every_phase_has_words() -> None:
    assert set(PHASES) == {str(phase) for phase in Phase}
