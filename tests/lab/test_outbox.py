"""Every execution is in Mackerel exactly once: real functions in containers, their roles, and a Mackerel that fails."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from deployed import APPLICATION, FOUNDATION, Deployed
from harness import eventually

from kuroshio.adapters import aws
from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
from kuroshio.errors import Outpaced
from kuroshio.mackerel import places, points, state
from kuroshio.mackerel.catalogue import of_run
from kuroshio.mackerel.messages import Parcel, packed
from lab.engine import find
from lab.mackerel import Fault
from lab.mackerel.in_process import InProcessApi

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.mackerel.ports import Key
    from lab.mackerel import FakeMackerel

SERVICE, WORKFLOW = "kuroshio-dev", "detect-changes"
MINUTE = 60


class Outbox:
    """The deployed outbox, looked at and hurried from outside."""

    def __init__(self, deployed: Deployed, mackerel: FakeMackerel) -> None:
        self.deployed, self.mackerel = deployed, mackerel
        self.ledger = DynamoOutboxLedger(deployed.output(FOUNDATION, "LedgerTableName"))
        self.queue = deployed.output(APPLICATION, "OutboxQueueUrl")

    def send(self, body: str) -> None:
        self.deployed.aws("sqs").send_message(QueueUrl=self.queue, MessageBody=body)

    def flush(self) -> dict[str, Any]:
        answer = self.deployed.aws("lambda").invoke(FunctionName="kuroshio-dev-flush-metrics", Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()
        return dict(json.loads(answer["Payload"].read()))

    def let_pass(self, seconds: float) -> None:
        """Turn back every lane's clock: containers keep the machine's time, and nobody wants to wait for it."""
        for turn in self.ledger.scan(places.TURNS, 1000):
            eventually(lambda key=turn.key: self._turned_back(key, seconds))

    def _turned_back(self, key: Key, seconds: float) -> bool:
        """False where a flusher has just written the turn that was read."""
        for turn in self.ledger.read([key]).values():
            passed = {name: turn.body.get(name, 0) - seconds for name in ("until", "not_before")}
            try:
                self.ledger.write(replace(turn, body={**turn.body, **passed}))
            except Outpaced:
                return False
        return True

    def drain(self) -> None:
        """Minutes pass until all that was sent is collected and delivered or set aside."""

        def empty() -> bool:
            at_rest = self.deployed.is_at_rest()  # an execution that ended is not yet recorded, nor is its message sent
            self.let_pass(10 * MINUTE)
            self.flush()
            ours = [
                lane for lane in state.lanes(self.ledger) if lane.name in (places.metrics_of(SERVICE), places.REPORTS)
            ]
            return at_rest and self.queue_is_empty() and not any(lane.waiting for lane in ours)

        eventually(empty, within_s=120)

    def queue_is_empty(self) -> bool:
        return self.holds(self.queue) == 0

    def holds(self, queue: str) -> int:
        """How many messages, those in flight included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.deployed.aws("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def attributes(self) -> dict[str, str]:
        """Of the outbox's queue, as SQS has them."""
        sqs = self.deployed.aws("sqs")
        return dict(sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"])

    @contextmanager
    def giving_up_after(self, receives: int) -> Iterator[None]:
        """SQS sets aside what was received so often."""
        sqs, before = self.deployed.aws("sqs"), self.attributes()["RedrivePolicy"]
        policy = json.dumps({**json.loads(before), "maxReceiveCount": receives})
        sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"RedrivePolicy": policy})
        try:
            yield
        finally:
            sqs.set_queue_attributes(QueueUrl=self.queue, Attributes={"RedrivePolicy": before})

    @contextmanager
    def on_schedule(self) -> Iterator[None]:
        set_schedules(self.deployed, "ENABLED")
        try:
            yield
        finally:
            set_schedules(self.deployed, "DISABLED")

    def series(self, prefix: str) -> dict[str, dict[int, float]]:
        """What Mackerel finally holds, by metric and minute."""
        return {
            series.name: dict(values)
            for series, values in self.mackerel.org.points.items()
            if series.owner == SERVICE and series.name.startswith(prefix)
        }

    def figures(self, function: str) -> dict[str, float]:
        """The newest EMF figures in a function's log."""
        told: dict[str, float] = {}
        for event in self.deployed.aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]:
            line = json.loads(event["message"]) if event["message"].startswith("{") else {}
            for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
                told |= {metric["Name"]: line[metric["Name"]][0] for metric in directive["Metrics"]}
        return told

    def executions(self) -> list[dict[str, Any]]:
        sfn, machine = self.deployed.aws("stepfunctions"), self.deployed.output(APPLICATION, "DetectChangesWorkflowArn")
        listed = sfn.list_executions(stateMachineArn=machine)["executions"]
        return [sfn.describe_execution(executionArn=one["executionArn"]) for one in listed]

    def expected_runs(self) -> dict[str, dict[int, float]]:
        """What Step Functions itself knows of all executions, as Mackerel should hold it."""
        expected: defaultdict[str, dict[int, float]] = defaultdict(dict)

        def count(status: str, at: Any, seconds: float | None) -> None:
            minute = int(at.timestamp()) // MINUTE * MINUTE
            for figure, value in of_run(WORKFLOW, status, seconds):
                held = expected[figure.of(WORKFLOW)]
                combined = max if figure.combine == "max" else lambda a, b: a + b
                held[minute] = combined(held[minute], value) if minute in held else value

        for one in self.executions():
            count("RUNNING", one["startDate"], None)
            count(one["status"], one["stopDate"], (one["stopDate"] - one["startDate"]).total_seconds())
        return dict(expected)


def set_schedules(deployed: Deployed, state: str) -> None:
    scheduler = deployed.aws("scheduler")
    for schedule in ("flush-metrics", "report-deployments"):
        found = scheduler.get_schedule(Name=f"{APPLICATION}-{schedule}")
        kept = {name: found[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target")}
        scheduler.update_schedule(**kept, State=state)


@pytest.fixture(scope="module", autouse=True)
def _no_schedules(deployed: Deployed) -> Iterator[None]:
    """Between two steps of a test they would hold the turns whose clock it turns back, and send what it did not."""
    set_schedules(deployed, "DISABLED")
    yield
    set_schedules(deployed, "ENABLED")


@pytest.fixture
def outbox(deployed: Deployed, mackerel: FakeMackerel, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    aws.forget_clients()
    yield Outbox(deployed, mackerel)
    deployed.run("kuroshio", "lab", "fault", "clear")  # what a failed test leaves would fail all that come after it
    aws.forget_clients()


def bad_request(number: int) -> dict[str, Any]:
    base, head = "a" * 40, f"{number:040x}"
    return {
        "schema": "kuroshio.detect-request/1",
        "repository": "owner/name",
        "pull_request": number,
        "base": base,
        "head": head,
        "bundle": f"incoming/owner/name/pr-{number}/{head}-{base}.bundle",
    }


def point(name: str, value: float, key: str, service: str = SERVICE) -> str:
    now = time.time()
    return packed(Parcel(points=(points.point(service, name, value, at=now, now=now, combine="sum", key=key),)))


def judge(outbox: Outbox) -> None:
    """Mackerel holds what Step Functions knows: no execution is missing, none is counted twice."""
    outbox.drain()
    held, expected = outbox.series("runs."), outbox.expected_runs()
    durations = f"runs.{WORKFLOW}.duration"
    assert {name: held[name] for name in held if name != durations} == {
        name: expected[name] for name in expected if name != durations
    }
    assert held[durations] == pytest.approx(expected[durations], abs=0.01)


def test_the_service_is_made_by_a_person_and_until_then_its_lane_is_parked_and_says_so(outbox: Outbox) -> None:
    outbox.deployed.plan(11)

    def told() -> Any:
        outbox.let_pass(10 * MINUTE)
        outbox.flush()
        return [lane for lane in state.lanes(outbox.ledger) if lane.refusal]

    [lane] = eventually(told, within_s=60)
    assert (lane.name, str(lane.refusal)) == (f"metrics/{SERVICE}", "unknown service or host: Service not found.")
    InProcessApi(outbox.mackerel).call("POST", "/services", {"name": SERVICE})
    judge(outbox)


def test_every_execution_is_counted_and_so_is_its_plan(outbox: Outbox) -> None:
    plan = json.loads(outbox.deployed.plan(12))
    outbox.deployed.execute(bad_request(12))
    judge(outbox)
    planned = outbox.series("changes.")
    assert sum(planned["changes.units_planned"].values()) >= len(plan["units"])


@pytest.mark.parametrize("status", [500, 429, 401, 403])
def test_whatever_mackerel_answers_for_a_while_every_execution_is_counted_once(outbox: Outbox, status: int) -> None:
    outbox.mackerel.faults.add(Fault("status", status=status, path="tsdb"))
    outbox.deployed.execute(bad_request(status))

    def refused() -> Any:
        outbox.let_pass(10 * MINUTE)
        outbox.flush()
        return status in {lane.refusal.status for lane in state.lanes(outbox.ledger) if lane.refusal}

    eventually(refused, within_s=60)
    outbox.mackerel.faults.clear()
    judge(outbox)


def test_a_post_without_an_answer_and_a_flusher_that_is_killed_count_nothing_twice(outbox: Outbox) -> None:
    outbox.mackerel.faults.add(Fault("half-closed", path="tsdb", times=1))
    outbox.deployed.execute(bad_request(20))
    eventually(lambda: outbox.ledger.scan(places.due(places.metrics_of(SERVICE)), 1))
    outbox.let_pass(10 * MINUTE)
    outbox.flush()
    outbox.mackerel.faults.clear()
    outbox.mackerel.faults.add(Fault("slow", seconds=6, path="tsdb", times=1))
    outbox.deployed.execute(bad_request(21))
    outbox.let_pass(10 * MINUTE)
    before = len(outbox.mackerel.received)
    outbox.deployed.aws("lambda").invoke(FunctionName="kuroshio-dev-flush-metrics", InvocationType="Event")
    eventually(lambda: not outbox.mackerel.faults.in_force(), within_s=30)
    kill("kuroshio-dev-flush-metrics")
    eventually(lambda: any(line.path.endswith("tsdb") for line in outbox.mackerel.received[before:]), within_s=30)
    judge(outbox)


def test_a_check_report_makes_its_host_and_arrives_once(outbox: Outbox) -> None:
    at = int(time.time()) - 5
    report = points.report("nightly_backup", "CRITICAL", "2 of 14 failed", occurred_at=at, now=at)
    for _ in range(2):
        outbox.send(packed(Parcel(reports=(report,))))
    eventually(lambda: any(lane.name == places.REPORTS for lane in state.lanes(outbox.ledger)))
    outbox.drain()
    [(key, host)] = outbox.mackerel.org.hosts.items()
    assert (host["customIdentifier"], [check["name"] for check in host["_checks"]]) == (SERVICE, ["nightly_backup"])
    [(reported, told)] = outbox.mackerel.org.reports.items()
    assert (reported, told["status"]) == ((key, "nightly_backup", at), "CRITICAL")


def test_while_mackerel_is_down_cloudwatch_has_the_figures(outbox: Outbox) -> None:
    outbox.mackerel.faults.add(Fault("status", status=503))
    outbox.send(point("orders.returned", 1, "k3"))
    eventually(lambda: outbox.ledger.scan(places.due(places.metrics_of(SERVICE)), 1))
    outbox.let_pass(10 * MINUTE)
    outbox.flush()

    def written() -> Any:
        told = outbox.figures("kuroshio-dev-flush-metrics")
        return told if "Refusals5xx" in told else None

    told = eventually(written)
    assert told["OutboxDepth"] >= 1
    assert {"OutboxAgeSeconds", "OutboxLanesParked", "SecondsSinceLastSuccess"} <= set(told)
    assert outbox.figures("kuroshio-dev-collect-metrics")["MessagesCollected"] >= 1


def test_a_point_that_comes_a_day_late_is_named_as_lost_and_mackerel_is_told_how_many(outbox: Outbox) -> None:
    late = int(time.time()) - 25 * 3600
    lost = points.point(SERVICE, "orders.late", 4, at=late, now=late, combine="sum", key="k0")
    outbox.send(packed(Parcel(points=(lost,))))

    def told() -> Any:
        outbox.drain()
        return outbox.series("kuroshio.outbox.lost")

    [values] = eventually(told).values()
    assert list(values.values()) == [1]
    assert outbox.series("orders.late") == {}


def test_what_cannot_be_collected_waits_among_the_dead_letters_and_counts_once_when_it_is_brought_back(
    outbox: Outbox,
) -> None:
    run = outbox.deployed.run
    dead = outbox.deployed.output(APPLICATION, "OutboxDeadLetterQueueUrl")
    letter = point("orders.kept", 7, "k4")

    def set_aside() -> bool:
        """Each failure hides the message for minutes, which only the lab's clock lets pass."""
        hidden_s = int(outbox.attributes()["VisibilityTimeout"]) + 1
        run("kuroshio", "lab", "clock", "--advance", f"{hidden_s}s", accept=(0, 3))
        return outbox.queue_is_empty() and outbox.holds(dead) == 1

    with outbox.giving_up_after(2):
        run("kuroshio", "lab", "fault", "access-denied", "--service", "dynamodb", "--caller", "CollectMetrics")
        outbox.send(letter)
        eventually(set_aside, within_s=240)
        run("kuroshio", "lab", "fault", "clear")

    told = json.loads(run("kuroshio", "mackerel", "redrive", "--env", "dev", "--yes", "--json"))
    assert told["dead_letters"] == 1
    outbox.send(letter)
    outbox.drain()

    assert list(outbox.series("orders.")["orders.kept"].values()) == [7]


def test_the_schedules_do_all_of_it_by_themselves(outbox: Outbox) -> None:
    def collected() -> bool:
        due = outbox.ledger.scan(places.due(places.metrics_of(SERVICE)), 1000)
        return "orders.scheduled" in {places.name_of(entry.key.sk) for entry in due}

    outbox.send(point("orders.scheduled", 5, "k5"))
    eventually(collected, within_s=120)
    outbox.let_pass(10 * MINUTE)
    with outbox.on_schedule():
        outbox.deployed.run("kuroshio", "lab", "clock", "--advance", "6m")
    held = outbox.series("orders.scheduled")
    assert [list(values.values()) for values in held.values()] == [[5]]


def kill(function: str) -> None:
    engine = find()
    engine.kill(*engine.do("ps", "--quiet", "--filter", f"name={function}").split())


def test_a_message_that_is_no_message_blocks_nothing_and_is_set_aside_with_its_reason(outbox: Outbox) -> None:
    outbox.send("no JSON at all")
    outbox.send(point("poison.unknown_service", 1, "k1", service="nobody-made-this"))
    outbox.send(point("orders.shipped", 3, "k2"))
    outbox.send(point("orders.shipped", 3, "k2"))
    eventually(lambda: state.parked(outbox.ledger), within_s=120)
    outbox.let_pass(10 * MINUTE)
    eventually(lambda: outbox.flush() and outbox.series("orders."), within_s=60)
    assert list(outbox.series("orders.")["orders.shipped"].values()) == [3]
    assert {parked.lane for parked in state.parked(outbox.ledger)} == {"messages"}
