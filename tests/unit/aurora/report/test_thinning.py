"""A thinned line keeps what people look for in it."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as some

from kuroshio.aurora.report.lag_plot import Mark, plotted
from kuroshio.aurora.report.thinning import Point, thinned, unbroken

POINTS = some.lists(
    some.tuples(some.floats(0, 1e9), some.floats(0, 1e15)).map(lambda pair: Point(*pair)), min_size=1, max_size=3_000
).map(sorted)


@settings(max_examples=50)
@given(POINTS, some.integers(8, 200))
def test_a_thinned_line_is_short_in_order_and_keeps_its_ends_and_its_peak(points: list[Point], most: int) -> None:
    kept = thinned(points, most)
    assert len(kept) <= most + 8
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    assert {points[0].at, points[-1].at} <= {each.at for each in kept}
    assert max(each.value for each in kept) == max(each.value for each in points)
    assert min(each.value for each in kept) == min(each.value for each in points)


def test_a_single_peak_among_a_hundred_thousand_looks_is_drawn() -> None:
    points = [Point(float(at), 9e9 if at == 77_777 else 10.0) for at in range(100_000)]
    drawn = plotted(points, [Mark(50_000.0, "verified")])
    assert "highest: 8.38 GiB" in drawn
    assert len(drawn) < 40_000
    [line] = re.findall(r'<polyline points="([^"]*)"', drawn)
    tops = [float(pair.split(",")[1]) for pair in line.split()]
    assert sum(top < 200 for top in tops) == 1


@settings(max_examples=50)
@given(POINTS)
def test_every_line_can_be_drawn_inside_its_picture(points: list[Point]) -> None:
    drawn = plotted(points)
    places = [
        tuple(map(float, pair.split(","))) for line in re.findall(r' points="([^"]*)"', drawn) for pair in line.split()
    ]
    assert all(0 <= x <= 960 and 0 <= y <= 280 for x, y in places)


def test_a_time_in_which_nobody_looked_interrupts_the_line() -> None:
    points = [Point(float(at), 1.0) for at in (0, 60, 120, 4_000, 4_060)]
    assert [len(run) for run in unbroken(points, 900)] == [3, 2]
    assert unbroken([], 900) == []
