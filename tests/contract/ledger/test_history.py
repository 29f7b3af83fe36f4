"""What every history of deployments promises, the one in memory and the one in DynamoDB alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from kuroshio.adapters import aws
from kuroshio.adapters.deployment_history import DynamoHistory
from kuroshio.release.history import Deployment
from tests.fakes.history import InMemoryHistory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.release.history import History

ROOT = Path(__file__).parents[3]
BEGIN = datetime(2026, 11, 21, 4, 0, 0, 123000, tzinfo=UTC)
FIRST = Deployment("octo/shop#main", "a" * 40, BEGIN, ("cart",), BEGIN, ("a" * 40,), ("b" * 40,))


@pytest.fixture(params=["memory", "dynamodb"])
def history(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[History]:
    if request.param == "memory":
        yield InMemoryHistory()
        return
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    kept = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    with mock_aws():
        aws.forget_clients()
        aws.client("dynamodb").create_table(TableName="ledger", **kept)
        yield DynamoHistory("ledger")
    aws.forget_clients()


def test_a_deployment_is_one_record_from_its_begin_to_its_end(history: History) -> None:
    ended = replace(FIRST, ended=BEGIN + timedelta(minutes=3), deployed={"cart": "sha256:1"})
    history.keep(FIRST)
    history.keep(ended)
    assert history.since(BEGIN) == [ended]


def test_they_come_in_the_order_in_which_they_began_from_the_time_on_that_is_asked(history: History) -> None:
    later = [replace(FIRST, started=BEGIN + timedelta(hours=n), target=f"octo/{n}#main") for n in range(4)]
    for each in reversed(later):
        history.keep(each)
    assert history.since(BEGIN + timedelta(minutes=30)) == later[1:]
    assert history.since(BEGIN + timedelta(hours=9)) == []


def test_more_than_one_answer_of_dynamodb_holds_is_read_to_its_end(history: History) -> None:
    units = tuple(f"template.yaml#Function{n:04d}" for n in range(2_000))
    many = [replace(FIRST, started=BEGIN + timedelta(minutes=n), units=units) for n in range(24)]
    for each in many:
        history.keep(each)
    assert history.since(BEGIN) == many
