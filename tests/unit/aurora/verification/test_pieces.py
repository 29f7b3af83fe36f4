"""Spans cut into pieces and parts: every row lies in exactly one, whatever its key and whenever the time is over."""

from __future__ import annotations

import itertools

import pytest

from kuroshio.aurora.verification import cutting
from kuroshio.aurora.verification.items import Item, Part, packed
from kuroshio.aurora.verification.pace import Limits, Load, Pace, judge
from kuroshio.aurora.verification.pieces import Pieces, Sizes
from kuroshio.aurora.verification.spans import Span
from kuroshio.aurora.verification.tables import Column, Table
from tests.unit.aurora.verification.pair import inside

CALM = Load(1, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Keys:
    """A side of which only its keys matter."""

    def __init__(self, keys: list[int]) -> None:
        self.keys = sorted(keys)

    def extent(self, _: Table) -> tuple[int, int] | None:
        return (self.keys[0], self.keys[-1]) if self.keys else None

    def nth_key(self, _: Table, span: Span, rows: int) -> tuple[str, ...] | None:
        there = [key for key in self.keys if inside(key, span)]
        return (str(there[rows - 1]),) if 0 < rows <= len(there) else None


def table(rows: int, type_name: str = "int") -> Table:
    return Table("shop", "orders", (Column("id", type_name),), ("id",), rows)


def pieces(side: Keys, clock: Clock, until: float = 1e9) -> Pieces:
    return Pieces(side, Pace(lambda: CALM, clock, clock.sleep), clock, until, Sizes(first=10, least=2, most=50))  # type: ignore[arg-type]


@pytest.mark.parametrize("type_name", ["int", "varchar"])
@pytest.mark.parametrize("keys", [range(-50, 200), range(0, 10**9, 10**7), [5], [], [1, 2, 3, 10**9]])
@pytest.mark.parametrize("span", [Span(), Span(("3",), ("77",)), Span(("-60",), None)])
def test_every_key_lies_in_one_piece_and_those_beyond_the_ends_too(keys: list[int], span: Span, type_name: str) -> None:
    side, clock = Keys(list(keys)), Clock()
    cut = []
    for piece in pieces(side, clock).of(table(len(side.keys), type_name), span):
        cut.append(piece)
        clock.now += 0.02
    for key in [*side.keys, -(10**6), 10**12]:
        assert sum(inside(key, piece) for piece in cut) == inside(key, span)


def test_what_time_does_not_allow_is_left_and_nothing_else() -> None:
    side, clock = Keys(list(range(1000))), Clock()
    cutter = pieces(side, clock, until=1.0)
    cut = []
    for piece in cutter.of(table(1000), Span()):
        cut.append(piece)
        clock.now += 0.3
    assert cutter.rest is not None
    assert [cut[-1].upto, None] == [cutter.rest.after, cutter.rest.upto]
    assert all(sum(inside(key, piece) for piece in [*cut, cutter.rest]) == 1 for key in side.keys)


def test_pieces_grow_where_they_are_quick_and_shrink_where_they_are_slow() -> None:
    side, clock = Keys(list(range(5000))), Clock()
    sizes = []
    for piece in itertools.islice(pieces(side, clock).of(table(5000), Span()), 12):
        sizes.append(sum(inside(key, piece) for key in side.keys))
        clock.now += 0.001 if len(sizes) < 6 else 10
    assert (max(sizes), sizes[-1]) == (50, 2)


@pytest.mark.parametrize(
    ("type_name", "keys"), [("bigint", range(-30, 970)), ("varchar", range(1000)), ("int", [7] * 3)]
)
def test_every_key_lies_in_one_part(type_name: str, keys: list[int]) -> None:
    side = Keys(list(keys))
    cut = list(cutting.parts(side, table(1000, type_name), 90))  # type: ignore[arg-type]
    assert len(cut) == 11 or len(set(keys)) == 1
    for key in [*side.keys, -(10**6), 10**12]:
        assert sum(inside(key, part.span) for part in cut) == 1


def test_items_hold_what_one_may_do_and_come_back_as_they_were() -> None:
    small = [Part(("shop", f"t{number}"), rows=3) for number in range(500)]
    large = [Part(("shop", "orders"), Span((str(n),), (str(n + 1),)), rows=60) for n in range(30)]
    items = packed([*small, *large, Part(("shop", "parts"), keys="k", rows=10)], 100)
    assert [part for item in items for part in item.parts] == [
        *small,
        *large,
        Part(("shop", "parts"), keys="k", rows=10),
    ]
    assert all(sum(part.rows for part in item.parts) <= 100 for item in items)
    assert [Item.of(item.document()) for item in items] == items


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        (Load(25, 1_000_000), ""),
        (Load(26, 0), "26 threads run"),
        (Load(1, 1_000_001), "1,000,001 transactions behind"),
    ],
)
def test_a_source_is_left_alone_while_it_is_busy(load: Load, reason: str) -> None:
    assert (reason in judge(load, Limits())) if reason else not judge(load, Limits())


def test_a_pause_lasts_until_the_load_is_over_and_is_told() -> None:
    clock, loads = Clock(), iter([Load(99, 0)] * 4 + [CALM] * 9)
    pace = Pace(lambda: next(loads), clock, clock.sleep)
    pace.rest(1e9)  # not asked within the first second
    assert clock.now == 0
    clock.now = 2.0
    pace.rest(1e9)
    assert (pace.paused_s, "99 threads" in pace.reason) == (0.25 + 0.5 + 1 + 2, True)


def test_no_pause_outlasts_the_turn() -> None:
    clock = Clock()
    pace = Pace(lambda: Load(99, 0), clock, clock.sleep)
    clock.now = 2.0
    pace.rest(10.0)
    assert clock.now <= 10.0
