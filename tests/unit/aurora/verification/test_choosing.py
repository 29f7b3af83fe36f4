"""Which proof is chosen, from where on, and which definitions differ."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kuroshio.aurora.position import Position
from kuroshio.aurora.verification import begin, schema
from kuroshio.aurora.verification.choosing import Proof, Rates, choose, most_keys
from kuroshio.aurora.verification.schema import ColumnDefinition, Definition

LOG = "mysql-bin-changelog.{:06}".format
RATES = Rates(rows=1000, keys=100, binlog=10_000)


@pytest.mark.parametrize(
    ("wanted", "rows", "binlog", "obstacle", "proof"),
    [
        ("full", 10, 0, "", Proof.FULL),
        ("delta", 10, 10_000_000, "", Proof.FULL),  # a thousand seconds: more than a function reads
        ("delta", 10, 1_000_000, "", Proof.DELTA),
        ("auto", 1000, 9_999, "", Proof.DELTA),
        ("auto", 1000, 10_001, "", Proof.FULL),
        ("delta", 1000, 0, "the binlog was purged", Proof.FULL),
    ],
)
def test_the_cheaper_proof_is_chosen_unless_it_cannot_be_had(
    wanted: str, rows: int, binlog: int, obstacle: str, proof: Proof
) -> None:
    choice = choose(wanted, rows, binlog, obstacle, RATES)
    assert (choice.proof, bool(choice.reason)) == (proof, True)
    assert not obstacle or choice.reason == obstacle


def test_more_keys_than_a_full_look_costs_are_not_looked_up() -> None:
    assert (most_keys(1_000_000, RATES), most_keys(10, RATES)) == (100_000, 1_000)


SOURCE = {LOG(7): 100, LOG(8): 200, LOG(9): 300}


@pytest.mark.parametrize(
    ("seed", "clone", "found"),
    [
        (LOG(8), {LOG(8): 9, LOG(10): 9}, (LOG(7), LOG(8))),
        (LOG(7), {LOG(7): 9}, (LOG(7), LOG(7))),
        (LOG(8), {LOG(1): 9, LOG(2): 9}, (LOG(7), LOG(1))),  # enhanced binlog: the clone begins anew
    ],
)
def test_a_first_proof_begins_before_the_seed(seed: str, clone: dict[str, int], found: tuple[str, str]) -> None:
    began = begin.of_seed(Position(seed, 55), SOURCE, clone)
    assert began == begin.Begin(Position(found[0], 4), Position(found[1], 4))


@pytest.mark.parametrize(("seed", "clone"), [(LOG(3), {LOG(3): 9}), (LOG(8), {LOG(9): 9})])
def test_where_a_binlog_does_not_reach_back_there_is_no_beginning(seed: str, clone: dict[str, int]) -> None:
    assert isinstance(begin.of_seed(Position(seed, 55), SOURCE, clone), str)


def test_a_later_proof_begins_where_the_last_ended_if_that_is_still_there() -> None:
    proven = {"upto": f"{LOG(8)}:55", "clone_upto": f"{LOG(2)}:66"}
    assert begin.of_proof(proven, SOURCE, {LOG(2): 99}) == begin.Begin(Position(LOG(8), 55), Position(LOG(2), 66))
    assert "no longer has" in str(begin.of_proof(proven, SOURCE, {LOG(3): 99}))


def test_what_is_to_be_read_is_counted_over_files() -> None:
    assert begin.bytes_from(Position(LOG(8), 50), SOURCE) == 150 + 300


COLUMN = ColumnDefinition("id", "int(11)", False, None, "", "", "", "")
TABLE = Definition("InnoDB", (COLUMN,), {"PRIMARY": (True, ("id",))})
NAME = ("shop", "orders")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ({"type": "int(11)"}, {"type": "int"}),
        ({"type": "bigint(20) unsigned"}, {"type": "bigint unsigned"}),
        ({"charset": "utf8", "collation": "utf8_bin"}, {"charset": "utf8mb3", "collation": "utf8mb3_bin"}),
        ({"default": "CURRENT_TIMESTAMP", "extra": "DEFAULT_GENERATED"}, {"default": "current_timestamp()"}),
        ({"default": "NULL"}, {"default": None}),
    ],
)
def test_what_versions_write_differently_is_no_difference(theirs: dict[str, Any], ours: dict[str, Any]) -> None:
    one, other = (replace(TABLE, columns=(replace(COLUMN, **each),)) for each in (theirs, ours))
    assert schema.differences({NAME: one}, {NAME: other}) == []


@pytest.mark.parametrize(
    ("change", "code", "stops"),
    [
        ({"columns": (replace(COLUMN, type="bigint(20)"),)}, "schema-type", True),
        ({"columns": (replace(COLUMN, type="tinyint(1)"),)}, "schema-type", True),
        ({"columns": (replace(COLUMN, charset="utf8mb4"),)}, "schema-character", True),
        ({"columns": (replace(COLUMN, collation="utf8mb4_bin"),)}, "schema-collation", False),
        ({"columns": (COLUMN, replace(COLUMN, name="more"))}, "schema-columns", True),
        ({"engine": "MyISAM"}, "schema-engine", False),
        ({"indexes": {}}, "schema-index", False),
    ],
)
def test_what_means_something_else_is_named(change: dict[str, Any], code: str, stops: bool) -> None:
    (found,) = schema.differences({NAME: TABLE}, {NAME: replace(TABLE, **change)})
    assert (found.code, found.stops, found.about) == (code, stops, ("shop.orders",))
    assert schema.incomparable([found]) == ({"shop.orders"} if stops else set())
