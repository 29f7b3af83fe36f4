"""How long clients cannot write while a clone takes over: 50 cut-overs and ways back under load, on real servers.

Four clients, each a process, write transactions through the cluster's name, connect again when they are thrown out, and note
the longest time without an acknowledged write. The function runs in a process of its own, as in a Lambda that is warm; its
ledger is DynamoDB's API. The name is the cluster's own, moved by RDS's API, which the lab does at once: what the renames take
on AWS comes on top there (docs/workflows/cut-over.md).

The floors are what the same clients see when the source does nothing but refuse writes and take them again at once, and when
it also ends their connections meanwhile, which no change of servers spares them. Between those and the gap lies what a
cut-over costs; the floors themselves are what this machine, with everybody on it, does to any client.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.calm import Calm
from benchmarks.report import Row, at_most, write
from kuroshio.adapters import aws
from kuroshio.adapters.aurora_ledger import AuroraLedger
from kuroshio.adapters.clusters import RdsClusters
from kuroshio.adapters.database_logins import DatabaseLogins
from kuroshio.adapters.switch_servers import SwitchServers
from kuroshio.aurora.switching import Switching
from kuroshio.wiring.aurora import now
from lab.databases.writers import judge, writers
from tests.lab.aurora.switched import APP, Whole, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.databases.writers import Written

RUNS, CLIENTS, REST_S, AFTER_S = int(os.environ.get("RUNS", "50")), 4, 0.3, 0.5
GOAL_MS = 100.0
TABLE = "ledger"


@dataclass
class Measured:
    """One cut-over, or one pause that is the floor. Seconds since the epoch."""

    begin: float
    end: float
    steps: dict[str, float] = field(default_factory=dict)


class Function:
    """The function in another process: an event in, an answer out."""

    def __init__(self, authority: str) -> None:
        command = [sys.executable, "-m", "benchmarks.aurora.cutover", authority]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __call__(self, step: str, direction: str, run: str, request: dict[str, Any]) -> dict[str, Any]:
        """Raises RuntimeError with what it raised."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        event = {"step": step, "direction": direction, "run": run, "request": request}
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def main() -> None:
    """Measure, print the table and write ``build/bench/aurora-cutover.json``."""
    with whole() as place:
        create_ledger()
        function, calm, halves = Function(place.secrets["authority"]), Calm(), 0
        with writers(place.app(), clients=CLIENTS) as running:
            time.sleep(1)
            begin, runs, floors, thrown = time.time(), [], [], []
            for number in range(RUNS):
                live = "copy-1" if number % 2 else "shop-1"
                floors.append(paused(place, live))
                time.sleep(REST_S)
                thrown.append(paused(place, live, throw_out=True))
                time.sleep(REST_S)
                runs.append(switched(place, function, number))
                halves += half_switched(place, number)
                time.sleep(REST_S)
            seconds = time.time() - begin
        function.close()
        server = place.lab.sql("shop")
        found = judge(server, running.written)
        server.close()
        figures = list(rows(running.written, runs, floors, thrown))
        rate = running.written.count / seconds
        figures += [
            Row(f"acknowledged transactions of {CLIENTS} clients", running.written.count, ""),
            Row("... per second, all pauses included", rate, "/s"),
            at_most(f"acknowledged and lost in {RUNS} runs", found.lost, "", 0),
            at_most("doubled", found.doubled, "", 0),
            at_most("half-switched states", halves, "", 0),
            Row("CPU taken by others meanwhile", calm.foreign(), "of one CPU"),
        ]
        write("aurora-cutover", figures)


def rows(written: Written, runs: list[Measured], floors: list[Measured], thrown: list[Measured]) -> Iterator[Row]:
    """Of what the clients saw, and of the window as the function saw it."""
    gaps = sorted(written.longest(each.begin, each.end + AFTER_S) * 1_000 for each in runs)
    windows = sorted(each.steps["opened"] for each in runs)
    yield Row("client-visible write gap, p50", share(gaps, 0.5), "ms")
    yield at_most("client-visible write gap, p95", share(gaps, 0.95), "ms", GOAL_MS)
    yield Row("client-visible write gap, worst", gaps[-1], "ms")
    for what, pauses in (("writes refused and taken again", floors), ("... and everybody thrown out", thrown)):
        floor = sorted(written.longest(each.begin, each.end + REST_S / 2) * 1_000 for each in pauses)
        yield Row(f"floor: {what}, p50", share(floor, 0.5), "ms")
        yield Row(f"floor: {what}, p95", share(floor, 0.95), "ms")
        yield Row(f"floor: {what}, worst", floor[-1], "ms")
    yield Row("from the fence to the opening, p50", share(windows, 0.5), "ms")
    yield Row("from the fence to the opening, p95", share(windows, 0.95), "ms")
    for step in ("fenced", "reached", "moved", "decided"):
        yield Row(f"... {step} at, p50", share(sorted(each.steps[step] for each in runs), 0.5), "ms")


def switched(place: Whole, function: Function, number: int) -> Measured:
    """Over and back in turn, each with the way back set up."""
    step, direction = ("cut_back", "back") if number % 2 else ("switch", "over")
    begin = time.time()
    record = function(step, direction, f"run-{number}", place.request())
    end = time.time()
    function("reverse", direction, f"run-{number}", place.request())
    return Measured(begin, end, {each["step"]: float(each["at_ms"]) for each in record["steps"]})


def paused(place: Whole, live: str, *, throw_out: bool = False) -> Measured:
    """Nothing but a fence that falls at once; ``throw_out``: with the applications' connections ended inside of it."""
    server = place.instance(live)
    server.rows("SELECT 1")
    begin = time.time()
    server.rows("CALL mysql.rds_set_read_only(1)")
    if throw_out:
        for (number,) in server.rows("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = %s", (APP,)):
            server.rows("CALL mysql.rds_kill(%s)", (number,))
    server.rows("CALL mysql.rds_set_read_only(0)")
    end = time.time()
    server.close()
    return Measured(begin, end)


def half_switched(place: Whole, number: int) -> int:
    """1 unless exactly the one that has the name takes writes."""
    live = "shop-1" if number % 2 else "copy-1"
    named = place.lab.rds.describe_db_instances(DBInstanceIdentifier=live)["DBInstances"][0]["DBClusterIdentifier"]
    return int(named != "shop" or place.open_ones() != [live])


def share(values: list[float], of: float) -> float:
    """The value that this share of them does not pass (nearest rank)."""
    return values[max(-int(-len(values) * of // 1) - 1, 0)]


def create_ledger() -> None:
    """As the foundation makes it."""
    keys = (("pk", "HASH"), ("sk", "RANGE"))
    aws.client("dynamodb").create_table(
        TableName=TABLE,
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],  # type: ignore[typeddict-item]
        BillingMode="PAY_PER_REQUEST",
    )


def serve(authority: str) -> None:
    """The function: one event per line, as ``wiring.aurora.cut_over_cluster`` makes it."""
    rds, ledger = RdsClusters(), AuroraLedger(TABLE)
    servers = SwitchServers(rds, DatabaseLogins(rds, authority), ledger)
    function = Switching(ledger, servers, now, time.monotonic, time.sleep)
    for line in sys.stdin:
        try:
            answer = function.run(json.loads(line))
        except Exception as error:  # noqa: BLE001 - whoever asked raises it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path.cwd()))
    serve(sys.argv[1])
