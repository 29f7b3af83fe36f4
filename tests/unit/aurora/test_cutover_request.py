"""What may be asked of a cut-over, and that everything that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import pytest

from kuroshio.aurora.cutover_request import SCHEMA, NameChoice, parse
from kuroshio.errors import InvalidRequest

LEAST: dict[str, Any] = {"schema": SCHEMA, "source": "shop", "clone": "shop-next"}
ARN = "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:kuroshio/x"


def test_the_least_request_moves_the_name_of_the_cluster_within_ten_minutes() -> None:
    asked = parse(LEAST)
    assert (asked.name, asked.deadline_s, asked.way_back, asked.parked) == (
        NameChoice("cluster"),
        600,
        True,
        "shop-old",
    )


def test_a_request_comes_back_as_it_went() -> None:
    names: list[dict[str, str]] = [
        {"kind": "cluster"},
        {"kind": "record", "zone": "Z1", "record": "db.internal"},
        {"kind": "secret", "secret": ARN},
        {"kind": "parameter", "parameter": "/shop/db"},
    ]
    for name in names:
        asked = parse(LEAST | {"name": name, "secrets": {"source": ARN}, "accept": ["verified"], "dry_run": True})
        assert parse(asked.document()) == asked
        assert asked.deadline_s == (600 if name["kind"] == "cluster" else 30)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"schema": "kuroshio.replicate-request/1"},
            "schema is 'kuroshio.replicate-request/1'; it must be kuroshio.cut",
        ),
        ({"source": "Shop"}, "source is 'Shop'"),
        ({"source": "s" * 61}, "with -old"),
        ({"clone": "shop"}, "clone is the name of the source"),
        (
            {"name": "db.internal"},
            "name is 'db.internal'; it must be an object whose kind is one of: cluster; record with zone",
        ),
        ({"name": {"kind": "dns"}}, "one of: cluster"),
        ({"name": {"kind": "record", "zone": "Z"}}, "name.record is missing; it must be a text"),
        ({"name": {"kind": "secret", "secret": " "}}, "name.secret is ' '"),
        ({"deadline_s": 0}, "deadline_s is 0; it must be 1 to 780"),
        ({"deadline_s": True}, "deadline_s is True"),
        ({"deadline_s": 900}, "1 to 780"),
        ({"caught_up_within_s": 61}, "1 to 60"),
        ({"verified_within_minutes": "1"}, "verified_within_minutes is '1'"),
        ({"longest_transaction_s": None}, "longest_transaction_s is missing"),
        ({"way_back": 1}, "way_back is 1; it must be true or false"),
        ({"dry_run": "no"}, "dry_run is 'no'"),
        ({"accept": "verified"}, "accept is 'verified'"),
        ({"secrets": []}, "secrets is []"),
        ({"secrets": {"clone": "hunter2"}}, "secrets.clone is 'hunter2'"),
        ({"replication_secret": 7}, "replication_secret is 7"),
    ],
)
def test_what_is_wrong_is_named_with_what_it_must_be(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse(LEAST | wrong)
    assert said in str(refused.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        parse({"name": {"kind": "parameter"}, "deadline_s": -1})
    for field in ("schema", "source", "clone", "name.parameter", "deadline_s"):
        assert f"{field} is " in str(refused.value)


@pytest.mark.parametrize("event", [None, [], "shop", 7])
def test_what_is_no_object_is_refused(event: object) -> None:
    with pytest.raises(InvalidRequest, match="must be an object"):
        parse(event)
