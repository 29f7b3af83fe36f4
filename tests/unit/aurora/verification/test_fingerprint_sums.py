"""Sums as the server makes them, made here: two rows that exchange their values must not leave them as they were."""

from __future__ import annotations

import random
import zlib

from kuroshio.aurora.verification.fingerprint import fingerprint
from kuroshio.aurora.verification.tables import Column, Table

MASK = 0xFFFFFFFF
ID, NAME, RATIO = Column("id", "int"), Column("name", "varchar"), Column("ratio", "double")


def weight(key: int, value: str) -> int:
    """What ``fingerprint`` has MySQL compute of a row of two columns."""
    factor = ((key & MASK) * 2654435761 & MASK) | 1
    return (zlib.crc32(f"{key}#{value}".encode()) & MASK) * factor


def test_the_server_is_told_to_compute_what_is_computed_here() -> None:
    table = Table("shop", "orders", (ID, NAME), ("id",))
    assert fingerprint(table) == (
        "COUNT(*), COALESCE(BIT_XOR(CRC32(CONCAT_WS('#', `id`, `name`)) * "
        "((((`id` & 4294967295) * 2654435761 & 4294967295)) | 1)), 0)"
    )


def test_values_that_moved_to_another_row_are_seen() -> None:
    draw = random.Random(1)  # noqa: S311 - a seed, no secret
    missed = 0
    for _ in range(100_000):
        one = draw.randrange(-1000, 10**6)
        other = one + draw.choice((1, 2, 3, 16, 256, 65_536))
        mine, yours = (f"{draw.randrange(10**4):04}" for _ in range(2))
        if mine != yours:
            before, after = weight(one, mine) ^ weight(other, yours), weight(one, yours) ^ weight(other, mine)
            missed += before == after
    assert missed == 0


def test_floats_are_part_of_the_factor_and_never_of_the_text() -> None:
    table = Table("shop", "orders", (ID, RATIO), ("id",))
    assert "IFNULL(CRC32(POINT(`ratio`, 0)), 1)" in fingerprint(table)


def test_rows_without_a_key_are_added_for_equal_ones_would_cancel() -> None:
    assert "SUM(" in fingerprint(Table("shop", "log", (NAME,)))
