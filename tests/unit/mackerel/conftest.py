"""A Mackerel in this process, whose clock stands."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client

from lab.mackerel import Clock, FakeMackerel

NOON = 1_790_000_040  # a whole minute


class Asking:
    """Speaks to the fake as a client library would, and hands back (status, document)."""

    def __init__(self, mackerel: FakeMackerel) -> None:
        self.mackerel = mackerel
        self.now = mackerel.clock
        self._client = Client(mackerel)

    def __call__(self, line: str, body: Any = None, *, key: str = "lab-key") -> tuple[int, Any]:
        method, path = line.split(" ", 1)
        more: dict[str, Any] = {"json": body} if method != "GET" else {}
        answer = self._client.open(f"/api/v0{path}", method=method, headers={"X-Api-Key": key}, **more)
        return answer.status_code, answer.get_json()

    def ok(self, line: str, body: Any = None) -> Any:
        status, document = self(line, body)
        assert status == 200, document
        return document

    def stored(self, name: str, service: str = "shop") -> list[tuple[int, float]]:
        first, last = NOON - 10**6, NOON + 10**6
        metrics = self.ok(f"GET /services/{service}/metrics?name={name}&from={first}&to={last}")["metrics"]
        return [(point["time"], point["value"]) for point in metrics]


@pytest.fixture
def mackerel() -> FakeMackerel:
    return FakeMackerel(Clock(NOON))


@pytest.fixture
def api(mackerel: FakeMackerel) -> Asking:
    asking = Asking(mackerel)
    asking.ok("POST /services", {"name": "shop"})
    return asking


@pytest.fixture
def host(api: Asking) -> str:
    return str(api.ok("POST /hosts", {"name": "kuroshio-dev", "meta": {}, "roleFullnames": ["shop:tasks"]})["id"])
