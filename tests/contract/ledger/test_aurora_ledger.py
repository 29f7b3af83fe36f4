"""What every ledger of clones promises, the one in memory and the one in DynamoDB alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from moto import mock_aws
from samtranslator.yaml_helper import yaml_parse

from kuroshio.adapters import aws
from kuroshio.adapters.aurora_ledger import AuroraLedger
from kuroshio.aurora.records import Phase
from kuroshio.errors import NotFound
from tests.fakes.aurora_ledger import InMemoryAuroraLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kuroshio.aurora.records import Ledger

ROOT = Path(__file__).parents[3]
AT = datetime(2026, 11, 21, 4, 0, 0, 123, tzinfo=UTC)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    properties = yaml_parse((ROOT / "foundation.yaml").read_text())["Resources"]["LedgerTable"]["Properties"]
    kept = {name: properties[name] for name in ("AttributeDefinitions", "KeySchema", "BillingMode")}
    with mock_aws():
        aws.forget_clients()
        aws.client("dynamodb").create_table(TableName="ledger", **kept)
        yield "ledger"
    aws.forget_clients()


@pytest.fixture(params=["memory", "dynamodb"])
def ledger(request: pytest.FixtureRequest) -> Ledger:
    if request.param == "memory":
        return InMemoryAuroraLedger()
    return AuroraLedger(request.getfixturevalue("table"))


@pytest.mark.parametrize(
    "document",
    [
        {},
        {
            "text": "",
            "words": "クローン",
            "yes": True,
            "no": False,
            "none": None,
            "deep": {"list": [1, [2.5, {}], "x"]},
        },
        {"big": 2**62, "small": -1, "seconds": 0.1, "whole": 3, "tiny": 1e-9, "name": "a reserved word", "size": 1},
        {"about": [f"shop.table_of_customers_{n:06d}" for n in range(30_000)]},
    ],
    ids=["empty", "kinds", "numbers", "larger-than-an-item"],
)
def test_a_record_is_read_as_it_was_put(ledger: Ledger, document: dict[str, Any]) -> None:
    ledger.put("shop-clone", "preflight", {"earlier": "gone"})
    ledger.put("shop-clone", "preflight", document)
    assert ledger.read("shop-clone", "preflight") == document
    assert ledger.read("shop-clone-2", "preflight") is None
    assert ledger.read("shop-clone", "seed") is None


def test_what_is_created_is_never_written_over_until_it_was_deleted(ledger: Ledger) -> None:
    assert ledger.create("shop-clone", "seed", {"position": "a.000001:4"})
    assert not ledger.create("shop-clone", "seed", {"position": "a.000002:4"})
    assert ledger.read("shop-clone", "seed") == {"position": "a.000001:4"}
    ledger.delete("shop-clone", "seed")
    ledger.delete("shop-clone", "seed")
    assert ledger.create("shop-clone", "seed", {"position": "a.000003:4"})


def test_what_is_noted_comes_in_the_order_of_time_with_its_time(ledger: Ledger) -> None:
    for n in (3, 1, 2):
        ledger.note("shop-clone", "lag", {"behind": n}, AT + timedelta(microseconds=n))
    ledger.note(
        "shop-clone", "lag", {"behind": 2}, AT + timedelta(microseconds=2)
    )  # a repeat, or another at that moment
    ledger.note("shop-clone", "lagging", {}, AT)
    ledger.note("other", "lag", {"behind": 9}, AT)
    found = ledger.all("shop-clone", "lag#")
    assert [each["behind"] for each in found] == [1, 2, 2, 3]
    assert found[0]["at"] == "2026-11-21T04:00:00.000124+00:00"
    assert len(ledger.all("shop-clone", "")) == 5


def test_a_phase_changes_what_it_names_leaves_the_rest_and_is_an_event(ledger: Ledger) -> None:
    ledger.phase("shop-clone", Phase.PREFLIGHT, AT, run="arn:1", request={"source": "shop"})
    ledger.phase("shop-clone", Phase.FAILED, AT + timedelta(seconds=1), error="SeedRefused")
    expected = {"phase": "failed", "run": "arn:1", "request": {"source": "shop"}, "error": "SeedRefused"}
    state = ledger.read("shop-clone", "state")
    assert state == {**expected, "at": "2026-11-21T04:00:01.000123+00:00"}
    events = ledger.all("shop-clone", "event#")
    assert [(each["phase"], each.get("error")) for each in events] == [("preflight", None), ("failed", "SeedRefused")]


def test_all_clones_are_found_by_their_states_and_by_nothing_else(ledger: Ledger) -> None:
    for name in ("b", "a", "state", "clones"):
        ledger.phase(name, Phase.READY, AT)
    ledger.put("none", "preflight", {})
    assert [(each["clone"], each["phase"]) for each in ledger.clones()] == [
        ("a", "ready"),
        ("b", "ready"),
        ("clones", "ready"),
        ("state", "ready"),
    ]


def test_one_run_at_a_time_works_at_a_clone(ledger: Ledger) -> None:
    assert ledger.claim("shop-clone", "arn:1")
    assert ledger.claim("shop-clone", "arn:1")
    assert not ledger.claim("shop-clone", "arn:2")
    assert not ledger.claim("shop-clone", "arn:2", instead_of="arn:0")
    ledger.phase("shop-clone", Phase.FAILED, AT)
    assert ledger.claim("shop-clone", "arn:2", instead_of="arn:1")
    state = ledger.read("shop-clone", "state") or {}
    assert (state["run"], state["phase"]) == ("arn:2", "failed")


def test_more_than_one_answer_of_dynamodb_holds_is_read_to_its_end(table: str) -> None:
    ledger = AuroraLedger(table)
    for n in range(30):
        ledger.put("shop-clone", f"skip#{n:02d}", {"content": "x" * 100_000})
    assert len(ledger.all("shop-clone", "skip#")) == 30


def test_lag_leaves_after_a_month_and_nothing_else_ever_does(table: str) -> None:
    ledger = AuroraLedger(table)
    ledger.note("shop-clone", "lag", {}, AT)
    ledger.phase("shop-clone", Phase.READY, AT)
    ledger.create("shop-clone", "seed", {})
    items = aws.client("dynamodb").scan(TableName=table)["Items"]
    expiring = {item["sk"]["S"].partition("#")[0]: item["expires_at"]["N"] for item in items if "expires_at" in item}
    assert expiring == {"lag": str(int((AT + timedelta(days=30)).timestamp()))}


def test_a_table_that_is_not_there_is_said_to_be_missing(table: str) -> None:
    with pytest.raises(NotFound, match=r"reading seed of shop-clone in nonesuch"):
        AuroraLedger("nonesuch").read("shop-clone", "seed")
