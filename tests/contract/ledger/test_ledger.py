"""What every ledger promises, the one in memory and the one in DynamoDB alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from kuroshio.adapters import aws
from kuroshio.adapters.ledger import DynamoLedger
from kuroshio.errors import NotFound
from kuroshio.runs.run import Run
from tests.fakes.ledger import InMemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.runs.ports import Ledger

ROOT = Path(__file__).parents[3]
BEGUN = Run("kuroshio-dev-detect-changes", "pr-12", "RUNNING", datetime(2026, 11, 21, 4, 0, 0, 123000, tzinfo=UTC))
ENDED = replace(BEGUN, status="SUCCEEDED", stopped=BEGUN.started + timedelta(seconds=4.5))
FAILED = replace(ENDED, status="FAILED", error="RepositoryUnreadable", cause="not a git bundle")
BEGUN_AGAIN = replace(BEGUN, redrives=1)
ENDED_AGAIN = replace(ENDED, redrives=1)


class Table(DynamoLedger):
    """The real adapter, and a look into its table past it: no function of ours may read it."""

    def items(self) -> list[dict[str, dict[str, str]]]:
        return aws.client("dynamodb").scan(TableName=self._table)["Items"]  # type: ignore[return-value]

    def statuses(self) -> list[str]:
        return [item["status"]["S"] for item in self.items()]


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    for name, value in {"AWS_DEFAULT_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "testing"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    with mock_aws():
        aws.forget_clients()
        aws.client("dynamodb").create_table(
            TableName="ledger",
            **{name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")},
        )
        yield Table("ledger")
    aws.forget_clients()


@pytest.fixture(params=["in memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    return InMemoryLedger() if request.param == "in memory" else request.getfixturevalue("table")


@pytest.mark.parametrize(
    ("events", "news", "kept"),
    [
        ([BEGUN], [True], "RUNNING"),
        ([BEGUN, ENDED], [True, True], "SUCCEEDED"),
        ([ENDED, BEGUN], [True, False], "SUCCEEDED"),
        ([ENDED, ENDED], [True, False], "SUCCEEDED"),
        ([FAILED, BEGUN_AGAIN], [True, True], "RUNNING"),
        ([BEGUN_AGAIN, FAILED], [True, False], "RUNNING"),
        ([BEGUN, FAILED, BEGUN_AGAIN, ENDED_AGAIN, FAILED], [True, True, True, True, False], "SUCCEEDED"),
    ],
    ids=[
        "a run that began is known",
        "its end replaces its beginning",
        "a late beginning does not replace the end",
        "a repeated event changes nothing",
        "a redrive begins again",
        "the failure before the redrive comes late",
        "all of it, with the failure delivered twice",
    ],
)
def test_the_newest_that_is_known_stays(ledger: Ledger, events: list[Run], news: list[bool], kept: str) -> None:
    assert [ledger.record(run) for run in events] == news
    assert isinstance(ledger, InMemoryLedger | Table)
    assert ledger.statuses() == [kept]


def test_runs_of_one_name_in_two_workflows_are_two_runs(ledger: Ledger) -> None:
    assert ledger.record(BEGUN)
    assert ledger.record(replace(BEGUN, workflow="kuroshio-dev-release"))


def test_an_item_says_all_that_is_known_and_when_to_forget_it(table: Table) -> None:
    table.record(FAILED)

    (item,) = table.items()
    assert {name: next(iter(value.values())) for name, value in item.items()} == {
        "pk": "run#kuroshio-dev-detect-changes",
        "sk": "2026-11-21T04:00:00.123+00:00#pr-12",
        "workflow": "kuroshio-dev-detect-changes",
        "execution": "pr-12",
        "status": "FAILED",
        "started": "2026-11-21T04:00:00.123+00:00",
        "stopped": "2026-11-21T04:00:04.623+00:00",
        "seconds": "4.5",
        "error": "RepositoryUnreadable",
        "cause": "not a git bundle",
        "revision": "1",
        "expires_at": str(int((BEGUN.started + timedelta(days=400)).timestamp())),
    }


def test_a_table_that_is_not_there_is_named(table: Table) -> None:
    with pytest.raises(NotFound, match="recording the run pr-12 of kuroshio-dev-detect-changes in ledgers: "):
        DynamoLedger("ledgers").record(BEGUN)
