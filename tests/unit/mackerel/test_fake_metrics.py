"""The fake keeps, overwrites, drops and refuses metrics as Mackerel documents it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.mackerel import Rules

if TYPE_CHECKING:
    from tests.unit.mackerel.conftest import Asking

NOON = 1_790_000_040
DAY = 86_400


def post(api: Asking, *points: dict[str, object]) -> tuple[int, object]:
    return api("POST /services/shop/tsdb", list(points))


def test_one_value_is_kept_per_minute_and_it_is_the_last_one_posted(api: Asking) -> None:
    post(api, {"name": "runs.count", "time": NOON + 1, "value": 1})
    post(api, {"name": "runs.count", "time": NOON + 59, "value": 5})
    post(api, {"name": "runs.count", "time": NOON + 60.5, "value": 2})
    assert api.stored("runs.count") == [(NOON, 5), (NOON + 60, 2)]


def test_a_point_older_than_a_day_is_dropped_and_the_answer_is_success(api: Asking) -> None:
    answer = post(api, {"name": "a", "time": NOON - DAY - 1, "value": 1}, {"name": "a", "time": NOON - DAY, "value": 2})
    assert answer == (200, {"success": True})
    assert api.stored("a") == [((NOON - DAY) // 60 * 60, 2)]


@pytest.mark.parametrize(
    "point",
    [
        {"name": "a/b", "time": NOON, "value": 1},
        {"name": "注文", "time": NOON, "value": 1},
        {"name": "a", "time": "soon", "value": 1},
        {"name": "a", "time": NOON, "value": "1"},
        {"name": "a", "time": NOON, "value": True},
        {"name": "a", "time": NOON, "value": float("nan")},
        {"name": "a", "time": NOON, "value": float("inf")},
        {"name": "a", "time": NOON},
    ],
)
def test_one_bad_point_refuses_the_whole_post(api: Asking, point: dict[str, object]) -> None:
    status, document = post(api, {"name": "good", "time": NOON, "value": 1}, point)
    assert status == 400
    assert document["error"]["message"]  # type: ignore[index]
    assert api.ok("GET /services/shop/metric-names") == {"names": []}


def test_an_unknown_service_is_404_and_a_name_never_posted_too(api: Asking) -> None:
    assert api("POST /services/nobody/tsdb", [])[0] == 404
    assert api(f"GET /services/shop/metrics?name=never&from=0&to={NOON}")[0] == 404


def test_a_service_may_be_posted_to_so_many_times_a_minute_and_no_more(api: Asking) -> None:
    statuses = [post(api, {"name": "a", "time": NOON, "value": n})[0] for n in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    api.now.advance(60)
    assert post(api, {"name": "a", "time": NOON, "value": 1})[0] == 200


def test_a_read_only_key_reads_and_a_wrong_key_does_nothing(api: Asking) -> None:
    assert api("GET /services", key="lab-read-only-key")[0] == 200
    assert api("POST /services/shop/tsdb", [], key="lab-read-only-key")[0] == 403
    refusal = {"error": {"message": "Authentication failed. Please try with valid Api Key."}}
    assert api("GET /org", key="wrong") == (401, refusal)


def test_the_older_shape_of_errors_can_be_asked_for(api: Asking) -> None:
    api.mackerel.org.rules = Rules(plain_errors=True)
    assert api("GET /nothing") == (404, {"error": "Not found."})


def test_a_body_above_the_limit_is_413(api: Asking) -> None:
    api.mackerel.org.rules = Rules(most_bytes=100)
    assert post(api, *({"name": f"n{n}", "time": NOON, "value": 1} for n in range(9)))[0] == 413


def test_host_metrics_are_kept_listed_and_latest(api: Asking, host: str) -> None:
    points = [{"hostId": host, "name": "custom.lag.orders", "time": NOON + 60 * n, "value": n} for n in range(3)]
    api.ok("POST /tsdb", points)
    latest = api.ok(f"GET /tsdb/latest?hostId={host}&name=custom.lag.orders")
    assert latest == {"tsdbLatest": {host: {"custom.lag.orders": {"time": NOON + 120, "value": 2}}}}
    assert api.ok(f"GET /hosts/{host}/metric-names") == {"names": ["custom.lag.orders"]}


def test_an_empty_query_and_a_newline_after_the_body_are_what_the_official_client_sends(api: Asking) -> None:
    wanted = {"name": "release", "start": NOON, "duration": 10}
    assert api("POST /downtimes?", wanted)[0] == 200


def test_a_wildcard_definition_vanishes_when_no_metric_matches_it_for_hours(api: Asking, host: str) -> None:
    definition = {"name": "custom.lag.#", "metrics": [{"name": "custom.lag.#.seconds", "isStacked": False}]}
    api.ok("POST /graph-defs/create", [definition])
    api.now.advance(5 * 3600)
    api.ok("POST /tsdb", [{"hostId": host, "name": "custom.lag.orders.seconds", "time": api.now(), "value": 1}])
    api.now.advance(5 * 3600)
    api.ok("POST /graph-defs/create", [{"name": "custom.other", "metrics": []}])
    api.ok("DELETE /graph-defs", {"name": "custom.other"})
    assert "custom.lag.#" in api.mackerel.org.graph_definitions
    api.now.advance(2 * 3600)
    assert api("DELETE /graph-defs", {"name": "custom.lag.#"})[0] == 400


@pytest.mark.parametrize(
    "definition",
    [
        {"name": "cpu.load", "metrics": []},
        {"name": "custom.a..b", "metrics": []},
        {"name": "custom.#.#", "metrics": []},
        {"name": "custom.a", "unit": "parsecs", "metrics": []},
        {"name": "custom.a", "metrics": [{"name": "custom.b.c", "isStacked": True}]},
        {"name": "custom.a", "metrics": [{"name": "custom.a.*", "isStacked": True}]},
    ],
)
def test_a_graph_definition_that_breaks_a_rule_is_refused(api: Asking, definition: object) -> None:
    assert api("POST /graph-defs/create", [definition])[0] == 400


def test_the_graph_of_a_service_can_be_deleted_and_comes_back_with_the_next_post(api: Asking) -> None:
    post(api, {"name": "runs.ok", "time": NOON, "value": 1})
    api.ok("DELETE /services/shop/graph-defs/runs.*")
    assert api("DELETE /services/shop/graph-defs/runs.*")[0] == 404
    post(api, {"name": "runs.ok", "time": NOON, "value": 1})
    api.ok("DELETE /services/shop/graph-defs/runs.*")
