"""The request to replicate a cluster."""

import pytest

from kuroshio.aurora.request import SCHEMA, parse
from kuroshio.errors import InvalidRequest

LEAST = {"schema": SCHEMA, "source": "shop", "clone": "shop-next"}


def test_names_are_enough_and_every_default_is_the_safe_one() -> None:
    request = parse(LEAST)
    assert (request.errors.policy, request.errors.most, request.verify, request.overrides) == ("stop", 0, "auto", ())


def test_what_travels_reads_as_it_was() -> None:
    full = LEAST | {
        "options": {"security_groups": ["sg-1"], "tags": {"team": "sre"}, "instance_class": "db.r8g.large"},
        "errors": {"policy": "skip", "numbers": [1062], "most": 3},
        "verify": "full",
        "upgrade_to": "8.0.mysql_aurora.3.08.0",
        "overrides": ["enhanced-binlog"],
        "secrets": {"source": "arn:aws:secretsmanager:ap-northeast-1:123456789012:secret:rds!cluster-1-AbCdEf"},
        "verify_every": {"delta_minutes": 5, "full_minutes": 0},
    }
    request = parse(full)
    assert parse(request.document()) == request
    assert request.errors.numbers == (1062,)
    assert (request.verify_every.delta_minutes, request.verify_every.full_minutes) == (5, 0)
    assert request.secrets.source.endswith("AbCdEf")
    assert not request.secrets.clone


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "x"}, "schema is 'x'"),
        ({"source": None}, "source is missing"),
        ({"clone": "Shop"}, "clone is 'Shop'"),
        ({"clone": "a--b"}, "clone is 'a--b'"),
        ({"clone": "shop"}, "clone is the name of the source"),
        ({"options": []}, "options is"),
        ({"options": {"tags": {"a": 1}}}, "options.tags is"),
        ({"errors": {"policy": "ignore"}}, "errors.policy is 'ignore'; it must be stop or skip"),
        ({"errors": {"numbers": ["1062"]}}, "errors.numbers is"),
        ({"errors": {"most": True}}, "errors.most is True"),
        ({"verify": "quick"}, "verify is 'quick'"),
        ({"upgrade_to": "newest"}, "upgrade_to is 'newest'"),
        ({"retention_hours": 0}, "retention_hours is 0"),
        ({"overrides": "all"}, "overrides is 'all'"),
        ({"secrets": "arn"}, "secrets is 'arn'"),
        ({"secrets": {"clone": "hunter2"}}, "secrets.clone is 'hunter2'; it must be the ARN of a secret"),
        ({"secrets": {"source": None}}, "secrets.source is missing"),
        ({"verify_every": 5}, "verify_every is 5"),
        ({"verify_every": {"full_minutes": -1}}, "verify_every.full_minutes is -1"),
    ],
)
def test_a_wrong_field_is_named_with_what_it_must_be(change: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(LEAST | change)
    assert said in str(caught.value)


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InvalidRequest, match=r"source.*verify"):
        parse({"schema": SCHEMA, "clone": "b", "verify": 1})


@pytest.mark.parametrize("event", [None, [], "shop", 3])
def test_what_is_no_object_is_refused(event: object) -> None:
    with pytest.raises(InvalidRequest, match="must be an object"):
        parse(event)
