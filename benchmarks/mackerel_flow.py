"""What the outbox does with points after a step has left them: counted, priced and timed without a network.

The capacity of DynamoDB is counted by its rules: a write costs a unit for each KB of the item, a consistent read one for
each 4 KB. Prices are AWS's list prices of us-east-1 in 2026, without free tiers; no account of ours has paid them.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kuroshio.mackerel import state
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.metrics import Metrics
from lab.mackerel import Clock, FakeMackerel
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kuroshio.mackerel.ports import Key, Ledger, Record

NOON = 1_790_000_040
SERVICE = "shop"
DOLLARS = {
    "sqs": 0.40e-6,  # per request
    "write": 0.625e-6,  # per unit, on demand
    "read": 0.125e-6,
    "invocation": 0.20e-6,
    "gb_second": 0.0000133334,  # arm64
}
MEMORY_GB = 0.5
# Assumed, not measured: what one call takes from a function in the same region, and to Mackerel and back.
CALL_S, MACKEREL_S = 0.004, 0.05
WINDOW_S, LARGEST_BATCH = 5, 100  # of the event source mapping


@dataclass
class Counted:
    """A ledger that counts calls and capacity as DynamoDB would."""

    inner: Ledger = field(default_factory=MemoryLedger)
    calls: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        wanted = list(dict.fromkeys(keys))
        found = self.inner.read(wanted)
        self.calls["BatchGetItem"] += math.ceil(len(wanted) / 100)
        self.units["read"] += sum(math.ceil(_size(found.get(key)) / 4096) for key in wanted)
        return found

    def write(self, record: Record) -> Record:
        self.calls["PutItem"] += 1
        self.units["write"] += math.ceil(_size(record) / 1024)
        return self.inner.write(record)

    def touch(self, key: Key, expires_at: int | None = None) -> None:
        self.calls["UpdateItem"] += 1
        self.units["write"] += 1
        self.inner.touch(key, expires_at)

    def remove(self, record: Record) -> None:
        self.calls["DeleteItem"] += 1
        self.units["write"] += math.ceil(_size(record) / 1024)
        self.inner.remove(record)

    def scan(self, pk: str, limit: int) -> list[Record]:
        found = self.inner.scan(pk, limit)
        size = sum(_size(each) for each in found)
        self.calls["Query"] += max(math.ceil(size / 1e6), 1)
        self.units["read"] += max(math.ceil(size / 4096), 1)
        return found


def _size(record: Record | None) -> int:
    """Bytes of an item: names and values of its attributes."""
    if record is None:
        return 1
    body = len(json.dumps(record.body, separators=(",", ":")))
    return len(record.key.pk) + len(record.key.sk) + body + 60


@dataclass(frozen=True)
class Flow:
    """What a number of points cost. ``seconds`` are those of our own code, Mackerel's fake included."""

    points: int
    messages: int
    posts: int
    calls: Counter[str]
    units: Counter[str]
    invocations: int
    seconds: float
    stored: float

    @property
    def dollars(self) -> float:
        """What AWS asks for them. A message is sent alone; received and deleted in tens, as Lambda's pollers do."""
        sqs = self.messages * 1.2
        waiting = sum(self.calls.values()) * CALL_S + self.posts * MACKEREL_S
        return (
            sqs * DOLLARS["sqs"]
            + self.units["write"] * DOLLARS["write"]
            + self.units["read"] * DOLLARS["read"]
            + self.invocations * DOLLARS["invocation"]
            + (self.seconds + waiting) * MEMORY_GB * DOLLARS["gb_second"]
        )


def flow(steps: int, a_minute: int, name: Callable[[int, int], str], inner: Ledger | None = None) -> Flow:
    """Steps of ten points each, so many a minute; ``name`` says what the nth point of a step is called."""
    clock, ledger, sent = Clock(NOON), Counted(inner or MemoryLedger()), list[str]()
    mackerel = FakeMackerel(clock)
    api = InProcessApi(mackerel)
    api.call("POST", "/services", {"name": SERVICE})
    collector, invocations = Collector(ledger, clock), 0
    flusher = Flusher(ledger, api, clock, lambda _: 0.0, "bench")

    class Sent:
        def send(self, message: str) -> None:
            sent.append(message)

    began, made, messages = time.perf_counter(), 0, 0
    delivered = 0
    while made < steps or delivered:
        for _ in range(60 // WINDOW_S):
            for _ in range(min(round(a_minute * WINDOW_S / 60), steps - made)):
                made += 1
                with Metrics(Sent(), service=SERVICE, origin=f"run/{made}", clock=clock) as metrics:
                    for n in range(10):
                        metrics.put(name(made, n))
            messages += len(sent)
            while sent:
                batch, sent[:] = sent[:LARGEST_BATCH], sent[LARGEST_BATCH:]
                collector.take([Delivery(str(n), text) for n, text in enumerate(batch)])
                invocations += 1
            clock.advance(WINDOW_S)
        state.standing(ledger, clock())
        delivered = sum(turn.requests for turn in flusher.run())
        invocations += 1
    seconds = time.perf_counter() - began
    posts = sum(line.path.endswith("/tsdb") for line in mackerel.received)
    stored = sum(value for points in mackerel.org.points.values() for value in points.values())
    return Flow(steps * 10, messages, posts, ledger.calls, ledger.units, invocations, seconds, stored)


def idle() -> float:
    """What a month costs in which nothing is sent: the flusher's turns."""
    ledger, clock = Counted(), Clock(NOON)
    flusher = Flusher(ledger, InProcessApi(FakeMackerel(clock)), clock, lambda _: 0.0, "bench")
    state.standing(ledger, clock())
    flusher.run()
    minutes = 30 * 24 * 60
    turn = Flow(0, 0, 0, ledger.calls, ledger.units, 1, 0.005, 0)
    return turn.dollars * minutes
