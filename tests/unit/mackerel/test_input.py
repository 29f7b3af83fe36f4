"""Bad input is an error at the writer, or set aside with a reason behind the queue; it blocks nothing."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from kuroshio.errors import InvalidRequest, LimitExceeded, ServiceUnavailable
from kuroshio.mackerel import places, points, state
from kuroshio.mackerel.collect import Collector, Delivery
from kuroshio.mackerel.messages import LARGEST, Parcel, packed, unpacked
from kuroshio.mackerel.metrics import Metrics
from kuroshio.mackerel.names import joined, metric_name
from lab.mackerel.ledger import MemoryLedger

NOON = 1_790_000_040
DAY = 86_400


class Wire:
    """An outbox that remembers, and may be out of order."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.broken = False

    def send(self, message: str) -> None:
        if self.broken:
            raise ServiceUnavailable("SQS is away")
        self.messages.append(message)


def writer(wire: Wire, *, origin: str = "execution-1/Verify", now: float = NOON) -> Metrics:
    return Metrics(wire, service="shop", origin=origin, clock=lambda: now)


def collected(*bodies: str, now: float = NOON) -> MemoryLedger:
    ledger = MemoryLedger()
    deliveries = [Delivery(f"m{number}", body) for number, body in enumerate(bodies)]
    assert Collector(ledger, lambda: now).take(deliveries) == []
    return ledger


def cells(ledger: MemoryLedger, service: str = "shop") -> dict[str, list[float]]:
    records = ledger.scan(f"mackerel#cells#{service}", 5000)
    return {record.key.sk: [value for _, value, _ in record.body["contributions"]] for record in records}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": float("nan")}, "the value is nan"),
        ({"value": float("inf")}, "the value is inf"),
        ({"value": 10**400}, "beyond what a double holds"),
        ({"value": "3"}, "the value is a number"),
        ({"value": True}, "the value is a number"),
        ({"at": NOON * 1000}, "looks like milliseconds"),
        ({"at": NOON + 601}, "601 s in the future"),
        ({"at": NOON - DAY - 1}, "86401 s old"),
        ({"at": float("nan")}, "epoch seconds"),
        ({"service": "-shop"}, "a service name has"),
        ({"service": "x"}, "a service name has"),
        ({"name": ""}, "the name is empty"),
        ({"name": 7}, "both names are text"),
        ({"service": None}, "both names are text"),
        ({"value": Decimal("NaN")}, "the value is nan"),
        ({"value": Decimal("sNaN")}, "the value is a number"),
        ({"value": Decimal("1e999")}, "the value is inf"),
        ({"value": 1j}, "the value is a number"),
        ({"value": dt.timedelta(seconds=1)}, "the value is a number"),
        ({"at": "12:00"}, "epoch seconds"),
        ({"combine": "mean"}, "combine is one of sum, last, max"),
    ],
)
def test_a_bad_point_is_refused_where_it_is_made_and_the_message_says_which_and_why(
    change: dict[str, Any], says: str
) -> None:
    wanted = {"service": "shop", "name": "orders", "value": 1, "at": NOON, "combine": "sum"} | change
    with pytest.raises(InvalidRequest, match=says) as refused:
        points.point(**wanted, now=NOON, key="k")
    assert "metric" in str(refused.value)


@pytest.mark.parametrize("value", [3, 3.0, Decimal(3), Decimal("3.00"), Fraction(6, 2)])
def test_every_real_number_is_a_value_and_those_of_dynamodb_are_too(value: Any) -> None:
    made = points.point("shop", "orders", value, at=NOON, now=NOON, combine="sum", key="k")
    assert (made.value, type(made.value)) == (3.0, float)


def test_a_check_and_an_annotation_of_something_else_than_text_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="its name and its message are text"):
        points.report("backup", "OK", b"fine", occurred_at=NOON, now=NOON)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="its title and its description are text"):
        points.annotation("shop", "m", 7, first=NOON, last=None, now=NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["orders.shipped", "a", "A-b_c.9"])
def test_a_good_name_stays_as_it_is(name: str) -> None:
    assert metric_name(name) == name


def test_names_are_sanitised_without_collisions() -> None:
    names = [
        "a/b",
        "a_b",
        "a b",
        "a.b",
        ".a.b",
        "a..b",
        "a.b.",
        "注文",
        "注文 ",
        "é",
        "x" * 300,
        "x" * 301,
        "\ud800",
        "/",
    ]
    names += [metric_name(name) for name in names]  # what looks like our own result must not meet it
    made = [metric_name(name) for name in names]
    assert len(set(made)) == len(set(names))
    assert all(len(name) <= 200 and points._CHECK.fullmatch(name.replace(".", "-")) for name in made)
    assert not [name for name in made if ".." in name or name.startswith(".") or name.endswith(".")]


def test_each_part_of_a_joined_name_is_one_level() -> None:
    assert joined("run", "detect_changes", "ok") == "run.detect_changes.ok"
    assert joined("run", "a.b", "ok").count(".") == 2
    assert joined("run", "a.b", "ok") != joined("run", "a_b", "ok")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        "[" * 100_000,
        json.dumps({"schema": "kuroshio.outbox/9"}),
        "x" * 10_000_000,
    ],
    ids=["empty", "text", "list", "object", "deep", "schema", "10 MB"],
)
def test_a_message_that_is_none_of_ours_is_set_aside_with_a_reason_and_acknowledged(body: str) -> None:
    ledger = collected(body)
    [parked] = state.parked(ledger)
    assert parked.lane == "messages"
    assert parked.reason
    assert cells(ledger) == {}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"value": float("nan")}, "the value is nan"),
        ({"value": None}, "the value is a number"),
        ({"time": NOON * 1000}, "milliseconds"),
        ({"time": NOON + 10**6}, "in the future"),
        ({"time": -5}, "old"),
        ({"time": "soon"}, "epoch seconds"),
        ({"service": 7}, "service must be text"),
        ({"service": "a/b"}, "service name"),
        ({"combine": "mean"}, "combine is one of"),
        ({"name": None}, "name must be text"),
    ],
)
def test_a_bad_point_in_a_message_is_set_aside_alone(change: dict[str, Any], says: str) -> None:
    good = {"service": "shop", "name": "orders", "time": NOON, "value": 1.0, "combine": "sum", "key": "k1"}
    body = json.dumps({"schema": "kuroshio.outbox/1", "points": [good | {"key": "k2"} | change, good, 7]})
    ledger = collected(body)
    assert list(cells(ledger).values()) == [[1.0]]
    reasons = [parked.reason for parked in state.parked(ledger)]
    assert len(reasons) == 2
    assert any(says in reason for reason in reasons)


def test_a_point_that_waited_for_days_is_not_wrong_only_late() -> None:
    old = points.point("shop", "orders", 1, at=NOON - 3 * DAY, now=NOON - 3 * DAY, combine="sum", key="k")
    parcel = unpacked(packed(Parcel(points=(old,))), NOON)
    assert (parcel.points, parcel.refused) == ((old,), ())


def test_a_metric_that_is_combined_in_two_ways_in_one_minute_keeps_the_first_way() -> None:
    first = points.point("shop", "a", 1, at=NOON, now=NOON, combine="sum", key="k1")
    second = points.point("shop", "a", 5, at=NOON, now=NOON, combine="max", key="k2")
    ledger = collected(packed(Parcel(points=(first, second))))
    assert list(cells(ledger).values()) == [[1.0]]
    assert "combined by sum in this minute already" in state.parked(ledger)[0].reason


def test_a_writer_sends_one_message_with_what_it_gathered() -> None:
    wire = Wire()
    with writer(wire) as metrics:
        for _ in range(3):
            metrics.put("orders.shipped", 2)
        metrics.put("orders.largest", 4, combine="max")
        metrics.put("orders.largest", 9, combine="max")
        metrics.put("lag", 7, combine="last", at=NOON - 61)
        metrics.put("lag", 3, combine="last", at=NOON - 119)
    [message] = wire.messages
    minute = NOON // 60 * 60
    assert cells(collected(message)) == {
        f"{minute:012d}#orders.shipped": [6.0],
        f"{minute:012d}#orders.largest": [9.0],
        f"{minute - 120:012d}#lag": [7.0],
    }


def test_the_last_of_many_in_one_second_is_the_last_that_was_said() -> None:
    wire = Wire()
    with writer(wire) as metrics:
        for value in range(120):
            metrics.put("lag", value, combine="last")
    assert list(cells(collected(*wire.messages)).values()) == [[119.0]]


def test_the_same_work_done_again_counts_once_though_its_clock_moved_on() -> None:
    wire = Wire()
    for now in (NOON, NOON + 200):
        with writer(wire, now=now) as metrics:
            metrics.put("orders.shipped", 2)
    other = writer(wire, origin="execution-2/Verify", now=NOON)
    other.put("orders.shipped", 5)
    other.flush()
    ledger = collected(*wire.messages, now=NOON + 300)
    assert [sorted(values) for values in cells(ledger).values()] == [[2.0, 5.0]]


def test_two_flushes_of_one_piece_of_work_are_two_contributions() -> None:
    wire = Wire()
    metrics = writer(wire)
    metrics.put("orders.shipped", 2)
    metrics.flush()
    metrics.put("orders.shipped", 3)
    metrics.flush()
    assert list(cells(collected(*wire.messages)).values()) == [[2.0, 3.0]]


def test_what_could_not_be_sent_is_sent_by_the_next_flush_unchanged() -> None:
    wire = Wire()
    metrics = writer(wire)
    metrics.put("orders.shipped", 2)
    wire.broken = True
    with pytest.raises(ServiceUnavailable):
        metrics.flush()
    wire.broken = False
    metrics.put("orders.shipped", 3)
    metrics.flush()
    assert list(cells(collected(*wire.messages)).values()) == [[2.0, 3.0]]


def test_a_writer_without_figures_sends_nothing_and_one_with_too_many_is_told() -> None:
    wire = Wire()
    with writer(wire):
        pass
    assert wire.messages == []
    metrics = writer(wire)
    for number in range(1000):
        metrics.put(f"orders.{number}")
    with pytest.raises(LimitExceeded, match="more than 1000 different metrics"):
        metrics.put("one.more")
    with pytest.raises(InvalidRequest, match="combined by sum before, now by max"):
        metrics.put("orders.1", combine="max")


def test_more_than_a_message_holds_travels_in_several_and_all_of_it_arrives() -> None:
    wire = Wire()
    metrics = Metrics(wire, service="s" * 63, origin="a long evening", clock=lambda: NOON)
    for number in range(1000):
        metrics.put(f"{'x' * 190}.{number}", number)
    for number in range(40):
        metrics.check(f"check{number}", "OK", "注" * 1000, occurred_at=NOON)
    metrics.flush()
    assert len(wire.messages) > 1
    assert all(len(message.encode()) <= LARGEST for message in wire.messages)
    ledger = collected(*wire.messages)
    assert len(cells(ledger, "s" * 63)) == 1000
    assert len(ledger.scan("mackerel#reports", 100)) == 40


def test_signs_that_sqs_refuses_do_not_stand_in_a_message() -> None:
    wire = Wire()
    with writer(wire) as metrics:
        metrics.check("backup", "CRITICAL", "\x00 \ud800 \uffff 注", occurred_at=NOON)
    assert wire.messages[0].isascii()
    assert wire.messages[0].isprintable()
    [report] = collected(*wire.messages).scan("mackerel#reports", 10)
    assert report.body["message"] == "\x00 \ud800 \uffff 注"


def test_a_failure_of_the_work_is_not_hidden_by_one_of_its_metrics() -> None:
    wire = Wire()
    wire.broken = True

    def work(pieces: int) -> None:
        with writer(wire) as metrics:
            metrics.put("orders.shipped")
            metrics.put("orders.each", 12 / pieces)

    with pytest.raises(ZeroDivisionError) as failure:
        work(pieces=0)
    assert failure.value.__notes__ == ["and its metrics could not be sent: SQS is away"]
    with pytest.raises(ServiceUnavailable):
        work(pieces=2)


def test_numbers_whose_sum_no_double_holds_are_set_aside() -> None:
    huge = [points.point("shop", "a", 1.7e308, at=NOON, now=NOON, combine="sum", key=f"k{n}") for n in range(2)]
    ledger = collected(packed(Parcel(points=tuple(huge))))
    assert cells(ledger) == {}
    assert "beyond what a double holds" in state.parked(ledger)[0].reason


def test_an_origin_claims_so_many_times_and_no_more() -> None:
    many = [
        points.point("shop", f"a{n}", 1, at=NOON, now=NOON, combine="sum", key=f"one/{n}", floating=True)
        for n in range(3001)
    ]
    ledger = MemoryLedger()
    Collector(ledger, lambda: NOON).keep([Parcel(points=tuple(many[:3000]))])
    Collector(ledger, lambda: NOON).keep([Parcel(points=tuple(many[3000:]))])
    assert len(cells(ledger)) == 3000
    assert "give them one, or another origin" in state.parked(ledger)[0].reason


def test_a_key_has_a_bound() -> None:
    with pytest.raises(InvalidRequest, match="the key has 81 characters"):
        points.point("shop", "a", 1, at=NOON, now=NOON, combine="sum", key="k" * 81)


def test_a_cell_takes_so_many_contributions_and_names_the_rest() -> None:
    many = [points.point("shop", "a", 1, at=NOON, now=NOON, combine="sum", key=f"k{n}") for n in range(3001)]
    ledger = MemoryLedger()
    Collector(ledger, lambda: NOON).keep([Parcel(points=tuple(many))])
    assert [len(values) for values in cells(ledger).values()] == [3000]
    assert "add them up before they are sent" in state.parked(ledger)[0].reason
    assert places.minute_of(ledger.scan("mackerel#cells#shop", 1)[0].key.sk) == NOON // 60 * 60
