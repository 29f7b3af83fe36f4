"""The HTTP adapter against the fake on a real socket."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws

from kuroshio.adapters import aws
from kuroshio.adapters.mackerel import HttpMackerel, SecretKey
from kuroshio.errors import ConfigurationMissing, NotFound
from kuroshio.mackerel.collect import Collector
from kuroshio.mackerel.flush import Flusher
from kuroshio.mackerel.messages import Parcel
from kuroshio.mackerel.points import point
from lab.mackerel import Clock, FakeMackerel, Fault, Rules, Served, serve
from lab.mackerel.ledger import MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_790_000_040
POINT = {"name": "a", "time": NOON, "value": 1}


class KeyRing:
    """A key that somebody replaces."""

    def __init__(self, *keys: str) -> None:
        self._keys = list(keys)
        self.read = 0

    def value(self) -> str:
        return self._keys[0]

    def fresh(self) -> str:
        self.read += 1
        if len(self._keys) > 1:
            del self._keys[0]
        return self._keys[0]


@pytest.fixture
def served() -> Iterator[Served]:
    with serve(FakeMackerel(Clock(NOON))) as running:
        api(running).call("POST", "/services", {"name": "shop"})
        yield running


def api(served: Served, *keys: str) -> HttpMackerel:
    return HttpMackerel(KeyRing(*(keys or ("lab-key",))), origin=served.origin, timeout=5)


def test_an_answer_comes_back_with_its_document(served: Served) -> None:
    assert api(served).call("GET", "/org").document == {"name": "kuroshio-lab", "displayName": None}
    assert api(served).call("POST", "/services/shop/tsdb", [POINT]).status == 200


@pytest.mark.parametrize("plain", [False, True])
def test_a_refusal_is_quoted_in_either_shape_of_errors(served: Served, plain: bool) -> None:
    served.mackerel.org.rules = Rules(plain_errors=plain)
    answer = api(served).call("POST", "/services/nobody/tsdb", [POINT])
    assert (answer.status, answer.message) == (404, "Service not found.")


def test_retry_after_is_read(served: Served) -> None:
    served.mackerel.faults.add(Fault("status", status=429, retry_after=7))
    answer = api(served).call("POST", "/services/shop/tsdb", [POINT])
    assert (answer.status, answer.retry_after) == (429, 7.0)


@pytest.mark.parametrize("kind", ["half-closed", "reset"])
def test_a_dropped_connection_is_no_answer_and_is_not_repeated(served: Served, kind: str) -> None:
    served.mackerel.faults.add(Fault(kind, times=1, path="tsdb"))
    answer = api(served).call("POST", "/services/shop/tsdb", [POINT])
    assert answer.status == 0
    assert "ProtocolError" in answer.message
    assert [line.path for line in served.mackerel.received].count("/api/v0/services/shop/tsdb") == 1


def test_nobody_listening_and_nobody_answering_are_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        origin = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert HttpMackerel(KeyRing("k"), origin=origin, timeout=0.2).call("GET", "/org").status == 0
    assert HttpMackerel(KeyRing("k"), origin=origin, timeout=0.2).call("GET", "/org").status == 0


def test_a_refused_key_is_read_again_and_used_if_it_was_replaced(served: Served) -> None:
    assert api(served, "old", "lab-key").call("GET", "/org").status == 200
    ring = KeyRing("old")
    assert HttpMackerel(ring, origin=served.origin).call("GET", "/org").status == 401
    assert ring.read == 1
    assert [line.status for line in served.mackerel.received[1:]] == [401, 200, 401]


def test_the_key_is_in_nothing_that_may_be_logged(served: Served) -> None:
    mackerel = api(served, "secret-key")
    answers = [
        mackerel.call("GET", "/org"),
        HttpMackerel(KeyRing("secret-key"), origin="http://127.0.0.1:1").call("GET", "/org"),
    ]
    assert "secret-key" not in repr((mackerel, answers))


def test_one_connection_carries_many_requests(served: Served) -> None:
    mackerel = api(served)
    for _ in range(5):
        mackerel.call("GET", "/org")
    [pool] = [mackerel._connections().pools[key] for key in mackerel._connections().pools.keys()]  # noqa: SIM118 - no mapping
    assert (pool.num_connections, pool.num_requests) == (1, 5)


def test_points_arrive_through_the_flusher(served: Served) -> None:
    ledger, clock = MemoryLedger(), served.mackerel.clock
    for key in ("a", "b"):
        made = point("shop", "orders", 2, at=NOON, now=NOON, combine="sum", key=key)
        Collector(ledger, clock).keep([Parcel(points=(made,))])
    [flushed] = Flusher(ledger, api(served), clock, lambda most: most, "flusher").run()
    assert (flushed.delivered, flushed.requests) == (1, 1)
    assert [list(points.values()) for points in served.mackerel.org.points.values()] == [[4]]


@pytest.fixture
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    aws.forget_clients()
    with mock_aws():
        yield
    aws.forget_clients()


@pytest.mark.usefixtures("_account")
def test_the_key_is_read_from_secrets_manager_once_until_it_is_asked_for_afresh() -> None:
    secrets = boto3.client("secretsmanager")
    secrets.create_secret(Name="kuroshio/dev/mackerel", SecretString="first\n")
    key = SecretKey("kuroshio/dev/mackerel")
    assert key.value() == "first"
    secrets.put_secret_value(SecretId="kuroshio/dev/mackerel", SecretString="second")
    assert (key.value(), key.fresh(), key.value()) == ("first", "second", "second")


@pytest.mark.usefixtures("_account")
def test_a_secret_that_is_missing_or_empty_says_which() -> None:
    with pytest.raises(NotFound, match="the secret nothing"):
        SecretKey("nothing").value()
    boto3.client("secretsmanager").create_secret(Name="blank", SecretString=" ")
    with pytest.raises(ConfigurationMissing, match="the secret blank holds no key"):
        SecretKey("blank").value()


@pytest.mark.usefixtures("_account")
def test_a_key_may_be_a_field_of_a_secret_that_is_an_object() -> None:
    boto3.client("secretsmanager").create_secret(Name="json", SecretString='{"MACKEREL_API_KEY": "hidden", "b": 1}')
    assert SecretKey("json").value() == "hidden"


@pytest.mark.usefixtures("_account")
@pytest.mark.parametrize(
    "held",
    ["hidden\nsecond line", '{"key": "hidden"}', '{"MACKEREL_API_KEY": ["hidden"]}', '{"MACKEREL_API_KEY": "hidden"'],
)
def test_a_secret_that_is_more_than_a_key_is_refused_without_being_quoted(held: str) -> None:
    boto3.client("secretsmanager").create_secret(Name="more", SecretString=held)
    with pytest.raises(ConfigurationMissing, match="holds no key") as refused:
        SecretKey("more").value()
    assert "hidden" not in str(refused.value)
