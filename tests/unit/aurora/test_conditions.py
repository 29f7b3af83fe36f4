"""Each condition of a cut-over by itself: what makes it hold, what does not, and what nobody can take upon himself."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kuroshio.aurora.conditions import FIRM, SwitchFacts, all_hold, judge
from kuroshio.aurora.cutover_request import SCHEMA, parse
from kuroshio.aurora.preflight.facts import SqlFacts, Transaction, Unknown

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
REQUEST: dict[str, Any] = {"schema": SCHEMA, "source": "shop", "clone": "shop-next"}
CALM = replace(
    SqlFacts.unreached("not asked"),
    user="admin@%",
    log_bin=True,
    binlog_format="ROW",
    retention_hours=72,
    transactions=(),
    prepared=(),
    accounts=("app@%", "admin@%"),
    privileged=("admin@%", "root@localhost"),
)
GOOD = SwitchFacts(
    now=NOW,
    source=CALM,
    target=CALM,
    replica="",
    caught_up_in_s=0.002,
    fences=("source", "target"),
    masters=(),
    target_events=False,
    leads_to="source",
    versions=("8.0.36", "8.0.39"),
    replication_account=True,
    verification={"at": (NOW - timedelta(hours=1)).isoformat(), "equal": True, "differences": 0, "upto": "b.000001:4"},
    skips=(),
    suspects=(),
    in_progress="",
    approval={"answer": "approved", "by": "ada", "run": "r"},
    run="r",
)


def failing(facts: SwitchFacts, **asked: Any) -> dict[str, str]:
    return {each.name: each.reason for each in judge(parse(REQUEST | asked), facts) if not each.holds}


def source(**changed: Any) -> dict[str, Any]:
    return {"source": replace(CALM, **changed)}


def target(**changed: Any) -> dict[str, Any]:
    return {"target": replace(CALM, **changed)}


def test_all_hold_where_all_is_well_and_each_says_what_was_found() -> None:
    found = judge(parse(REQUEST), GOOD)
    assert all_hold(found)
    assert all(each.reason for each in found)
    assert next(each.reason for each in found if each.name == "caught-up").endswith("2 ms after it was read")


@pytest.mark.parametrize(
    ("name", "changed", "said"),
    [
        ("source-reachable", source(user=Unknown("no answer")), "not known: no answer"),
        ("target-reachable", target(user=Unknown("no answer")), "not known: no answer"),
        ("follows", {"replica": "the target follows nobody"}, "follows nobody"),
        ("caught-up", {"caught_up_in_s": None}, "within 5 s"),
        ("verified", {"verification": None}, "never verified"),
        ("verified", {"verification": GOOD.verification | {"differences": 2}}, "found 2 differences"),  # type: ignore[operator]
        ("verified", {"verification": GOOD.verification | {"unknown": 1}}, "found 1 unknown"),  # type: ignore[operator]
        ("verified", {"verification": GOOD.verification | {"equal": False}}, "that they are not equal"),  # type: ignore[operator]
        ("verified", {"now": NOW + timedelta(days=2)}, "is 2940 minutes old"),
        ("skips-verified", {"suspects": ({"schema": "app", "table": "t"},)}, "touched app.t"),
        ("skips-verified", {"skips": ({"at": NOW.isoformat()},)}, "1 of 1 skipped"),
        ("no-long-transactions", source(transactions=(Transaction(7, "app", 11),)), "app (connection 7) for 11 s"),
        ("no-long-transactions", source(prepared=("xid",)), "1 XA transactions"),
        ("no-long-transactions", source(transactions=Unknown("no PROCESS")), "not known"),
        ("fence", {"fences": ("target",)}, "the source has no mysql.rds_set_read_only"),
        ("no-rogue-writers", source(privileged=("admin@%", "batch@10.%")), "does not stop batch@10.%"),
        ("no-rogue-writers", {"masters": ("admin@10.0.0.9 (connection 3)",)}, "connected as the master user"),
        ("events-off", {"target_events": True}, "scheduler runs"),
        ("accounts-equal", source(accounts=("app@%", "admin@%", "new@%")), "has no new@%"),
        ("way-back", target(log_bin=False), "writes no binlog"),
        ("way-back", target(binlog_format="MIXED"), "is MIXED"),
        ("way-back", target(retention_hours=0), "keeps no binlog"),
        ("way-back", {"versions": ("5.7.12", "8.0.36")}, "later major version"),
        ("way-back", {"replication_account": False}, "account for replication"),
        ("name", {"leads_to": "target"}, "leads to the target"),
        ("name", {"leads_to": "third.example.com"}, "leads to third.example.com"),
        ("alone", {"in_progress": "the run x is at it"}, "the run x"),
        ("approved", {"approval": None}, "nobody has approved"),
        ("approved", {"approval": {"answer": "rejected", "run": "r"}}, "nobody has approved"),
        ("approved", {"run": "another"}, "another run"),
    ],
)
def test_what_is_not_so_fails_that_condition_alone_and_is_said(name: str, changed: dict[str, Any], said: str) -> None:
    found = failing(replace(GOOD, **changed))
    assert {other for other, reason in found.items() if not reason.startswith("not known")} <= {name}
    assert said in found[name]


def test_a_request_that_wants_no_way_back_is_not_asked_for_one() -> None:
    facts = replace(GOOD, versions=("5.7.12", "8.0.36"))
    assert "way-back" in failing(facts)
    assert failing(facts, way_back=False) == {}


def test_a_dry_run_needs_no_approval() -> None:
    assert failing(replace(GOOD, approval=None), dry_run=True) == {}


def test_the_way_back_asks_for_no_verification() -> None:
    assert failing(replace(GOOD, verification=None, back=True)) == {}


def test_some_conditions_can_be_taken_upon_oneself_and_others_never() -> None:
    facts = replace(GOOD, verification=None, caught_up_in_s=None)
    found = judge(parse(REQUEST | {"accept": ["verified", "caught-up"]}), facts)
    assert not all_hold(found)
    assert {each.name: each.accepted for each in found if not each.holds} == {"verified": True, "caught-up": False}
    assert all_hold(judge(parse(REQUEST | {"accept": ["verified"]}), replace(facts, caught_up_in_s=0.1)))
    assert {each.name for each in found} >= FIRM
