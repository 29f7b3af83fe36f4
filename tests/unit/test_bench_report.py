"""Benchmarks report for people and for machines, and never fail for a missed goal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from benchmarks import calm, report

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_report_is_a_table_and_a_file_with_the_same_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "BENCH", tmp_path)
    rows = [
        report.at_most("overhead / the peer's", 0.3, "x", 0.4),
        report.at_most("cold start / the peer's", None, "x", 0.7),
        report.below("memory", 9.0, "MB", 9.0),
        report.Row("p50", 1234.5, "ms"),
    ]
    path = report.write("sample", rows)
    assert [row["met"] for row in json.loads(path.read_text())["rows"]] == [True, False, False, None]
    assert set(json.loads(path.read_text())["rows"][0]) == {"name", "value", "unit", "goal", "met"}
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["overhead", "/", "the", "peer's", "0.3", "x", "<=", "0.4", "met"]
    assert lines[1].endswith("MISSED")
    assert "fails" in lines[1]
    assert lines[-1].startswith("1 of 3 goals met")


def test_this_process_and_its_children_are_not_foreign() -> None:
    import os

    assert os.getpid() in set(calm.descendants(os.getppid()))
    assert calm.cpu_of(os.getpid()) > 0
    assert calm.cpu_of(2**22 + 1) == 0
