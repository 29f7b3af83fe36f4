"""One account for all tests of a module, each with a clone of its own: clients and tables cost more than what is judged."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.aurora_ledger import AuroraLedger
from lab import moto_engine
from lab.moto_engine import Hooks
from tests.contract.aurora_commands.stage import TABLE, deployed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = itertools.count(1)


def _pause(seconds: float, interrupted: Callable[[], bool], _arn: str) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and not interrupted():
        time.sleep(0.01)


@pytest.fixture(scope="module", autouse=True)
def engine() -> Iterator[None]:
    """The lab's engine, said so: it is that of the whole process once any test before has installed it."""
    moto_engine.install(Hooks(client=lambda service, region, _role: boto3.client(service, region), pause=_pause))
    yield
    moto_engine.install(Hooks())


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """One for all tests, each with a clone of its own: clients and tables cost more than what is judged here."""
    with pytest.MonkeyPatch.context() as patch, mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        patch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
        patch.setenv("KUROSHIO_LEDGER_TABLE", TABLE)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        aws.forget_clients()
        keys = [("pk", "HASH"), ("sk", "RANGE")]
        boto3.client("dynamodb").create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        )
        boto3.client("sqs").create_queue(QueueName="asked")
        deployed.cache_clear()
        yield
    aws.forget_clients()


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def clone() -> str:
    return f"shop-{next(_numbers)}"


@pytest.fixture(scope="module")
def ledger() -> AuroraLedger:
    return AuroraLedger(TABLE)
