"""A world in which everything goes wrong that can: the ground of the property test."""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

from kuroshio.errors import ServiceUnavailable, TransientError
from kuroshio.mackerel import messages, places
from kuroshio.mackerel.cells import Cell
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.downtimes import pieces
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.hosting import KeptHost
from kuroshio.mackerel.hosts import CheckHost
from kuroshio.mackerel.points import Annotation, Combine, Point, Report, marked
from kuroshio.mackerel.ports import Answer, Key, Record
from kuroshio.mackerel.silence import Downtime, Ended
from kuroshio.mackerel.turns import Pace
from lab.mackerel import Clock, FakeMackerel, Fault, Rules
from lab.mackerel.downtimes import ends
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger
from lab.mackerel.organization import Series
from lab.mackerel.queue import MemoryQueue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOON = 1_790_000_040
HOUR = 3600
PACE = Pace(points_per_request=5)
NAMES = {
    ("shop", "orders.count"): Combine.SUM,
    ("shop", "orders.largest"): Combine.MAX,
    ("depot", "queue.depth"): Combine.LAST,
    ("depot", "parcels.count"): Combine.SUM,
    ("depot", "a.name.that.mackerel.finds.too.long"): Combine.SUM,
}
POISON = "a.name.that.mackerel.finds.too.long"
POISON_CHECK = "check-that-mackerel-refuses"
UNKNOWN_SERVICE = "nobody"


class Killed(BaseException):
    """The process is gone, in the middle of whatever it did."""


class Storm:
    """Decides at every step of a worker whether it is killed, interrupted by other workers, or told a lie."""

    def __init__(self, random: Random, interrupt: Callable[[], None], *, kills: float, interruptions: float) -> None:
        self._random, self._interrupt = random, interrupt
        self._kills, self._interruptions = kills, interruptions
        self._deep = False
        self.over = False

    def strike(self) -> None:
        """Between two steps of a worker."""
        if self.over:
            return
        if not self._deep and self._random.random() < self._interruptions:
            self._deep = True
            try:
                self._interrupt()
            finally:
                self._deep = False
        if self._random.random() < self._kills:
            raise Killed

    def lies(self) -> bool:
        """Whether a write that was done is reported as failed."""
        return not self.over and self._random.random() < self._kills


class StormyLedger:
    """A ledger whose callers are killed and interrupted before and after each call, and whose answers get lost."""

    def __init__(self, ledger: MemoryLedger, storm: Storm) -> None:
        self._ledger, self._storm = ledger, storm

    def read(self, keys: Iterable[Key]) -> dict[Key, Record]:
        self._storm.strike()
        return self._ledger.read(keys)

    def write(self, record: Record) -> Record:
        self._storm.strike()
        written = self._ledger.write(record)
        self._end()
        return written

    def touch(self, key: Key, expires_at: int | None = None) -> None:
        self._storm.strike()
        self._ledger.touch(key, expires_at)
        self._end()

    def remove(self, record: Record) -> None:
        self._storm.strike()
        self._ledger.remove(record)
        self._end()

    def scan(self, pk: str, limit: int) -> list[Record]:
        self._storm.strike()
        return self._ledger.scan(pk, limit)

    def _end(self) -> None:
        self._storm.strike()
        if self._storm.lies():
            raise ServiceUnavailable("the answer was lost")


class StormyApi:
    """Mackerel behind a network that may deliver a request later than its sender waits, within timeout and grace."""

    def __init__(self, world: World, *, late: float) -> None:
        self._world, self._late = world, late
        self._api = InProcessApi(world.mackerel)
        self._under_way: list[tuple[float, str, str, Any]] = []

    def call(self, method: str, path: str, body: Any = None) -> Answer:
        world = self._world
        self.deliver()
        if world.random.random() < world.kills:
            raise Killed
        if not world.storm.over and world.random.random() < self._late:
            arrives = world.clock() + world.random.uniform(0, PACE.request_timeout + PACE.grace - 1)
            self._under_way.append((arrives, method, path, json.loads(json.dumps(body))))
            if world.random.random() < 0.3:
                raise Killed
            world.clock.advance(PACE.request_timeout)
            return Answer(0, message="timed out")
        answer = self._api.call(method, path, body)
        if not world.storm.over and world.random.random() < world.kills:
            raise Killed
        return answer

    def deliver(self) -> None:
        """Let arrive what was under way until now."""
        ready = sorted((entry for entry in self._under_way if entry[0] <= self._world.clock()), key=lambda e: e[0])
        self._under_way = [entry for entry in self._under_way if entry[0] > self._world.clock()]
        for arrives, method, path, body in ready:
            ahead = self._world.clock() - arrives
            self._world.clock.advance(-ahead)  # it is processed when it arrives, not when we look
            self._api.call(method, path, body)
            self._world.clock.advance(ahead)


class World:
    """Writers, a queue, collectors, flushers, a ledger and a Mackerel, and one seed for all that happens to them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - a failure must be repeatable by its seed
        self.clock = Clock(NOON + self.random.randrange(60))
        rules = Rules(
            requests_per_minute=8, longest_name=30, longest_check=20, most_points=self.random.choice([None, 3])
        )
        self.mackerel = FakeMackerel(self.clock, rules)
        self.kills = self.random.choice([0.0, 0.01, 0.05])
        self.storm = Storm(
            self.random, self._interruption, kills=self.kills, interruptions=self.random.choice([0, 0.05])
        )
        self.ledger = MemoryLedger()
        self.queue = MemoryQueue(self.clock, self.random, copies=self.random.choice([0.0, 0.2]))
        self.api = StormyApi(self, late=self.random.choice([0.0, 0.15, 0.5]))
        self.sent: dict[str, Point] = {}
        self.spans: dict[str, Annotation] = {}
        self.reports: dict[tuple[str, int], Report] = {}
        self.downtimes: dict[str, Downtime] = {}
        self.ended: set[str] = set()
        self.twice: set[str] = set()
        self._workers = 0
        api = InProcessApi(self.mackerel)
        for service in ("shop", "depot", "kuroshio"):
            api.call("POST", "/services", {"name": service})
        self.host: str = api.call(
            "POST", "/hosts", {"name": "kuroshio", "meta": {}, "customIdentifier": "kuroshio-dev"}
        ).document["id"]

    def live(self, steps: int) -> None:
        """So many things happen."""
        deeds = [
            (self._write, 8),
            (self._collect, 5),
            (self._flush, 5),
            (self._wait, 4),
            (self._hurry, 3),
            (self._break, 2),
        ]
        for deed in self.random.choices([d for d, _ in deeds], [weight for _, weight in deeds], k=steps):
            deed()

    def calm_down(self) -> None:
        """Everything works from now on, until nothing is left to do."""
        self.storm.over, self.kills = True, 0.0
        self.mackerel.faults.clear()
        for _ in range(500):
            self.clock.advance(61)
            self.api.deliver()
            self.queue.redrive()
            while len(self.queue) and (deliveries := self.queue.receive(10)):
                self._as_lambda_does(deliveries)
            self._flush()
            if not len(self.queue) and not [pk for pk in self.ledger.partitions() if pk.startswith("mackerel#due#")]:
                return
        raise AssertionError("the outbox never became empty")

    def _write(self) -> None:
        points = tuple(self._point() for _ in range(self.random.randint(1, 4)))
        spans = tuple(self._span() for _ in range(self.random.random() < 0.1))
        reports = tuple(self._report() for _ in range(self.random.random() < 0.2))
        silences = self._silence() if self.random.random() < 0.25 else ()
        self.queue.send(messages.packed(messages.Parcel(points, reports, spans, downtimes=silences)))
        self.sent |= {point.key: point for point in points}
        if self.random.random() < 0.2:  # a retried task says the same again, and its clock has moved on
            moved = self.random.choice([0, 40, 200])
            again = tuple(replace(point, time=point.time + moved) if point.floating else point for point in points)
            self.queue.send(messages.packed(messages.Parcel(again, reports, spans, downtimes=silences)))
        if self.random.random() < 0.05:
            self.queue.send("no JSON at all")

    def _point(self) -> Point:
        service, name = self.random.choice(list(NAMES))
        age = self.random.choice([0, 0, 0, 30, 300, self.random.randrange(23 * HOUR)])
        key = f"event-{len(self.sent)}-{self.random.randrange(10**9)}"
        value = float(self.random.randint(-3, 9))
        floating = self.random.random() < 0.2
        time = int(self.clock()) - (0 if floating else age)
        return Point(service, name, time, value, NAMES[service, name], f"{key}/0" if floating else key, floating)

    def _span(self) -> Annotation:
        """The beginning of an execution's span, or the end of one that began."""
        ending = [span for span in self.spans.values() if span.last is None]
        if ending and self.random.random() < 0.6:
            span = replace(self.random.choice(ending), last=int(self.clock()), title="ended")
        else:
            span = Annotation("shop", f"execution-{len(self.spans)}", "begun", int(self.clock()))
        self.spans[span.marker] = span
        return span

    def _silence(self) -> tuple[Downtime | Ended, ...]:
        """An execution's downtime begins, or ends, or both; an end may be said before the beginning, and more than once."""
        ending = [marker for marker in self.downtimes if marker not in self.ended or self.random.random() < 0.1]
        if ending and self.random.random() < 0.6:
            return (self._ended(self.random.choice(ending)),)
        now = int(self.clock())
        last = now + self.random.choice([600, HOUR, HOUR, 40 * HOUR, 200 * HOUR])
        service = UNKNOWN_SERVICE if self.random.random() < 0.1 else "shop"
        begun = Downtime(service, f"run-{len(self.downtimes)}", "cut-over", now, last)
        self.downtimes[begun.marker] = begun
        if self.random.random() < 0.2:
            return (self._ended(begun.marker), begun)
        return (begun,)

    def _ended(self, marker: str) -> Ended:
        self.ended.add(marker)
        return Ended(marker, int(self.clock()))

    def _report(self) -> Report:
        at = int(self.clock()) - self.random.choice([0, 0, 5 * HOUR])
        name = self.random.choice(["check-0", "check-1", "check-2", "check-3", POISON_CHECK])
        report = Report(name, self.random.choice(["OK", "CRITICAL"]), "so", at)
        return self.reports.setdefault((report.name, at), report)

    def _collect(self) -> None:
        if deliveries := self.queue.receive(self.random.choice([1, 3, 10])):
            self._as_lambda_does(deliveries)

    def _as_lambda_does(self, deliveries: list[Any]) -> None:
        try:
            failed = Collector(StormyLedger(self.ledger, self.storm), self.clock).take(deliveries)
        except (Killed, TransientError):
            return
        self.queue.delete({delivery.id for delivery in deliveries} - set(failed))

    def _flush(self) -> None:
        self._workers += 1
        ledger = StormyLedger(self.ledger, self.storm)
        flusher = Flusher(
            ledger,
            self.api,
            self.clock,
            lambda most: self.random.uniform(0, most),
            f"flusher-{self._workers}",
            carrier=KeptHost(ledger, CheckHost("kuroshio-dev", "kuroshio-dev"), self.clock),
            pace=PACE,
        )
        with suppress(Killed, TransientError):
            flusher.run()
        held = [(entry["memo"], entry["start"]) for entry in self.mackerel.org.downtimes.values()]
        self.twice |= {memo for memo, start in held if held.count((memo, start)) > 1}

    def _wait(self) -> None:
        self.clock.advance(self.random.choice([5, 30, 61, 61, 200, 900]))
        self.api.deliver()

    def _hurry(self) -> None:
        """Many things within a minute: new events meet requests that are still under way."""
        for _ in range(4):
            self.clock.advance(self.random.randint(2, 15))
            self.api.deliver()
            self._write()
            self._collect()
            self._flush()

    def _break(self) -> None:
        span = self.random.choice([60, 600, HOUR, 5 * HOUR, 30 * HOUR])
        kind = self.random.choice(["outage", "outage", "429", "half-closed", "reset", "gateway", "slow", "401"])
        until = self.clock() + span
        fault = {
            "outage": Fault("status", status=503, until=until),
            "429": Fault("status", status=429, until=until, retry_after=self.random.choice([None, 30])),
            "half-closed": Fault("half-closed", times=self.random.randint(1, 5)),
            "reset": Fault("reset", times=self.random.randint(1, 5)),
            "gateway": Fault("status", status=504, processed=True, times=self.random.randint(1, 5)),
            "slow": Fault("slow", seconds=15, times=3),
            "401": Fault("status", status=401, until=until),
        }[kind]
        self.mackerel.faults.add(fault)
        if fault.until is not None and self.random.random() < 0.7:
            self._hours(span)

    def _hours(self, span: float) -> None:
        """Let the outage pass, or the better part of it, while everybody goes on working."""
        for _ in range(6):
            self.clock.advance(span / self.random.choice([5, 6, 7]))
            self.api.deliver()
            self._write()
            self._collect()
            self._flush()

    def _interruption(self) -> None:
        for deed in self.random.choices([self._collect, self._flush, self._write, self._wait], k=2):
            deed()


def outcome(world: World) -> tuple[dict[str, str], list[str]]:
    """What became of each event ("stored", "lost", "parked"), and every contradiction between ledger and Mackerel."""
    fates: defaultdict[str, list[str]] = defaultdict(list)
    wrong = []
    for service in ("shop", "depot", "kuroshio"):
        for record in world.ledger.scan(f"mackerel#cells#{service}", 100_000):
            wrong += _judge(world, service, record, fates)
    wrong += [f"{key}: {what}" for key, what in fates.items() if len(what) != 1]
    return {key: what[0] for key, what in fates.items()}, wrong + _judge_spans(world) + _judge_reports(
        world
    ) + _judge_downtimes(world)


def _judge(world: World, service: str, record: Record, fates: defaultdict[str, list[str]]) -> list[str]:
    cell, minute, name = Cell.parse(record.body), places.minute_of(record.key.sk), places.name_of(record.key.sk)
    events = [world.sent.get(entry.key) for entry in cell.contributions]
    wrong = [
        f"{event.key} is counted for {service} {record.key.sk}"
        for event in events
        if event and (event.service, event.name) != (service, name)
    ]
    wrong += [f"{event.key} moved" for event in events if event and not event.floating and event.minute != minute]
    for number, contribution in enumerate(cell.contributions):
        beyond = "lost" if number < cell.stored + cell.lost else "parked"
        fates[contribution.key].append("stored" if number < cell.stored else beyond)
    held = world.mackerel.org.points.get(Series("service", service, name), {}).get(minute)
    expected = _together(world, cell, events[: cell.stored]) if cell.stored else None
    return wrong if held == expected else [*wrong, f"{record.key}: Mackerel holds {held}, {expected} is right"]


def _together(world: World, cell: Cell, events: list[Point | None]) -> float:
    """What was sent, put together without the code that is judged."""
    told = [contribution.value for contribution in cell.contributions[: cell.stored]]
    values = [event.value if event else value for event, value in zip(events, told, strict=True)]
    if cell.combine is Combine.LAST:
        times = [(contribution.time, contribution.key) for contribution in cell.contributions[: cell.stored]]
        return values[times.index(max(times))]
    return max(values) if cell.combine is Combine.MAX else sum(values)


def _judge_spans(world: World) -> list[str]:
    """Each execution has one annotation, and it says how the execution ended."""
    held = world.mackerel.org.annotations.values()
    wrong = [] if len(held) == len(world.spans) else [f"{len(held)} annotations for {len(world.spans)} executions"]
    for marker, span in world.spans.items():
        found = [entry for entry in held if marked(marker) in entry["description"]]
        shown = [(entry["title"], entry["from"], entry["to"]) for entry in found]
        expected = (span.title, span.first, span.first if span.last is None else span.last)
        wrong += [] if shown == [expected] else [f"{marker}: Mackerel shows {shown}, {expected} is right"]
    return wrong


def _judge_reports(world: World) -> list[str]:
    """Each report is in Mackerel or listed as lost, or set aside where Mackerel refuses it; what is noted as sent is there."""
    states = {record.key.sk: record.body["state"] for record in world.ledger.scan("mackerel#reports", 100_000)}
    aside = {record.body.get("sk") for record in world.ledger.scan(places.PARKED, 100_000)}
    wrong = []
    for name, at in world.reports:
        sk = places.report(name, at).sk
        state = states.get(sk)
        held = (world.host, name, at) in world.mackerel.org.reports
        settled = sk in aside and not held if name == POISON_CHECK else state == "sent" and held
        if state != "lost" and not settled:  # one that is lost may have arrived: nobody can ask for it
            wrong.append(f"the report {name} at {at} is {state}, and Mackerel has {'it' if held else 'it not'}")
    return wrong


def _judge_downtimes(world: World) -> list[str]:
    """Each downtime is there as it was said until it ends, never twice, and none is left whose end was said."""
    wrong = [f"{memo}: it was opened twice" for memo in world.twice]
    aside = {record.body.get("sk"): record.body["reason"] for record in world.ledger.scan(places.PARKED, 100_000)}
    offset = world.mackerel.org.rules.utc_offset
    for marker, said in world.downtimes.items():
        mark = marked(marker)
        held = [entry for entry in world.mackerel.org.downtimes.values() if entry["memo"] == mark]
        silent = [entry for entry in held if ends(entry, offset) > world.clock()]
        spans = sorted((entry["start"], int(ends(entry, offset))) for entry in held)
        if marker in world.ended:
            wrong += [f"{marker}: its end was said, and it is open"] if silent else []
        elif said.service == UNKNOWN_SERVICE:
            told = "HTTP 400" in aside.get(places.downtime(marker).sk, "") or said.last + 60 <= world.clock()
            wrong += [] if told else [f"{marker}: refused unsaid"]
        elif said.last > world.clock() or held:
            right = pieces(said.first, said.last, offset)
            whole = len(spans) == len(right) and all(
                start == first and last <= end < last + 60
                for (start, end), (first, last) in zip(spans, right, strict=True)
            )
            wrong += [] if whole else [f"{marker}: Mackerel is silent {spans}, {right} is right"]
    return wrong
