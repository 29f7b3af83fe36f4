"""Two real servers with the same rows, and one difference planted: each must show, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import table_catalogue
from kuroshio.adapters.mysql import Server
from kuroshio.adapters.verified_side import SqlSide
from kuroshio.aurora.verification.agreement import Agreement, Patience
from kuroshio.aurora.verification.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Pair

    from kuroshio.aurora.verification.tables import Table

ROWS = 300
SCHEMA = """
CREATE TABLE fp.everything (
  id BIGINT PRIMARY KEY AUTO_INCREMENT, i INT, u BIGINT UNSIGNED, t TINYINT NOT NULL DEFAULT 3, d DECIMAL(20,5), f FLOAT,
  g DOUBLE, c CHAR(10) CHARSET utf8mb4 COLLATE utf8mb4_general_ci, v VARCHAR(100) CHARSET utf8mb4 COLLATE utf8mb4_general_ci,
  w VARCHAR(100) CHARSET latin1, b VARBINARY(30), z TEXT, y BLOB, dt DATETIME(6), ts TIMESTAMP(3) NULL, da DATE, ti TIME(2),
  ye YEAR, e ENUM('x','y'), s SET('p','q'), bi BIT(12), j JSON, p POINT, n INT AS (i * 2) VIRTUAL)"""
FILL = f"""
INSERT INTO fp.everything (id, i, u, d, f, g, c, v, w, b, z, y, dt, ts, da, ti, ye, e, s, bi, j, p)
WITH RECURSIVE numbers AS (SELECT 1 AS seq UNION ALL SELECT seq + 1 FROM numbers WHERE seq < {ROWS})
SELECT seq, seq, 18446744073709551615 - seq, seq * 1.00001, seq / 7, seq / 7, CONCAT('c', seq), CONCAT('日本', seq),
  CONCAT('w', seq), UNHEX(LEFT(SHA2(seq, 256), 32)), REPEAT('z', seq), REPEAT('y', seq), '2026-01-01 00:00:00.000001' + INTERVAL seq SECOND,
  '2026-01-01 00:00:00.001' + INTERVAL seq SECOND, '2026-01-01' + INTERVAL seq DAY, SEC_TO_TIME(seq), 2000 + seq MOD 50,
  IF(seq MOD 2, 'x', 'y'), IF(seq MOD 3, 'p', 'p,q'), seq, CONCAT('{{"n": ', seq, '}}'), POINT(seq, 1)
FROM numbers"""  # noqa: S608 - a number of ours

# What is planted on the clone, and the rows that differ by it.
FAULTS = {
    "an integer": ("UPDATE fp.everything SET i = i + 1 WHERE id = 7", {7}),
    "the largest unsigned": ("UPDATE fp.everything SET u = u - 1 WHERE id = 7", {7}),
    "the last digit of a decimal": ("UPDATE fp.everything SET d = d + 0.00001 WHERE id = 7", {7}),
    "the last bit of a float": ("UPDATE fp.everything SET f = f * 1.0000002 WHERE id = 7", {7}),
    "the last bit of a double": ("UPDATE fp.everything SET g = g * 1.0000000000000003 WHERE id = 7", {7}),
    "zero for minus zero": ("UPDATE fp.everything SET g = -g WHERE id = 7", {7}),
    # The condition holds: general_ci calls the two equal.
    "text that its collation calls equal": ("UPDATE fp.everything SET c = 'ç7' WHERE id = 7 AND c = 'ç7'", {7}),
    "upper case": ("UPDATE fp.everything SET c = 'C7' WHERE id = 7", {7}),
    "a space at the end": ("UPDATE fp.everything SET v = CONCAT(v, ' ') WHERE id = 7", {7}),
    "empty for NULL": ("UPDATE fp.everything SET z = '' WHERE id = 7", {7}),
    "NULL for zero": ("UPDATE fp.everything SET i = NULL WHERE id = 7", {7}),
    "a NULL float": ("UPDATE fp.everything SET g = NULL WHERE id = 7", {7}),
    "a byte of a blob": ("UPDATE fp.everything SET y = CONCAT('x', SUBSTR(y, 2)) WHERE id = 7", {7}),
    "a character of latin1": ("UPDATE fp.everything SET w = 'é' WHERE id = 7", {7}),
    "a microsecond": ("UPDATE fp.everything SET dt = dt + INTERVAL 1 MICROSECOND WHERE id = 7", {7}),
    "a time zone": ("UPDATE fp.everything SET ts = ts + INTERVAL 9 HOUR WHERE id = 7", {7}),
    "a day": ("UPDATE fp.everything SET da = da + INTERVAL 1 DAY WHERE id = 7", {7}),
    "a sign of a time": ("UPDATE fp.everything SET ti = '-00:00:07' WHERE id = 7", {7}),
    "a year": ("UPDATE fp.everything SET ye = ye + 1 WHERE id = 7", {7}),
    "an enum": ("UPDATE fp.everything SET e = 'y' WHERE id = 7", {7}),
    "a set": ("UPDATE fp.everything SET s = '' WHERE id = 7", {7}),
    "a bit": ("UPDATE fp.everything SET bi = bi ^ 1 WHERE id = 7", {7}),
    "JSON": ("""UPDATE fp.everything SET j = '{"n": 8}' WHERE id = 7""", {7}),
    "a point": ("UPDATE fp.everything SET p = POINT(7, 2) WHERE id = 7", {7}),
    "a letter that moved to the next column": (
        "UPDATE fp.everything SET c = 'c', v = CONCAT('7', v) WHERE id = 7",
        {7},
    ),
    "a missing row": ("DELETE FROM fp.everything WHERE id = 7", {7}),
    "a row too many": ("INSERT INTO fp.everything (id) VALUES (1000)", {1000}),
    "two rows that exchanged a value": (
        "UPDATE fp.everything SET bi = IF(id = 150, 152, 150) WHERE id IN (150, 152)",
        {150, 152},
    ),
    "two rows that exchanged a double": (
        "UPDATE fp.everything a JOIN fp.everything b ON a.id + b.id = 21 AND a.id IN (10, 11) SET a.g = b.id / 7",
        {10, 11},
    ),
}


class Standing:
    """A clone that nothing changes any more."""

    def mark(self) -> str:
        return "the end"

    def wait(self, mark: str) -> None:
        assert mark == "the end"


@pytest.fixture
def table(pair: Pair) -> Iterator[Table]:
    pair.both("DROP DATABASE IF EXISTS fp", "CREATE DATABASE fp", SCHEMA, FILL)
    server = Server(pair.login(pair.source))
    yield next(table for table in table_catalogue.tables(server) if table.name == "everything")
    server.close()


def differing(pair: Pair, table: Table) -> tuple[set[int], set[int]]:
    sides = SqlSide(pair.login(pair.source)), SqlSide(pair.login(pair.clone))
    agreement = Agreement(*sides, Standing(), Patience(window=20))
    spans = [Span(None, ("100",)), Span(("100",), ("200",)), Span(("200",), None)]
    found = {int(finding.key[0]) for finding in agreement.of_spans(table, spans)}
    keys = [(str(number),) for number in [*range(1, ROWS + 1), 1000]]
    by_key = {int(finding.key[0]) for finding in agreement.of_keys(table, keys)}
    for side in sides:
        side.close()
    return found, by_key


def test_equal_tables_are_equal(pair: Pair, table: Table) -> None:
    assert differing(pair, table) == (set(), set())


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_difference_is_found_and_nothing_else(pair: Pair, table: Table, fault: str) -> None:
    statement, rows = FAULTS[fault]
    clone = Server(pair.login(pair.clone))
    clone.rows(statement)
    clone.close()
    assert differing(pair, table) == (rows, rows)
