"""What is found of differences between a source that is written to and a clone that is behind."""

from collections.abc import Callable

import pytest

from kuroshio.aurora.verification.agreement import Agreement, Finding, Kind, Patience
from kuroshio.aurora.verification.spans import Span
from tests.unit.aurora.verification.pair import TABLE, World

SPANS = [Span(None, ("100",)), Span(("100",), ("200",)), Span(("200",), None)]
QUIET = range(150)  # keys that the world never writes to


def agreement(world: World) -> Agreement:
    return Agreement(world.source, world.clone, world, Patience(window=20))


def findings(world: World) -> dict[int, Kind]:
    return {int(found.key[0]): found.kind for found in agreement(world).of_spans(TABLE, SPANS)}


def by_key(world: World) -> dict[int, Kind]:
    keys = [(str(key),) for key in range(world.rows + 20)]
    return {int(found.key[0]): found.kind for found in agreement(world).of_keys(TABLE, keys)}


Look = Callable[[World], dict[int, Kind]]
LOOKS = pytest.mark.parametrize("look", [findings, by_key])


@LOOKS
@pytest.mark.parametrize("seed", range(50))
def test_a_clone_that_follows_agrees_however_far_it_is_behind(look: Look, seed: int) -> None:
    assert look(World(seed)) == {}


@LOOKS
@pytest.mark.parametrize("seed", range(150))
def test_exactly_the_rows_that_differ_are_found(look: Look, seed: int) -> None:
    world = World(seed)
    gone, wrong, more = world.random.sample(QUIET, 3)
    del world.clone.rows[gone]
    world.clone.rows[wrong] = "somebody else's"
    world.clone.rows[-1 - more] = "never replicated"
    lost = world.random.choice([key for key in QUIET if key not in (gone, wrong)])
    world.write(lost, "lost on the way", lost=True)
    expected = {gone: Kind.MISSING, wrong: Kind.DIFFERENT, lost: Kind.DIFFERENT}
    if look is findings:
        expected[-1 - more] = Kind.EXTRA
    assert look(world) == expected


@LOOKS
def test_two_rows_that_exchange_a_value_differ(look: Look) -> None:
    world = World(1)
    rows = world.clone.rows
    rows[3], rows[4] = rows[4], rows[3]
    assert look(world) == {3: Kind.DIFFERENT, 4: Kind.DIFFERENT}


def test_a_state_of_the_source_before_the_position_is_no_agreement() -> None:
    """The clone has what the source was seen to have in the round before; the change since then is lost."""
    world = World(2, writes=False)
    world.clone.rows[7] = "another, so that it is looked at again"
    notes = iter(["first", "second", "third", "fourth"])

    def write() -> None:
        if (note := next(notes, None)) is not None:
            world.write(7, note)

    world.source.before_each = write
    marks = 0

    def mark() -> str:
        nonlocal marks
        marks += 1
        if marks == 4:
            world.write(7, "lost", lost=True)
        return World.mark(world)

    world.mark = mark  # type: ignore[method-assign]
    assert by_key(world) == {7: Kind.DIFFERENT}


def test_a_row_that_never_stands_still_is_unsettled_and_not_equal() -> None:
    world = World(3, hot=frozenset({5}))
    world.clone.rows[6] = "wrong"

    def meddle() -> None:
        World.go_on(world)
        world.clone.rows[5] = f"always another {len(world.log)}"

    world.clone.before_each = meddle
    assert findings(world) == {5: Kind.UNSETTLED, 6: Kind.DIFFERENT}


@pytest.mark.parametrize("seed", range(30))
def test_a_row_under_constant_writes_is_settled_or_said_not_to_be(seed: int) -> None:
    world = World(seed, hot=frozenset({5, 250}))
    assert set(findings(world).items()) <= {(5, Kind.UNSETTLED), (250, Kind.UNSETTLED)}


def test_equal_spans_cost_one_look_at_each_side() -> None:
    world = World(4, writes=False)
    assert list(agreement(world).of_spans(TABLE, SPANS)) == []
    assert (world.source.looks, world.clone.looks) == (3, 3)


def test_what_is_found_equal_was_equal_at_a_position_that_is_named() -> None:
    world = World(5)
    world.go_on()
    before = len(world.log)
    assert int(agreement(world).since) == before


def test_a_finding_names_its_key_as_sql_finds_it() -> None:
    world = World(6, writes=False)
    del world.clone.rows[42]
    assert list(agreement(world).of_spans(TABLE, SPANS)) == [Finding(("42",), Kind.MISSING)]
