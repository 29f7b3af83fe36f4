"""``python -m benchmarks.aurora verify``: how fast a clone is proven equal, full and delta, beside pt-table-checksum.

One source and one clone, real servers on this machine, ten million rows. Every comparison of two takes turns on the same
servers, so that what else the machine does disturbs both alike; each figure is the median of the turns.

1. Full: ours and pt-table-checksum, while clients write. Their throughput stands beside both, and beside nobody.
2. Delta, after 0.1, 1, 2 and 10 % of the rows were touched at random, and a full look in turn.
3. Faults of every kind, planted on the clone: who finds which.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.aurora import faults, peer
from benchmarks.aurora.memory import Function
from benchmarks.aurora.pair import Pair, pair
from benchmarks.aurora.writers import writing
from benchmarks.report import Row, write
from kuroshio.aurora.verification.choosing import Rates

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 10_000_000
TURNS = 3
SHARES = (0.1, 1.0, 2.0, 10.0)  # percent
_ALONE_S = 5
_AT_ONCE = 100  # rows that a transaction touches
TABLE = "shop.orders"
SCHEMA = (
    "CREATE DATABASE shop",
    f"CREATE TABLE {TABLE} (id INT PRIMARY KEY, customer INT NOT NULL, amount DECIMAL(10,2) NOT NULL, note VARCHAR(40) NOT NULL)",
    f"USE shop; INSERT INTO {TABLE} SELECT seq, seq MOD 9973, seq / 7, CONCAT('note ', seq MOD 1000) FROM seq_1_to_{ROWS}",  # noqa: S608 - ours
    *faults.tables(),
)
# Keys are looked up however many they are, so that the whole curve is seen.
ALL_KEYS = Rates(keys=Rates().rows)


class Point(NamedTuple):
    """A share of the rows in percent, and what each proof took."""

    share: float
    delta_s: float
    full_s: float


def main() -> None:
    """Make both servers, measure, print the table and write ``build/bench/aurora-verify.json``."""
    peer.install()
    folder = Path(tempfile.mkdtemp(prefix="kuroshio-bench-aurora-"))
    with pair(folder, SCHEMA) as servers:
        print(f"{ROWS:,} rows on both servers; {peer.version()}", flush=True)
        write("aurora-verify", [*full(servers), *curve(servers), *findings(servers)])


def full(servers: Pair) -> Iterator[Row]:
    """Rows a second under a constant write load, and what the writers make of it."""
    ours, theirs, alone = [], [], []
    function = Function(servers)
    function.verify("full")  # every page into memory, for both
    with writing(servers.logins[0], TABLE, ROWS) as writers:
        for turn in range(TURNS):
            began = writers.now()
            took, verdict = function.verify("full")
            if not verdict["equal"]:
                raise RuntimeError(f"the clone differs: {verdict['findings'][:5]}, {verdict['tables']}")
            ours.append((verdict["rows"] / took, *writers.during(began)))
            began = writers.now()
            took, found = peer.checksum(servers, "shop")
            if found:
                raise RuntimeError(f"pt-table-checksum finds differences in {found}")
            theirs.append((ROWS / took, *writers.during(began)))
            began = writers.now()
            servers.replication().wait(servers.replication().mark())
            time.sleep(_ALONE_S)
            alone.append(writers.during(began))
            print(f"turn {turn + 1}: {ours[-1][0]:,.0f} and {theirs[-1][0]:,.0f} rows/s", flush=True)
    servers.catch_up()
    rows, tps, ms = (statistics.median(each) for each in zip(*ours, strict=True))
    pt_rows, pt_tps, pt_ms = (statistics.median(each) for each in zip(*theirs, strict=True))
    free_tps, free_ms = (statistics.median(each) for each in zip(*alone, strict=True))
    ratio = statistics.median(one[0] / other[0] for one, other in zip(ours, theirs, strict=True))
    yield Row("full verification, under writes", rows, "rows/s")
    yield Row("pt-table-checksum, under the same writes", pt_rows, "rows/s")
    yield Row("  ours is faster by", ratio, "x", "> 1 (aim 2)", ratio > 1)
    yield Row("writers while ours looks", tps, "tx/s", f">= {pt_tps:.3g}", tps >= pt_tps)
    yield Row("writers while pt-table-checksum looks", pt_tps, "tx/s")
    yield Row("writers while nobody looks", free_tps, "tx/s")
    yield Row("a write while ours looks", ms, "ms")
    yield Row("a write while pt-table-checksum looks", pt_ms, "ms")
    yield Row("a write while nobody looks", free_ms, "ms")


def curve(servers: Pair) -> Iterator[Row]:
    """What delta takes by the share of rows that was touched, and where a full look costs less."""
    points = []
    function = Function(servers, ALL_KEYS)
    for share in SHARES:
        deltas, fulls = [], []
        for turn in range(TURNS):
            function.proven()
            touch(servers, share, turn)
            took, verdict = function.verify("delta")
            expected = int(ROWS * share / 100)
            if not (verdict["equal"] and verdict["proof"] == "delta" and verdict["rows"] == expected):
                raise RuntimeError(
                    f"{share} %: {verdict['proof']} proof of {verdict['rows']:,} rows: {verdict['reason']}"
                )
            deltas.append(took)
            fulls.append(function.verify("full")[0])
        points.append(Point(share, statistics.median(deltas), statistics.median(fulls)))
        print(f"{share} %: delta {points[-1].delta_s:.2f} s, full {points[-1].full_s:.2f} s", flush=True)
    goals = {0.1: 20.0, 2.0: 3.0}
    for point in points:
        ratio = point.full_s / point.delta_s
        goal = goals.get(point.share)
        yield Row(f"delta proof, {point.share:g} % of the rows touched", point.delta_s, "s")
        yield Row("  full look in turn", point.full_s, "s")
        yield Row("  delta is faster by", ratio, "x", f">= {goal:g}" if goal else None, ratio >= goal if goal else None)
    crossing = meets(points)
    yield Row("full is cheaper from", crossing, "% touched")
    keys = points[-1].delta_s - points[0].delta_s
    touched = ROWS * (points[-1].share - points[0].share) / 100
    yield Row("keys, read from the binlogs and looked up", touched / keys, "keys/s")
    yield Row("rows of a full look", ROWS / statistics.median(point.full_s for point in points), "rows/s")


def meets(points: list[Point]) -> float | None:
    """The share at which both take as long, on a straight line through the last two points; None where they never do."""
    (one, other), fulls = points[-2:], statistics.median(point.full_s for point in points)
    slope = (other.delta_s - one.delta_s) / (other.share - one.share)
    return None if slope <= 0 else one.share + (fulls - one.delta_s) / slope


def touch(servers: Pair, share: float, turn: int) -> None:
    """Update rows at random, a hundred in a transaction, and let the clone follow."""
    keys = random.Random(f"{share} {turn}").sample(range(1, ROWS + 1), int(ROWS * share / 100))
    with servers.connected() as (source, _):
        for first in range(0, len(keys), _AT_ONCE):
            some = ", ".join(map(str, keys[first : first + _AT_ONCE]))
            source.rows(f"UPDATE {TABLE} SET amount = amount + 1 WHERE id IN ({some})")  # noqa: S608 - numbers of ours
    servers.catch_up()


def findings(servers: Pair) -> Iterator[Row]:
    """Plant each fault on the clone, where its own binlog shows it, and ask all three."""
    function = Function(servers)
    function.databases.schema = faults.SCHEMA
    servers.catch_up()
    function.proven()
    with servers.connected() as (_, clone):
        for statement in faults.planted():
            clone.rows(statement)
    expected = {name for name in faults.FAULTS if name != "nothing"}
    ours = {}
    for proof in ("full", "delta"):
        verdict = function.verify(proof)[1]
        ours[proof] = {(each["table"][1], tuple(each["key"]), each["kind"]) for each in verdict["findings"]}
    _, theirs = peer.checksum(servers, faults.SCHEMA)
    for proof, found in ours.items():
        tables = {table for table, _, _ in found}
        yield Row(
            f"faults that a {proof} proof finds",
            len(tables),
            f"of {len(expected)}",
            f"= {len(expected)}",
            tables == expected,
        )
    yield Row(
        "rows that both proofs name alike",
        len(ours["full"] & ours["delta"]),
        f"of {len(ours['full'] | ours['delta'])}",
        "all",
        ours["full"] == ours["delta"],
    )
    pt_tables = {name.rpartition(".")[2] for name in theirs}
    yield Row("faults that pt-table-checksum finds", len(pt_tables & expected), f"of {len(expected)}")
    print(f"not found by pt-table-checksum: {', '.join(sorted(expected - pt_tables)) or 'none'}", flush=True)


if __name__ == "__main__":
    main()
