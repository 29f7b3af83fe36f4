# ruff: noqa: S608 - statements of a test, made of numbers
"""Random histories on a source that a clone really follows, with losses and edits planted: exactly what differs is found.

The oracle reads both servers row by row, with every value in hexadecimal, after all is written.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from kuroshio.aurora.verification.schema import shown
from tests.fakes.verified_pair import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.aurora.conftest import Pair

TABLES = (
    "CREATE TABLE live.orders (id BIGINT PRIMARY KEY, note VARCHAR(40), amount DECIMAL(12,3), ratio DOUBLE, small FLOAT)",
    (
        "CREATE TABLE live.parts (orders_id BIGINT, line VARCHAR(12) COLLATE utf8mb4_general_ci, v INT, PRIMARY KEY (line, orders_id), "
        "FOREIGN KEY (orders_id) REFERENCES live.orders (id) ON DELETE CASCADE ON UPDATE CASCADE)"
    ),
    (
        "CREATE TABLE live.kinds (d DATE, t TIME(3), b VARBINARY(6), e ENUM('a','b','c'), s SET('p','q'), bi BIT(9), y YEAR, "
        "dt DATETIME(6), ts TIMESTAMP(2) NULL, j JSON, z TEXT, PRIMARY KEY (d, b))"
    ),
    "CREATE TABLE live.audit (at INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(60))",
    "CREATE TABLE live.log (line VARCHAR(30))",
    "CREATE TABLE live.quiet (id INT PRIMARY KEY, v INT)",
    "INSERT INTO live.quiet SELECT seq, seq FROM live.seq_1_to_200",
    "INSERT INTO live.orders SELECT seq, CONCAT('n', seq), seq / 3, seq / 7, seq / 9 FROM live.seq_1_to_300",
    "INSERT INTO live.parts SELECT 1 + seq MOD 300, CONCAT('l', seq), seq FROM live.seq_1_to_400",
    (
        "CREATE TRIGGER live.audited AFTER UPDATE ON live.orders FOR EACH ROW "
        "INSERT INTO live.audit (what) VALUES (CONCAT(OLD.id, ' ', NEW.id))"
    ),
)
KEYS = {"orders": ("id",), "parts": ("line", "orders_id"), "kinds": ("d", "b"), "audit": ("at",), "quiet": ("id",)}


@dataclass
class History:
    """Statements at random, each for the source or for a lost transaction."""

    random: random.Random
    columns: int = 0
    next_id: int = field(default=1000)

    def statement(self) -> str:
        """One that changes rows."""
        return self.random.choice(
            (self._insert, self._update, self._delete, self._move, self._part, self._kind, self._log, self._bulk)
        )()

    def definition(self) -> str:
        """One that changes a table, or is written as a statement."""
        self.columns += 1
        return self.random.choice(
            (
                f"ALTER TABLE live.orders ADD COLUMN c{self.columns} INT DEFAULT {self.columns}",
                f"CREATE INDEX i{self.columns} ON live.parts (v)",
                "TRUNCATE TABLE live.log",
                "SET STATEMENT binlog_format = 'STATEMENT' FOR UPDATE live.quiet SET v = v + 1 WHERE id MOD 7 = 0",
            )
        )

    def edit(self) -> str:
        """Something that only somebody on the clone does."""
        id_ = self.random.randint(1, 200)
        return self.random.choice(
            (
                f"UPDATE live.quiet SET v = -v - 1 WHERE id = {id_}",
                f"DELETE FROM live.quiet WHERE id = {id_}",
                f"INSERT IGNORE INTO live.quiet VALUES ({id_ + 1000}, 1)",
                f"UPDATE live.orders SET ratio = ratio * 1.0000000000000003 WHERE id = {id_}",
                f"UPDATE live.parts SET line = UPPER(line) WHERE line = 'l{id_}'",
                f"INSERT IGNORE INTO live.kinds (d, b) VALUES ('1999-01-01', X'{id_:04X}')",
            )
        )

    def _id(self) -> int:
        return self.random.randint(1, 300)

    def _insert(self) -> str:
        self.next_id += 1
        columns = "(id, note, amount, ratio, small)"
        return f"REPLACE INTO live.orders {columns} VALUES ({self.next_id}, 'o''b', {self.random.random()}, RAND(), RAND())"

    def _update(self) -> str:
        return f"UPDATE live.orders SET amount = amount + 1, note = IF(note IS NULL, '', NULL) WHERE id = {self._id()}"

    def _delete(self) -> str:
        return f"DELETE FROM live.orders WHERE id = {self._id()}"

    def _move(self) -> str:
        self.next_id += 1
        return f"UPDATE live.orders SET id = {self.next_id} WHERE id = {self._id()}"

    def _part(self) -> str:
        return f"UPDATE live.parts SET v = v + 1 WHERE v = {self.random.randint(1, 400)}"

    def _kind(self) -> str:
        day, key = self.random.randint(1, 28), self.random.randint(0, 255)
        return (
            f"REPLACE INTO live.kinds VALUES ('2024-02-{day:02}', X'{key:02X}00', '-12:34:56.789', 'b', 'p,q', b'1{key % 2}', "
            f"2024, NOW(6), NOW(2), '{{\"k\": [{key}, null]}}', REPEAT('語', {day}))"
        ).replace("VALUES ('2024", "(d, b, t, e, s, bi, y, dt, ts, j, z) VALUES ('2024")

    def _log(self) -> str:
        return f"INSERT INTO live.log VALUES ('{self.random.randint(1, 3)}')"

    def _bulk(self) -> str:
        return f"UPDATE live.orders SET small = small + 1 WHERE id MOD {self.random.randint(2, 9)} = 0"


class Truth:
    """What differs, found without anything of ours: every row of both, in hexadecimal."""

    def __init__(self, world: World) -> None:
        self._world = world

    def differences(self) -> dict[str, int]:
        """Rows that differ, by table; a table without a key counts as one."""
        found = {}
        for name, key in KEYS.items():
            theirs, ours = (self._rows(server, name, key) for server in (self._world.source, self._world.clone))
            differing = {each for each in {*theirs, *ours} if theirs.get(each) != ours.get(each)}
            found[f"live.{name}"] = len(differing)
        logs = [
            sorted(server.rows("SELECT HEX(line) FROM live.log")) for server in (self._world.source, self._world.clone)
        ]
        found["live.log"] = int(logs[0] != logs[1])
        return {name: count for name, count in found.items() if count}

    def _rows(self, server: object, name: str, key: tuple[str, ...]) -> dict[object, object]:
        ask: Callable[[str], list[tuple[object, ...]]] = server.rows  # type: ignore[attr-defined]
        columns = [str(row[0]) for row in ask(f"SHOW COLUMNS FROM live.{name}")]
        exact = [f"HEX(POINT({each}, 0))" if each in ("ratio", "small") else f"HEX({each})" for each in columns]
        picked = ", ".join([*(f"HEX({each})" for each in key), *exact])
        return {row[: len(key)]: row[len(key) :] for row in ask(f"SELECT {picked} FROM live.{name}")}


@pytest.fixture
def world(following: Pair) -> Iterator[World]:
    world = World(following, *TABLES)
    # What a skip leaves behind would stop replication at the next change of the same row.
    world.clone.rows("SET GLOBAL slave_exec_mode = 'IDEMPOTENT'")
    yield world
    world.clone.rows("SET GLOBAL slave_exec_mode = 'STRICT'")
    world.close()


def found(world: World, proof: str) -> dict[str, int]:
    record = world.verify(proof)
    assert not record["schema_findings"]
    assert not [table for table in record["tables"] if table["unknown"]]
    counts: dict[str, int] = {}
    for finding in world.work.read(record["report"])["findings"]:
        name = shown(tuple(finding["table"]))
        counts[name] = counts.get(name, 0) + 1
    return counts


@pytest.mark.search
@pytest.mark.parametrize("seed", range(8))
def test_exactly_what_differs_is_found_by_both_proofs(world: World, seed: int) -> None:
    history = History(random.Random(seed))  # noqa: S311 - a seed, no secret
    lost = 0
    for _ in range(25):
        chance = history.random.random()
        if chance < 0.1:
            world.source.rows(history.definition())
        elif chance < 0.2:
            world.caught_up()
            world.clone.rows(history.edit())
        elif chance < 0.3 and lost < 3:
            world.lose(history.statement())
            lost += 1
        else:
            world.source.rows(history.statement())
    world.caught_up()
    truth = Truth(world).differences()
    assert found(world, "delta") == truth
    assert found(world, "full") == truth
    world.behind_its_back(*(history.edit() for _ in range(3)))
    assert found(world, "full") == Truth(world).differences()
