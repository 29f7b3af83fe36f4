"""What a verification takes, held against its own arithmetic and the page that shows it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kuroshio.aurora.verification import scale

PAGE = Path(__file__).parents[4] / "docs/workflows/verify-clone.md"
GB = 10**9
MB_PER_S = 80 * 10**6
SHOWN = {"10 GB": (10 * GB, 4), "1 TB": (1000 * GB, 16), "100 TB": (100_000 * GB, 32)}


def test_ten_gigabytes_are_three_items() -> None:
    found = scale.full(10 * GB, MB_PER_S, 4)
    assert (found.items, found.turns, found.transitions) == (3, 3, 3 * 4 + 5)
    assert found.hours == pytest.approx(125 / 3 / 3600)
    # 125 s of 1.73 GB, 17 transitions; requests and objects are below a hundredth of a cent.
    assert found.own_usd == pytest.approx(125 * 1769 / 1024 * 0.0000133334 + 17 * 0.000025, abs=1e-4)
    assert found.reads_usd == pytest.approx(2 * 10 * GB / 16384 / 1e6 * 0.20)


def test_items_grow_where_there_would_be_too_many() -> None:
    found = scale.full(100_000 * GB, MB_PER_S, 256)
    assert (found.items, found.turns) == (scale.MOST_ITEMS, scale.MOST_ITEMS)
    larger = scale.full(1_000_000 * GB, MB_PER_S, 256)
    assert (larger.items, larger.turns) == (scale.MOST_ITEMS, 5 * scale.MOST_ITEMS)


@pytest.mark.parametrize(("size", "at_once"), [(GB, 0), (GB, 10_001), (10**22, 100)])
def test_what_the_services_do_not_allow_is_refused(size: float, at_once: int) -> None:
    with pytest.raises(ValueError, match=r"distributed Map|history"):
        scale.full(size, MB_PER_S, at_once)


def test_the_page_shows_what_is_computed() -> None:
    rows = dict(re.findall(r"^\| (10+ [GT]B|1 TB) \| (.+) \|$", PAGE.read_text(), re.MULTILINE))
    assert rows == {
        name: f"{at_once} | {found.items:,} | {found.transitions:,} | {found.hours:.2f} h | ${found.own_usd:,.2f} | ${found.reads_usd:,.2f}"
        for name, (size, at_once) in SHOWN.items()
        for found in [scale.full(size, MB_PER_S, at_once)]
    }
