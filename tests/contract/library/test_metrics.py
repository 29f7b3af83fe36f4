"""What users' functions say reaches the queue in one call, and never at the function's cost."""

from __future__ import annotations

import json
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from aws_lambda_powertools.metrics import Metrics, MetricUnit, MetricUnitError

from kuroshio import metrics
from kuroshio.adapters.hurried_outbox import HurriedOutbox
from kuroshio.errors import ConfigurationMissing, InvalidRequest, NotFound, ServiceUnavailable

if TYPE_CHECKING:
    from lab.mackerel.ledger import MemoryLedger
    from tests.contract.library.conftest import Queue

CONTEXT = SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 600_000)
BATCH = {"Records": [{"messageId": "m1"}, {"messageId": "m2"}]}


def sums(ledger: MemoryLedger, service: str = "shop") -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for record in ledger.scan(f"mackerel#cells#{service}", 5000):
        found.setdefault(record.key.sk.partition("#")[2], []).extend(v for _, v, _ in record.body["contributions"])
    return {name: sorted(values) for name, values in found.items()}


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "kuroshio.metrics"]


@pytest.fixture(autouse=True)
def _no_emf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUROSHIO_METRICS_EMF", "off")
    monkeypatch.setattr(metrics, "_PATIENCE", 300.0)  # a busy machine is no silent SQS
    metrics._outbox.cache_clear()


def test_a_handler_s_figures_leave_in_one_message_when_it_ends(queue: Queue) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> str:
        """Ships."""
        metrics.put("orders.shipped", 3)
        metrics.put("orders.shipped", 2)
        metrics.put("lag", 1.5, combine="last")
        metrics.check("nightly", "OK", "fine", occurred_at=time.time())
        metrics.annotate("release", first=time.time())
        metrics.downtime_begins("cut-over", marker="run", first=time.time(), last=time.time() + 60)
        metrics.downtime_ends(marker="run")
        return "done"

    assert handler({}, CONTEXT) == "done"
    assert (handler.__name__, handler.__doc__) == ("handler", "Ships.")
    [body] = queue.bodies()
    queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    ledger = queue.kept(time.time())
    assert sums(ledger) == {"orders.shipped": [5.0], "lag": [1.5]}
    assert len(ledger.scan("mackerel#reports", 9)) == len(ledger.scan("mackerel#annotations#shop", 9)) == 1
    [downtime] = ledger.scan("mackerel#downtimes", 9)
    assert (downtime.body["downtime"]["service"], downtime.body["ended"] is None) == ("shop", False)


def test_the_same_event_counts_once_and_another_function_s_figures_of_it_too(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> None:
        metrics.put("orders.shipped", 3)

    event = {"id": "e1", "detail-type": "order"}
    handler(event, CONTEXT)
    handler(event, SimpleNamespace(aws_request_id="r2"))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "bill")
    handler(event, CONTEXT)
    assert sums(queue.kept(time.time())) == {"orders.shipped": [3.0, 3.0]}


def test_each_record_of_a_batch_is_known_alone(queue: Queue) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> None:
        for record in event["Records"]:
            with metrics.origin(record):
                metrics.put("orders.shipped")

    handler(BATCH, CONTEXT)
    handler({"Records": [BATCH["Records"][1], {"messageId": "m3"}]}, CONTEXT)
    bodies = queue.bodies()
    assert len(bodies) == 2
    for body in bodies:
        queue.sqs.send_message(QueueUrl=queue.url, MessageBody=body)
    assert sums(queue.kept(time.time())) == {"orders.shipped": [1.0, 1.0, 1.0]}


def test_the_caller_may_name_the_work(queue: Queue) -> None:
    @metrics.flushed(origin=lambda event, context: f"order/{event['order']}")
    def handler(event: Any, context: Any) -> None:
        metrics.put("orders.shipped")

    handler({"order": 1}, CONTEXT)
    handler({"order": 1}, SimpleNamespace())
    handler({"order": 2}, CONTEXT)
    with metrics.gathered("nightly/2026-11-21"):
        metrics.put("rows", 7)
    with metrics.gathered("nightly/2026-11-21"):
        metrics.put("rows", 7)
    assert sums(queue.kept(time.time())) == {"orders.shipped": [1.0, 1.0], "rows": [7.0]}


def test_threads_of_a_handler_gather_for_it(queue: Queue) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> None:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: metrics.put("orders.shipped"), range(100)))

    handler({}, CONTEXT)
    assert len(bodies := queue.bodies()) == 1
    assert '"value":100.0' in bodies[0]


def test_a_figure_outside_of_everything_leaves_at_once(queue: Queue) -> None:
    metrics.put("orders.shipped", 3)
    metrics.put("orders.shipped", 3)
    assert sums(queue.kept(time.time())) == {"orders.shipped": [3.0, 3.0]}


@pytest.mark.parametrize("value", [float("nan"), "3", True, None])
def test_a_wrong_figure_is_logged_and_the_handler_goes_on(
    queue: Queue, caplog: pytest.LogCaptureFixture, value: Any
) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> str:
        metrics.put("bad", value)
        metrics.put("good")
        return "done"

    assert handler({}, CONTEXT) == "done"
    metrics.put("bad", value)
    assert [record.levelno for record in ours(caplog)] == [logging.ERROR] * 2
    assert "the metric 'bad' was not taken: InvalidRequest" in caplog.text
    assert sums(queue.kept(time.time())) == {"good": [1.0]}


def test_who_asks_for_it_is_told_by_an_exception(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    @metrics.flushed(strict=True)
    def handler(event: Any, context: Any) -> None:
        metrics.put("orders", event["value"])

    with pytest.raises(InvalidRequest, match="the value is nan"):
        handler({"value": float("nan")}, CONTEXT)
    monkeypatch.setenv("KUROSHIO_OUTBOX_QUEUE_URL", queue.url + "-gone")
    with pytest.raises(NotFound):
        handler({"value": 1}, CONTEXT)
    monkeypatch.delenv("KUROSHIO_OUTBOX_QUEUE_URL")
    with pytest.raises(ConfigurationMissing, match="KUROSHIO_OUTBOX_QUEUE_URL"):
        handler({"value": 1}, CONTEXT)


def test_a_handler_s_own_failure_stays_and_its_figures_leave(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    @metrics.flushed(strict=True)
    def handler(event: Any, context: Any) -> None:
        metrics.put("orders.failed")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handler({}, CONTEXT)
    assert sums(queue.kept(time.time())) == {"orders.failed": [1.0]}
    monkeypatch.setenv("KUROSHIO_OUTBOX_QUEUE_URL", queue.url + "-gone")
    with pytest.raises(ZeroDivisionError) as failure:
        handler({}, CONTEXT)
    assert "and its metrics could not be sent" in failure.value.__notes__[0]


def test_what_could_not_be_sent_is_logged_with_its_figures(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> str:
        metrics.put("orders.shipped", 3)
        metrics.check("nightly", "OK", "fine")
        metrics.annotate("release", first=time.time())
        return "done"

    monkeypatch.setenv("KUROSHIO_OUTBOX_QUEUE_URL", queue.url + "-gone")
    assert handler({}, CONTEXT) == "done"
    monkeypatch.delenv("KUROSHIO_OUTBOX_QUEUE_URL")
    assert handler({}, CONTEXT) == "done"
    gone, missing = [record.getMessage() for record in ours(caplog)]
    assert "NotFound" in gone
    assert "orders.shipped=3 (sum, " in gone
    assert "check nightly OK" in gone
    assert "annotation 'release'" in gone
    assert "KUROSHIO_OUTBOX_QUEUE_URL" in missing


@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_what_a_user_s_own_powertools_metrics_say_reaches_mackerel_too(
    queue: Queue, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUROSHIO_METRICS_EMF", "on")
    theirs = Metrics(provider=metrics.powertools_provider(namespace="Orders", service="shipping"))

    @metrics.flushed
    @theirs.log_metrics
    def handler(event: Any, context: Any) -> None:
        theirs.add_metric(name="shipped", unit=MetricUnit.Count, value=2)
        theirs.add_metric(name="shipped", unit="Count", value=3)
        theirs.add_metric(name="took", unit=MetricUnit.Seconds, value=7)
        theirs.add_metric(name="took", unit=MetricUnit.Seconds, value=5)
        metrics.put("ours", 1)
        for record in event["Records"]:
            with metrics.origin(record):
                theirs.add_metric(name="each", unit=MetricUnit.Count, value=1)
        with pytest.raises(MetricUnitError):
            theirs.add_metric(name="wrong", unit="Furlongs", value=5)

    handler(BATCH, CONTEXT)
    bodies = queue.bodies()
    assert len(bodies) == 1
    assert sorted((point["name"], point["value"], point["combine"]) for point in json.loads(bodies[0])["points"]) == [
        ("each", 1.0, "sum"),
        ("each", 1.0, "sum"),
        ("ours", 1.0, "sum"),
        ("shipped", 5.0, "sum"),
        ("took", 5.0, "last"),
    ]
    theirs_emf, ours_emf = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert theirs_emf["shipped"] == [2.0, 3.0]
    assert theirs_emf["took"] == [7.0, 5.0]
    assert "ours" not in theirs_emf
    assert (ours_emf["ours"], "shipped" in ours_emf) == ([1.0], False)


class Sqs:
    """An outbox that may hang or be away."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.away = False
        self.silent = False
        self.answering = Event()

    def send(self, message: str) -> None:
        if self.silent:
            self.answering.wait()
        if self.away:
            raise ServiceUnavailable("SQS is away")
        self.sent.append(message)


def test_a_queue_that_is_silent_costs_no_more_than_the_time_that_is_left() -> None:
    sqs = Sqs()
    outbox = HurriedOutbox(sqs)
    sqs.silent = True
    with pytest.raises(ServiceUnavailable, match=r"did not answer within 0\.1 s"):
        outbox.send(["one"], lambda: 0.1)
    with pytest.raises(ServiceUnavailable, match="no time is left"):
        outbox.send(["two"], lambda: -1)
    sqs.silent = False
    sqs.answering.set()
    outbox.send(["three"], lambda: 60)
    assert sqs.sent[-3:] == ["one", "two", "three"]


def test_ten_messages_wait_for_a_better_time_and_the_newest_are_those() -> None:
    sqs = Sqs()
    outbox = HurriedOutbox(sqs)
    sqs.away = True
    for number in range(25):
        with pytest.raises(ServiceUnavailable, match="SQS is away"):
            outbox.send([str(number)], lambda: 60)
    sqs.away = False
    outbox.send(["last"], lambda: 60)
    assert sqs.sent == [str(number) for number in range(15, 25)] + ["last"]


def test_a_function_without_time_left_sends_nothing_and_says_so(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    @metrics.flushed
    def handler(event: Any, context: Any) -> str:
        metrics.put("orders.shipped", 3)
        return "done"

    assert handler({}, SimpleNamespace(aws_request_id="r1", get_remaining_time_in_millis=lambda: 200)) == "done"
    assert "no time is left" in caplog.text
    assert queue.bodies() == []
