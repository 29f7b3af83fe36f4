"""What a client sees on a real socket when the fake is told to fail."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import urllib3

from lab.mackerel import Clock, FakeMackerel, Fault, Served, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

NOON = 1_790_000_040


@pytest.fixture
def served() -> Iterator[Served]:
    with serve(FakeMackerel(Clock(NOON))) as running:
        assert ask(running, "POST", "/services", {"name": "shop"}).status == 200
        yield running


def ask(served: Served, method: str, path: str, body: Any = None) -> urllib3.BaseHTTPResponse:
    headers = {"X-Api-Key": "lab-key", "Content-Type": "application/json"}
    with urllib3.PoolManager(retries=False, timeout=5) as pool:
        return pool.request(method, f"{served.origin}/api/v0{path}", headers=headers, body=json.dumps(body))


def post(served: Served) -> urllib3.BaseHTTPResponse:
    return ask(served, "POST", "/services/shop/tsdb", [{"name": "a", "time": NOON, "value": 1}])


def names(served: Served) -> Any:
    return ask(served, "GET", "/services/shop/metric-names").json()["names"]


def test_a_status_is_answered_as_often_as_it_was_asked_for_with_retry_after(served: Served) -> None:
    served.mackerel.faults.add(Fault("status", status=429, retry_after=7, times=2))
    first, second, third = post(served), post(served), post(served)
    assert [(answer.status, answer.headers.get("Retry-After")) for answer in (first, second, third)] == [
        (429, "7"),
        (429, "7"),
        (200, None),
    ]


def test_a_fault_ends_with_its_simulated_while(served: Served) -> None:
    served.mackerel.faults.add(Fault("status", status=503, until=NOON + 30 * 3600))
    assert post(served).status == 503
    served.mackerel.clock.advance(30 * 3600)
    assert post(served).status == 200


def test_a_half_closed_connection_was_processed_and_says_nothing(served: Served) -> None:
    served.mackerel.faults.add(Fault("half-closed", times=1, method="POST"))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="RemoteDisconnected"):
        post(served)
    assert names(served) == ["a"]


def test_a_reset_connection_was_not_processed(served: Served) -> None:
    served.mackerel.faults.add(Fault("reset", times=1, path="tsdb$"))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="ConnectionResetError"):
        post(served)
    assert names(served) == []


def test_a_gateway_may_time_out_although_the_request_was_processed(served: Served) -> None:
    served.mackerel.faults.add(Fault("status", status=504, processed=True, times=1, path="tsdb"))
    assert post(served).status == 504
    assert names(served) == ["a"]


def test_faults_and_clock_are_reached_from_another_process_too(served: Served) -> None:
    with urllib3.PoolManager() as pool:
        pool.request("POST", f"{served.origin}/_lab/faults", json={"kind": "status", "status": 500})
        assert post(served).status == 500
        pool.request("DELETE", f"{served.origin}/_lab/faults")
        pool.request("POST", f"{served.origin}/_lab/clock", json={"advance": 60})
        assert pool.request("GET", f"{served.origin}/_lab/clock").json() == {"now": NOON + 60}
        assert pool.request("POST", f"{served.origin}/_lab/faults", json={"kind": "meteor"}).status == 400
    assert post(served).status == 200


def test_one_connection_serves_many_requests(served: Served) -> None:
    with urllib3.HTTPConnectionPool("127.0.0.1", int(served.origin.rpartition(":")[2]), maxsize=1) as pool:
        for _ in range(3):
            assert pool.request("GET", "/api/v0/org", headers={"X-Api-Key": "lab-key"}).status == 200
        assert pool.num_connections == 1
