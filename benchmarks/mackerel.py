"""``make bench-mackerel``: figures on their way through the outbox, beside mackerel.client called inside the step.

Both writers run in processes of their own and take turns, block by block, against servers of the same making in a third
(``mackerel_servers``): a step has ten figures. What follows behind the queue is counted and priced (``mackerel_flow``).
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import urllib3

from benchmarks import mackerel_flow
from benchmarks.mackerel_flow import CALL_S, Flow, flow
from benchmarks.report import Row, at_most, write

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUSE = Path(__file__).parents[1]
PEERS = Path(__file__).parent / "mackerel_peers"
BLOCKS, STEPS = 30, 20
SLOW_STEPS, SLOW_S = 5, 1.0
POINTS = 10_000


class Writer:
    """A process that does as many steps as it is told."""

    def __init__(self, python: str, script: str, origin: str) -> None:
        command = [python, str(PEERS / script), origin]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOUSE)

    def do(self, steps: int) -> Any:
        """Do them and return what was measured."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def end(self) -> None:
        """Let it end."""
        self.process.communicate()


def main() -> None:
    """Measure, print and write ``build/bench/mackerel.json``."""
    write("mackerel", [*in_the_step(), *behind_the_queue()])


def in_the_step() -> Iterator[Row]:
    """What a step waits for, in turns; then while Mackerel is slow; then what is left of its figures."""
    with ExitStack() as stack:
        origins = started(stack)
        ours = Writer(sys.executable, "ours.py", origins["queue"])
        inline = Writer(inline_python(), "inline.py", origins["mackerel"])
        stack.callback(ours.end)
        stack.callback(inline.end)
        ours.do(STEPS), inline.do(STEPS)  # connections and clients are made
        mine, theirs, first = list[float](), list[float](), ours.do(0)["calls"]
        for _ in range(BLOCKS):
            mine += ours.do(STEPS)["waited"]
            theirs += inline.do(STEPS)
        calls = (ours.do(0)["calls"] - first) / len(mine)
        lost = 1 - kept(origins["mackerel"]) / (10 * (len(theirs) + STEPS))
        fault(origins["mackerel"], {"kind": "slow", "seconds": SLOW_S})
        slow = [median(each) for each in (ours.do(SLOW_STEPS)["waited"], inline.do(SLOW_STEPS))]
    yield at_most("SQS calls in a step", calls, "", 1)
    yield Row("a step waits, outbox, p50", median(mine) * 1000, "ms")
    yield Row("a step waits, mackerel.client, p50", median(theirs) * 1000, "ms")
    yield Row("outbox / mackerel.client, no network, p50", median(mine) / median(theirs), "x")
    yield Row("outbox / mackerel.client, no network, p99", high(mine) / high(theirs), "x")
    yield at_most("the same, Mackerel answers after 1 s", slow[0] / slow[1], "x", 1)
    yield Row("counts that mackerel.client overwrote", lost * 100, "%")


def behind_the_queue() -> Iterator[Row]:
    """Few names that many steps share, and every point a name of its own: the cheapest and the dearest work."""
    steps = POINTS // 10
    shared = flow(steps, 1_000, lambda _, n: f"orders.n{n}")
    apart = flow(steps, 90, lambda step, n: f"step{step % 90}.n{n}")
    for title, each in (("shared names", shared), ("a name each", apart)):
        yield from of(title, each)
    yield Row("an idle month", mackerel_flow.idle(), "USD")


def of(title: str, done: Flow) -> Iterator[Row]:
    """The rows of one kind of work. mackerel.client posts once a step, and the last post of a minute stays."""
    tenths = 10_000 / done.points
    yield Row(f"{title}: points a second, our code", done.points / done.seconds, "/s")
    waiting = done.seconds + sum(done.calls.values()) * CALL_S
    yield Row(f"{title}: the same, {CALL_S * 1000:.0f} ms a DynamoDB call", done.points / waiting, "/s")
    yield Row(f"{title}: Mackerel calls / 10,000 points", done.posts * tenths, "")
    yield at_most(f"{title}: the same / mackerel.client", done.posts / (done.points / 10), "x", 1)
    for name, count in sorted(done.calls.items()):
        yield Row(f"{title}: {name} / 10,000 points", count * tenths, "")
    yield Row(f"{title}: write units / 10,000 points", done.units["write"] * tenths, "")
    yield Row(f"{title}: a million points", done.dollars / done.points * 1e6, "USD")
    yield Row(
        f"{title}: points stored, of {done.points:,}", done.stored, "", f"= {done.points}", done.stored == done.points
    )


def high(seconds: list[float]) -> float:
    """The 99th percentile."""
    return sorted(seconds)[int(len(seconds) * 0.99)]


def started(stack: ExitStack) -> dict[str, str]:
    """Where the servers are."""
    command = [sys.executable, "-m", "benchmarks.mackerel_servers"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=HOUSE)
    stack.callback(process.communicate)
    assert process.stdout is not None
    origins: dict[str, str] = json.loads(process.stdout.readline())
    return origins


def fault(origin: str, document: dict[str, Any]) -> None:
    """Let the fake fail."""
    assert urllib3.request("POST", f"{origin}/_lab/faults", json=document).status < 300  # noqa: PLR2004


def kept(origin: str) -> float:
    """The sum of all figures that Mackerel holds."""
    total = 0.0
    for n in range(10):
        query = f"name=orders.n{n}&from=0&to=9999999999"
        url = f"{origin}/api/v0/services/shop/metrics?{query}"
        answer = urllib3.request("GET", url, headers={"X-Api-Key": "lab-key"}).json()
        total += sum(point["value"] for point in answer["metrics"])
    return total


def inline_python() -> str:
    """A Python with mackerel.client in a place of its own: its requirements must not rule ours."""
    home, lock = HOUSE / "build/tools/mackerel-client", HOUSE / "requirements/tools/mackerel-client.txt"
    python = str(home / "bin/python")
    if not home.exists():
        subprocess.run(["uv", "venv", "--quiet", "--python", sys.executable, home], check=True)
    subprocess.run(["uv", "pip", "sync", "--quiet", "--require-hashes", "--python", python, lock], check=True)
    return python


if __name__ == "__main__":
    main()
