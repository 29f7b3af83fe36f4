"""What `make bench-mackerel` counts in memory is what the adapter really asks of DynamoDB."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from benchmarks.mackerel_flow import flow
from kuroshio.adapters import aws
from kuroshio.adapters.outbox_ledger import DynamoOutboxLedger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[3]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Calls to a table of the foundation's making, by operation."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    kept = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    calls: Counter[str] = Counter()

    def count(event_name: str, **_: Any) -> None:
        calls[event_name.rpartition(".")[2]] += 1

    with mock_aws():
        aws.forget_clients()
        client = aws.client("dynamodb")
        client.create_table(TableName="ledger", **kept)
        client.meta.events.register_first("before-call.dynamodb", count)
        yield calls
    aws.forget_clients()


@pytest.mark.parametrize(
    "name",
    [lambda _step, n: f"orders.n{n}", lambda step, n: f"step{step}.n{n}"],
    ids=["names that steps share", "a name for each point"],
)
def test_every_call_that_is_counted_is_made_and_no_other(asked: Counter[str], name: Callable[[int, int], str]) -> None:
    done = flow(5, 60, name, DynamoOutboxLedger("ledger"))
    assert asked == done.calls
    assert done.stored == done.points == 50
    assert done.messages == 5
