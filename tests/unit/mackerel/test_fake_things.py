"""Hosts, checks, annotations, downtimes, monitors, dashboards and alerts of the fake, as Mackerel documents them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.mackerel.downtimes import ends

if TYPE_CHECKING:
    from tests.unit.mackerel.conftest import Asking

NOON = 1_790_000_040
HOUR = 3600


def report(host: str, at: int, status: str = "CRITICAL", message: str = "so", **more: Any) -> dict[str, Any]:
    source = {"type": "host", "hostId": host}
    return {"source": source, "name": "backup", "status": status, "message": message, "occurredAt": at, **more}


def test_registering_a_host_creates_the_role_that_it_names(api: Asking) -> None:
    api.ok("POST /hosts", {"name": "a", "meta": {}, "customIdentifier": "kuroshio/dev", "roleFullnames": ["new:web"]})
    assert api.ok("GET /services/new/roles") == {"roles": [{"name": "web", "memo": ""}]}
    host = api.ok("GET /hosts-by-custom-identifier/kuroshio%2Fdev")["host"]
    assert (host["size"], host["roles"], host["status"]) == ("standard", {"new": ["web"]}, "working")


def test_a_retired_host_is_not_found_by_its_identifier_nor_listed(api: Asking) -> None:
    key = api.ok("POST /hosts", {"name": "a", "meta": {}, "customIdentifier": "x"})["id"]
    api.ok(f"POST /hosts/{key}/retire", {})
    assert api("GET /hosts-by-custom-identifier/x")[0] == 404
    assert api.ok("GET /hosts.json")["hosts"] == []


def test_a_check_report_counts_once_per_host_name_and_time(api: Asking, host: str) -> None:
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON, message="first")]})
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON, "OK", message="again")]})
    [status] = api.ok(f"GET /hosts/{host}/monitored-statuses")["monitoredStatuses"]
    assert (status["status"], status["detail"]["message"]) == ("CRITICAL", "first")


def test_a_check_report_of_six_hours_ago_is_ignored_and_the_answer_is_success(api: Asking, host: str) -> None:
    assert api("POST /monitoring/checks/report", {"reports": [report(host, NOON - 6 * HOUR)]}) == (
        200,
        {"success": True},
    )
    assert api.ok("GET /monitoring/checks") == {"checks": []}


def test_a_hundred_and_one_reports_or_a_long_message_are_refused(api: Asking, host: str) -> None:
    many = [report(host, NOON - n) for n in range(101)]
    assert api("POST /monitoring/checks/report", {"reports": many})[0] == 400
    assert api("POST /monitoring/checks/report", {"reports": [report(host, NOON, message="x" * 1024)]})[0] == 400


def test_a_check_opens_one_alert_and_closes_it(api: Asking, host: str) -> None:
    for at, status in ((NOON - 3, "CRITICAL"), (NOON - 2, "WARNING"), (NOON - 1, "OK")):
        api.ok("POST /monitoring/checks/report", {"reports": [report(host, at, status)]})
    assert api.ok("GET /alerts")["alerts"] == []
    [alert] = api.ok("GET /alerts?withClosed=true")["alerts"]
    logs = api.ok(f"GET /alerts/{alert['id']}/logs")["logs"]
    assert [log["status"] for log in logs] == ["OK", "WARNING", "CRITICAL"]


def test_an_alert_waits_for_as_many_failures_as_the_report_asks(api: Asking, host: str) -> None:
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON - 2, maxCheckAttempts=2)]})
    assert api.ok("GET /alerts")["alerts"] == []
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON - 1, maxCheckAttempts=2)]})
    assert len(api.ok("GET /alerts")["alerts"]) == 1


def test_a_host_update_deletes_the_checks_that_it_does_not_list_unless_they_alert(api: Asking, host: str) -> None:
    for name, status in (("kept", "OK"), ("gone", "OK"), ("loud", "CRITICAL")):
        api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON, status) | {"name": name}]})
    api.ok(f"PUT /hosts/{host}", {"name": "a", "meta": {}, "checks": [{"name": "kept"}]})
    assert {check["name"] for check in api.ok("GET /monitoring/checks")["checks"]} == {"kept", "loud"}


def test_every_post_of_an_annotation_makes_another_one(api: Asking) -> None:
    wanted = {"title": "release", "from": NOON, "to": NOON, "service": "shop"}
    first, second = api.ok("POST /graph-annotations", wanted), api.ok("POST /graph-annotations", wanted)
    assert first["id"] != second["id"]
    api.ok(f"PUT /graph-annotations/{first['id']}", wanted | {"to": NOON + 60})
    api.ok(f"DELETE /graph-annotations/{second['id']}")
    listed = api.ok(f"GET /graph-annotations?service=shop&from={NOON + 30}&to={NOON + 90}")
    assert [entry["id"] for entry in listed["graphAnnotations"]] == [first["id"]]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"title": "x" * 251}, 400),
        ({"description": "x" * 1025}, 400),
        ({"to": NOON - 1}, 400),
        ({"service": "nobody"}, 404),
        ({"roles": ["nobody"]}, 404),
    ],
)
def test_an_annotation_that_breaks_a_rule_is_refused(api: Asking, change: dict[str, Any], status: int) -> None:
    wanted = {"title": "release", "from": NOON, "to": NOON, "service": "shop"} | change
    assert api("POST /graph-annotations", wanted)[0] == status


def test_downtimes_are_listed_changed_and_deleted_but_never_got_by_id(api: Asking) -> None:
    made = api.ok("POST /downtimes", {"name": "cut-over", "start": NOON, "duration": 30, "serviceScopes": ["shop"]})
    api.ok(f"PUT /downtimes/{made['id']}", {"name": "cut-over", "start": NOON, "duration": 5})
    assert api(f"GET /downtimes/{made['id']}")[0] == 404
    assert [entry["duration"] for entry in api.ok("GET /downtimes")["downtimes"]] == [5]
    api.ok(f"DELETE /downtimes/{made['id']}")


@pytest.mark.parametrize(
    "change",
    [
        {"duration": 0},
        {"serviceScopes": ["nobody"]},
        {"serviceScopes": ["shop", "shop"]},
        {"recurrence": {"type": "daily", "interval": 1, "weekdays": ["Monday"]}},
    ],
)
def test_a_downtime_that_breaks_a_rule_is_refused(api: Asking, change: dict[str, Any]) -> None:
    assert api("POST /downtimes", {"name": "n", "start": NOON, "duration": 10} | change)[0] == 400


def test_a_long_downtime_is_void_after_it_crosses_the_end_of_sunday() -> None:
    sunday, saturday = 1_790_434_800, 1_790_434_800 - 12 * HOUR  # Sunday 27 September 2026, 00:00 at UTC+9
    two_days = 2 * 24 * 60
    assert ends({"start": sunday + HOUR, "duration": two_days}, 9 * HOUR) == sunday + 25 * HOUR
    assert ends({"start": saturday, "duration": two_days}, 9 * HOUR) == sunday + 24 * HOUR
    assert ends({"start": sunday + 20 * HOUR, "duration": 12 * 60}, 9 * HOUR) == sunday + 32 * HOUR


def test_no_alert_opens_during_a_downtime(api: Asking, host: str) -> None:
    api.ok("POST /downtimes", {"name": "quiet", "start": NOON - 60, "duration": 30, "serviceScopes": ["shop"]})
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON)]})
    assert api.ok("GET /alerts")["alerts"] == []


def monitor(**change: Any) -> dict[str, Any]:
    shape = {"type": "service", "name": "failed runs", "service": "shop", "metric": "runs.failed", "duration": 1}
    return shape | {"operator": ">", "critical": 0} | change


def test_a_backlog_that_is_posted_at_once_is_judged_by_its_latest_point_alone(api: Asking) -> None:
    api.ok("POST /monitors", monitor())
    values = [3, 5, 0]
    points = [{"name": "runs.failed", "time": NOON - 180 + 60 * n, "value": value} for n, value in enumerate(values)]
    api.ok("POST /services/shop/tsdb", points)
    assert api.ok("GET /alerts")["alerts"] == []


def test_a_heartbeat_that_stops_raises_an_alert(api: Asking) -> None:
    api.ok("POST /monitors", monitor(metric="heartbeat", missingDurationCritical=30))
    api.ok("POST /services/shop/tsdb", [{"name": "heartbeat", "time": NOON, "value": 0}])
    assert api.ok("GET /alerts")["alerts"] == []
    api.now.advance(30 * 60)
    assert [alert["status"] for alert in api.ok("GET /alerts")["alerts"]] == ["CRITICAL"]


@pytest.mark.parametrize(
    "change",
    [
        {"type": "moon"},
        {"service": "nobody"},
        {"missingDurationWarning": 15},
        {"missingDurationCritical": 7 * 24 * 60 + 10},
        {"notificationInterval": 5},
        {"duration": 11},
        {"operator": "="},
        {"memo": "x" * 2049},
    ],
)
def test_a_monitor_that_breaks_a_rule_is_refused(api: Asking, change: dict[str, Any]) -> None:
    assert api("POST /monitors", monitor(**change))[0] == 400


def test_a_monitor_is_replaced_as_a_whole(api: Asking) -> None:
    made = api.ok("POST /monitors", monitor(isMute=True))
    api.ok(f"PUT /monitors/{made['id']}", monitor())
    assert "isMute" not in api.ok(f"GET /monitors/{made['id']}")["monitor"]


def dashboard(*layouts: tuple[int, int, int, int], path: str = "kuroshio/overview") -> dict[str, Any]:
    graph = {"type": "service", "serviceName": "shop", "name": "runs.*"}
    widgets = [
        {
            "type": "graph",
            "title": f"w{n}",
            "graph": graph,
            "layout": dict(zip(("x", "y", "width", "height"), at, strict=True)),
        }
        for n, at in enumerate(layouts)
    ]
    return {"title": "Kuroshio", "memo": "", "urlPath": path, "widgets": widgets}


def test_a_second_dashboard_under_the_same_path_is_409(api: Asking) -> None:
    made = api.ok("POST /dashboards", dashboard((0, 0, 12, 6)))
    assert api("POST /dashboards", dashboard())[0] == 409
    api.ok(f"PUT /dashboards/{made['id']}", dashboard((12, 0, 12, 6)))
    assert "widgets" not in api.ok("GET /dashboards")["dashboards"][0]


@pytest.mark.parametrize("layouts", [[(0, 0, 6, 5)], [(20, 0, 6, 6)], [(0, 0, 6, 6), (5, 5, 6, 6)]])
def test_widgets_keep_their_sizes_and_do_not_overlap(api: Asking, layouts: list[tuple[int, int, int, int]]) -> None:
    assert api("POST /dashboards", dashboard(*layouts))[0] == 400


def test_metadata_of_a_service_is_any_json_of_some_size(api: Asking) -> None:
    api.ok("PUT /services/shop/metadata/kuroshio", {"checkpoint": [1, 2]})
    assert api.ok("GET /services/shop/metadata/kuroshio") == {"checkpoint": [1, 2]}
    assert api("PUT /services/shop/metadata/big", "x" * 103_000)[0] == 413
    assert api("PUT /services/shop/metadata/mackerel-own", {})[0] == 400
    api.ok("DELETE /services/shop/metadata/kuroshio")


def test_deleting_a_service_takes_its_monitors_and_annotations_along(api: Asking) -> None:
    api.ok("POST /monitors", monitor())
    api.ok("POST /graph-annotations", {"title": "t", "from": NOON, "to": NOON, "service": "shop"})
    api.ok("DELETE /services/shop")
    assert (api.ok("GET /monitors")["monitors"], api.mackerel.org.annotations) == ([], {})


def test_the_page_shows_series_checks_and_annotations_and_loads_nothing(api: Asking, host: str) -> None:
    from werkzeug.test import Client

    api.ok("POST /services/shop/tsdb", [{"name": "runs.ok", "time": NOON + 60 * n, "value": n} for n in range(3)])
    api.ok("POST /graph-annotations", {"title": "<release>", "from": NOON, "to": NOON + 60, "service": "shop"})
    api.ok("POST /monitoring/checks/report", {"reports": [report(host, NOON)]})
    page = Client(api.mackerel).get("/").get_data(as_text=True)
    assert "<polyline" in page
    assert "&lt;release&gt;" in page
    assert "kuroshio-dev" in page
    assert [word for word in ("http://", "https://", "<script", "@import", "url(") if word in page] == []
