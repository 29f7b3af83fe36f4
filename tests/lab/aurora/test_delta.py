"""A clone that really follows, differences of every kind planted, and the proof that looks only at what was touched."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kuroshio.adapters import binlog_dump, table_catalogue
from kuroshio.adapters.mysql import Server
from kuroshio.adapters.replication import Instance, Replication
from kuroshio.adapters.verified_side import SqlSide
from kuroshio.aurora.binlog.touched import Reader
from kuroshio.aurora.verification import delta
from kuroshio.aurora.verification.agreement import Agreement, Kind, Patience
from kuroshio.aurora.verification.spans import Span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Pair

    from kuroshio.aurora.position import Position
    from kuroshio.aurora.verification.delta import Work

NUMBERS = "WITH RECURSIVE numbers AS (SELECT 0 AS seq UNION ALL SELECT seq + 1 FROM numbers WHERE seq < 99)"
SCHEMA = (
    "CREATE TABLE live.orders (id INT PRIMARY KEY AUTO_INCREMENT, note VARCHAR(50), amount DECIMAL(10,2), ratio DOUBLE)",
    (
        "CREATE TABLE live.parts (order_id INT, line SMALLINT UNSIGNED, name CHAR(20) CHARSET utf8mb4, PRIMARY KEY (name, line), "
        "KEY (order_id), FOREIGN KEY (order_id) REFERENCES live.orders (id) ON DELETE CASCADE)"
    ),
    (
        "CREATE TABLE live.kinds (e ENUM('a','b','c'), d DATE, t TIME(2), b BIT(9), bin BINARY(4), n DECIMAL(8,3), v INT, "
        "PRIMARY KEY (e, d, t, b, bin, n))"
    ),
    "CREATE TABLE live.notes (text VARCHAR(50))",
    "CREATE TABLE live.quiet (id INT PRIMARY KEY, v INT)",
    (
        f"INSERT INTO live.orders (note, amount, ratio) {NUMBERS} "  # noqa: S608 - ours
        "SELECT CONCAT('n', n), n / 3, n / 7 FROM (SELECT a.seq * 100 + b.seq + 1 AS n FROM numbers a, numbers b WHERE a.seq < 20) t "
        "ORDER BY n"
    ),
    f"INSERT INTO live.quiet {NUMBERS} SELECT seq + 1, seq + 1 FROM numbers",  # noqa: S608
)


class World:
    """The two servers, and the positions from which on their binlogs count."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self.source, self.clone = (Server(pair.login(each)) for each in (pair.source, pair.clone))
        self.instances = tuple(Instance(pair.login(each)) for each in (pair.source, pair.clone))
        for statement in SCHEMA:
            self.source.rows(statement)
        self.follower = Replication(*self.instances, within_s=30)
        self.caught_up()
        self.begin: tuple[Position, Position] = (self.instances[0].position(), self.instances[1].position())

    def caught_up(self) -> None:
        self.follower.wait(self.follower.mark())

    def work(self) -> dict[tuple[str, str], Work]:
        self.caught_up()
        tables = [table for table in table_catalogue.tables(self.source) if table.schema == "live"]
        layouts = table_catalogue.layouts(self.source, tables)
        readers = [
            Reader(layouts, most_keys=lambda _: 1_000),
            Reader(layouts, most_keys=lambda _: 1_000, of_interest=lambda server: server == self.instances[1].number),
        ]
        logins = self.pair.login(self.pair.source), self.pair.login(self.pair.clone)
        for reader, login, begin in zip(readers, logins, self.begin, strict=True):
            reader.read(binlog_dump.events(login, begin))
        return delta.work(tables, [reader.result() for reader in readers])

    def findings(self) -> dict[str, set[tuple[tuple[str, ...], Kind]]]:
        sides = SqlSide(self.pair.login(self.pair.source)), SqlSide(self.pair.login(self.pair.clone))
        agreement = Agreement(*sides, self.follower, Patience(window=20))
        tables = {table.label: table for table in table_catalogue.tables(self.source)}
        found = {}
        for name, work in self.work().items():
            table = tables[name]
            findings = agreement.of_spans(table, [Span()]) if work.is_whole else agreement.of_keys(table, work.keys)
            found[name[1]] = {(finding.key, finding.kind) for finding in findings}
        for side in sides:
            side.close()
        return {name: findings for name, findings in found.items() if findings}

    def close(self) -> None:
        for each in (self.source, self.clone, *self.instances):
            each.close()


@pytest.fixture
def world(following: Pair) -> Iterator[World]:
    world = World(following)
    yield world
    world.close()


def test_what_nobody_touched_is_not_looked_at(world: World) -> None:
    world.source.rows("UPDATE live.orders SET note = 'x' WHERE id IN (3, 5)")
    world.source.rows("DELETE FROM live.orders WHERE id = 7")
    world.source.rows("INSERT INTO live.orders (id, note) VALUES (5000, 'new')")
    work = world.work()
    assert set(work) == {("live", "orders"), ("live", "parts")}
    assert work["live", "orders"].keys == [("3",), ("5",), ("7",), ("5000",)]
    assert "foreign keys carry a delete" in work["live", "parts"].reasons[0]
    assert world.findings() == {}


def test_rows_that_the_clone_lost_or_that_somebody_wrote_there_are_found_by_their_keys(world: World) -> None:
    world.source.rows("UPDATE live.orders SET amount = amount + 1 WHERE id BETWEEN 100 AND 110")
    world.caught_up()
    world.clone.rows("UPDATE live.orders SET ratio = ratio * 1.0000000000000003 WHERE id = 1500")
    world.clone.rows("DELETE FROM live.quiet WHERE id = 42")
    world.clone.rows("INSERT INTO live.quiet VALUES (101, 1)")
    # A change that passes by: what a skipped error loses.
    world.clone.rows("SET SESSION sql_log_bin = 0")
    world.clone.rows("UPDATE live.orders SET amount = amount - 1 WHERE id = 105")
    assert world.findings() == {
        "orders": {(("105",), Kind.DIFFERENT), (("1500",), Kind.DIFFERENT)},
        "quiet": {(("42",), Kind.MISSING), (("101",), Kind.EXTRA)},
    }


def test_keys_of_every_type_name_the_same_row_in_a_binlog_and_in_sql(world: World) -> None:
    world.source.rows(
        "INSERT INTO live.kinds VALUES ('b', '2024-02-29', '-12:34:56.78', b'100000001', 'ab', -0.5, 1), "
        "('c', '0999-01-01', '838:59:59', b'0', X'00010203', 12345.678, 2)"
    )
    world.source.rows("INSERT INTO live.parts VALUES (1, 65535, '部品'), (2, 1, 'o''b'), (3, 2, 'trailing ')")
    world.caught_up()
    world.clone.rows("SET SESSION sql_log_bin = 0")
    world.clone.rows("UPDATE live.kinds SET v = v + 1")
    world.clone.rows("UPDATE live.parts SET order_id = 9")
    found = world.findings()
    assert {kind for _, kind in found["kinds"] | found["parts"]} == {Kind.DIFFERENT}
    assert (len(found["kinds"]), len(found["parts"])) == (2, 3)


def test_statements_and_tables_without_a_key_are_looked_at_whole(world: World) -> None:
    world.source.rows("INSERT INTO live.notes VALUES ('a'), ('a'), ('b')")
    world.source.rows("ALTER TABLE live.quiet ADD COLUMN w INT")
    work = world.work()
    assert work["live", "notes"].reasons == ["it has no primary key"]
    assert work["live", "quiet"].reasons == ["statement: ALTER TABLE live.quiet ADD COLUMN w INT"]


def test_more_keys_than_it_pays_to_look_up_make_a_table_whole(world: World) -> None:
    world.source.rows("UPDATE live.orders SET note = 'all'")
    assert world.work()["live", "orders"].reasons == ["more than 1,000 of its rows were touched"]
    assert world.findings() == {}
