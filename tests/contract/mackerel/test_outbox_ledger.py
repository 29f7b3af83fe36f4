"""The ledger in memory and the one in DynamoDB keep the same promises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger
from kuroshio.errors import NotFound, Outpaced
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.points import point
from kuroshio.mackerel.ports import Key, Record
from lab.mackerel import Clock, FakeMackerel
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.mackerel.ports import Ledger

KEY = Key("mackerel#cells#shop", "001790000040#orders")
NOON = 1_790_000_040


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.forget_clients()
    with mock_aws():
        names = ("pk", "sk")
        boto3.client("dynamodb").create_table(
            TableName="ledger",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        yield DynamoOutboxLedger("ledger")
    aws.forget_clients()


def test_what_was_written_is_read_with_its_version(ledger: Ledger) -> None:
    body = {"list": [["k", 0.1, 7]], "text": "注文", "none": None, "number": 1e300}
    written = ledger.write(Record(KEY, body, expires_at=NOON))
    assert written == Record(KEY, body, 1, NOON)
    assert ledger.read([KEY, KEY, Key("nothing", "here")]) == {KEY: written}


def test_a_write_over_another_version_is_outpaced_and_changes_nothing(ledger: Ledger) -> None:
    first = ledger.write(Record(KEY, {"by": "first"}))
    with pytest.raises(Outpaced):
        ledger.write(Record(KEY, {"by": "second"}))
    second = ledger.write(replace(first, body={"by": "third"}))
    with pytest.raises(Outpaced):
        ledger.write(replace(first, body={"by": "fourth"}))
    with pytest.raises(Outpaced):
        ledger.write(Record(Key("not", "there"), {}, version=3))
    assert ledger.read([KEY])[KEY] == second


def test_a_touch_makes_a_record_or_counts_its_version_up_and_keeps_its_body(ledger: Ledger) -> None:
    ledger.touch(KEY, NOON)
    made = ledger.read([KEY])[KEY]
    assert made == Record(KEY, {}, made.version, NOON)
    known = ledger.write(Record(KEY, {"a": 1}, made.version))
    ledger.touch(KEY, NOON + 5)
    assert ledger.read([KEY])[KEY] == replace(known, version=made.version + 2, expires_at=NOON + 5)
    ledger.touch(KEY)
    assert ledger.read([KEY])[KEY] == replace(known, version=made.version + 3, expires_at=NOON + 5)


def test_a_record_that_was_removed_and_touched_again_is_not_the_one_that_was_read_before(ledger: Ledger) -> None:
    ledger.touch(KEY)
    [read] = ledger.scan(KEY.pk, 10)
    ledger.remove(read)
    ledger.touch(KEY)
    with pytest.raises(Outpaced):
        ledger.remove(read)


def test_a_record_that_was_touched_since_it_was_read_is_not_removed(ledger: Ledger) -> None:
    ledger.touch(KEY)
    [read] = ledger.scan(KEY.pk, 10)
    ledger.touch(KEY)
    with pytest.raises(Outpaced):
        ledger.remove(read)
    [read] = ledger.scan(KEY.pk, 10)
    ledger.remove(read)
    assert ledger.read([KEY]) == {}
    with pytest.raises(Outpaced):
        ledger.remove(read)


def test_a_partition_is_listed_in_order_and_up_to_a_limit(ledger: Ledger) -> None:
    for number in (3, 1, 2):
        ledger.touch(Key("due", f"{number:012d}#a"))
    ledger.touch(Key("other", "000000000000#a"))
    assert [record.key.sk[:12] for record in ledger.scan("due", 2)] == ["000000000001", "000000000002"]
    assert len(ledger.scan("due", 100)) == 3
    assert ledger.scan("nothing", 100) == []


def test_more_than_a_hundred_records_are_read_and_listed_at_once(ledger: Ledger) -> None:
    keys = [Key("many", f"{number:04d}") for number in range(230)]
    for key in keys:
        ledger.write(Record(key, {"text": "x" * 9000}))
    assert set(ledger.read(keys)) == set(keys)
    assert [record.key for record in ledger.scan("many", 1000)] == keys


def test_points_pass_through_collector_and_flusher_on_it(ledger: Ledger) -> None:
    clock = Clock(NOON)
    mackerel = FakeMackerel(clock)
    api = InProcessApi(mackerel)
    api.call("POST", "/services", {"name": "shop"})
    for key in ("a", "b", "b"):
        made = point("shop", "orders", 0.1, at=NOON, now=NOON, combine="sum", key=key)
        Collector(ledger, clock).keep([Parcel(points=(made,))])
    [flushed] = Flusher(ledger, api, clock, lambda most: most, "flusher").run()
    assert (flushed.delivered, flushed.refusal) == (1, None)
    [held] = mackerel.org.points.values()
    assert held == {NOON // 60 * 60: 0.2}


def test_a_table_that_is_not_there_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.forget_clients()
    with mock_aws(), pytest.raises(NotFound, match="touching a b in nowhere"):
        DynamoOutboxLedger("nowhere").touch(Key("a", "b"))
    aws.forget_clients()
