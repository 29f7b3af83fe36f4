"""What Mackerel shall have: made from a file, compared without phantoms, and nobody else's things are touched."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest

from kuroshio.errors import AccessRefused, KuroshioError, RequestRefused, ServiceUnavailable
from kuroshio.mackerel.definitions import applying
from kuroshio.mackerel.definitions.comparison import Step, compare
from kuroshio.mackerel.definitions.settings import Settings, parse
from kuroshio.mackerel.definitions.wanted import wanted
from lab.mackerel import Clock, FakeMackerel, Fault, Rules
from lab.mackerel.alerting import judge_service_metrics
from lab.mackerel.in_process import InProcessApi

NOON = 1_790_000_040
HOUR = 3600
SERVICE = "kuroshio-dev"
WHOLE = b"""
memo: the shop's
roles: {checks: reports, batch: ""}
workflows:
  detect-changes: {alert-on: [failed, timed_out, aborted], heartbeat: {warning: 25h, critical: 26h}}
  release:
silence: 30m
dashboard:
  title: The shop
  path: team/shop
  graphs:
    - {title: Orders, metrics: [orders.shipped, orders.refused], stacked: true}
monitors:
  few orders: {metric: orders.shipped, operator: "<", warning: 10, critical: 5.5, points: 3, attempts: 2, missing: 1h, notify-every: 60}
graph-definitions:
  custom.backup.#: {title: Backups, unit: seconds, metrics: {seconds: {title: "%1", stacked: true}, files: }}
  custom.tape: {metrics: {left: }}
"""


@pytest.fixture(params=[False, True], ids=["what was sent comes back", "defaults and nulls come back too"])
def mackerel(request: pytest.FixtureRequest) -> FakeMackerel:
    return FakeMackerel(Clock(NOON), Rules(echoes_defaults=request.param))


def plan(mackerel: FakeMackerel, settings: Settings) -> list[Step]:
    return compare(wanted(settings, SERVICE), applying.observe(InProcessApi(mackerel), SERVICE))


def apply(mackerel: FakeMackerel, settings: Settings) -> list[str]:
    told: list[Step] = []
    applying.carry_out(InProcessApi(mackerel), plan(mackerel, settings), told.append)
    return [f"{step.action} {step.kind} {step.name}" for step in told]


def call(mackerel: FakeMackerel, line: str, body: Any = None) -> Any:
    method, path = line.split(" ", 1)
    answer = InProcessApi(mackerel).call(method, path, body)
    assert answer.status == 200, answer
    return answer.document


def test_the_defaults_are_made_once_and_then_nothing_differs(mackerel: FakeMackerel) -> None:
    made = apply(mackerel, Settings())
    assert made[:2] == ["create service kuroshio-dev", "create role checks"]
    assert "create monitor kuroshio-dev: detect-changes failed" in made
    assert "create dashboard kuroshio-dev" in made
    assert plan(mackerel, Settings()) == []


def test_a_whole_file_is_made_once_and_then_only_what_mackerel_forgets_is_sent_again(mackerel: FakeMackerel) -> None:
    settings = parse(WHOLE)
    apply(mackerel, settings)
    assert apply(mackerel, settings) == ["refresh graph definition custom.backup.#"]
    [board] = mackerel.org.dashboards.values()
    assert (board["title"], board["urlPath"]) == ("The shop", "team/shop")
    expression = board["widgets"][-1]["graph"]["expression"]
    assert expression.startswith("stack(group(alias(service('kuroshio-dev', 'orders.shipped'), 'shipped')")
    few = next(each for each in mackerel.org.monitors.values() if each["name"] == "kuroshio-dev: few orders")
    assert (few["operator"], few["warning"], few["critical"], few["duration"]) == ("<", 10, 5.5, 3)
    assert (few["maxCheckAttempts"], few["missingDurationCritical"], few["notificationInterval"]) == (2, 60, 60)


def test_a_change_is_shown_field_by_field_and_nothing_else_is(mackerel: FakeMackerel) -> None:
    apply(mackerel, parse(WHOLE))
    steps = plan(
        mackerel, parse(WHOLE.replace(b"critical: 5.5", b"critical: 4").replace(b"title: Orders", b"title: O"))
    )
    shown = [(s.kind, d.field, d.is_now, d.shall_be) for s in steps for d in s.differences]
    at = next(s for s in steps if s.kind == "dashboard").differences[0].field
    assert shown == [("monitor", "critical", 5.5, 4), ("dashboard", at, "Orders", "O")]
    assert re.fullmatch(r"widgets\[\d+\]\.title", at)


def test_what_somebody_changed_by_hand_is_put_right_but_muting_stays(mackerel: FakeMackerel) -> None:
    apply(mackerel, Settings())
    key, first = next(iter(mackerel.org.monitors.items()))
    call(mackerel, f"PUT /monitors/{key}", {**_sent(first), "critical": 9, "notificationInterval": 30, "isMute": True})
    [step] = plan(mackerel, Settings())
    assert {d.field: (d.is_now, d.shall_be) for d in step.differences} == {
        "critical": (9, 0),
        "notificationInterval": (30, None),
    }
    apply(mackerel, Settings())
    now = mackerel.org.monitors[key]
    assert (now["critical"], now.get("notificationInterval"), now["isMute"]) == (0, None, True)
    assert plan(mackerel, Settings()) == []


def _sent(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None and name != "id"}


def test_only_what_is_ours_and_of_this_service_is_removed(mackerel: FakeMackerel) -> None:
    apply(mackerel, parse(WHOLE))
    other = {"type": "service", "name": "theirs", "service": SERVICE, "duration": 1, "metric": "m", "operator": ">"}
    call(mackerel, "POST /monitors", other)
    call(mackerel, "POST /monitors", {**other, "name": "of prod", "memo": "[kuroshio monitor kuroshio-prod/silence]"})
    call(mackerel, "POST /dashboards", {"title": "theirs", "memo": "", "urlPath": "theirs", "widgets": []})
    gone = apply(mackerel, parse(b"workflows: {}\nroles: {}\nsilence: false\ndashboard: false\n"))
    assert "delete dashboard The shop" in gone
    assert "delete graph definition custom.tape" in gone
    names = {each["name"] for each in mackerel.org.monitors.values()}
    assert names == {"theirs", "of prod", "kuroshio-dev: points were lost", "kuroshio-dev: check reports were lost"}
    assert [each["title"] for each in mackerel.org.dashboards.values()] == ["theirs"]
    assert set(mackerel.org.service(SERVICE).roles) == {"checks", "batch"}
    assert mackerel.org.graph_definitions == {}


def test_a_path_that_somebody_else_has_is_left_to_them(mackerel: FakeMackerel) -> None:
    call(mackerel, "POST /dashboards", {"title": "Wall", "memo": "", "urlPath": SERVICE, "widgets": []})
    with pytest.raises(RequestRefused, match="'Wall' has the path kuroshio-dev and is not ours"):
        plan(mackerel, Settings())


def test_a_dashboard_that_gets_another_path_moves(mackerel: FakeMackerel) -> None:
    apply(mackerel, Settings())
    assert apply(mackerel, parse(b"dashboard: {path: elsewhere}")) == ["update dashboard kuroshio-dev"]
    assert [each["urlPath"] for each in mackerel.org.dashboards.values()] == ["elsewhere"]


@pytest.mark.parametrize("after", range(17))
def test_an_answer_that_is_lost_anywhere_leaves_nothing_twice(mackerel: FakeMackerel, after: int) -> None:
    settings, lost = parse(WHOLE), itertools.count()

    class Losing(InProcessApi):
        def call(self, method: str, path: str, body: Any = None) -> Any:
            if method != "GET" and next(lost) == after:
                mackerel.faults.add(Fault("half-closed", times=1))
            return super().call(method, path, body)

    with pytest.raises(ServiceUnavailable, match="Mackerel did not answer"):
        applying.carry_out(Losing(mackerel), plan(mackerel, settings), lambda _: None)
    apply(mackerel, settings)
    names = [each["name"] for each in mackerel.org.monitors.values()]
    assert len(names) == len(set(names)) == 10
    assert len(mackerel.org.dashboards) == 1
    assert {step.action for step in plan(mackerel, settings)} == {"refresh"}


def test_a_monitor_that_is_there_twice_is_there_once_afterwards(mackerel: FakeMackerel) -> None:
    apply(mackerel, Settings())
    first = next(iter(mackerel.org.monitors.values()))
    call(mackerel, "POST /monitors", _sent(first))
    assert apply(mackerel, Settings()) == [f"delete monitor {first['name']}"]


def test_any_number_of_workflows_and_graphs_fits_the_grid(mackerel: FakeMackerel) -> None:
    for workflows, graphs in itertools.product((0, 1, 7), (0, 1, 2, 5)):
        lines = ["workflows:", *(f"  w{n}:" for n in range(workflows))] if workflows else ["workflows: {}"]
        lines += ["dashboard:", "  graphs:", *(f"    - {{title: g{n}, metrics: [a.b]}}" for n in range(graphs))]
        settings = parse("\n".join(lines if graphs else lines[:-2]).encode())
        apply(mackerel, settings)
        [board] = mackerel.org.dashboards.values()
        assert len(board["widgets"]) == 11 + 2 * workflows + graphs
        assert plan(mackerel, settings) == []


def test_a_wildcard_that_mackerel_forgot_is_back_after_the_next_apply(mackerel: FakeMackerel) -> None:
    settings = parse(WHOLE)
    apply(mackerel, settings)
    mackerel.clock.advance(7 * HOUR)
    from lab.mackerel.graph_definitions import forget_unused

    forget_unused(mackerel.org, mackerel.clock())
    assert set(mackerel.org.graph_definitions) == {"custom.tape"}
    apply(mackerel, settings)
    assert set(mackerel.org.graph_definitions) == {"custom.tape", "custom.backup.#"}


def opened(mackerel: FakeMackerel) -> set[str]:
    judge_service_metrics(mackerel.org, mackerel.clock())
    return {
        mackerel.org.monitors[each["monitorId"]]["name"].removeprefix(f"{SERVICE}: ")
        for each in mackerel.org.alerts.values()
        if each["status"] != "OK"
    }


def test_the_monitors_tell_of_failures_and_of_runs_that_do_not_come(mackerel: FakeMackerel) -> None:
    apply(mackerel, parse(WHOLE))

    def post(**figures: float) -> None:
        points = [
            {"name": f"runs.detect-changes.{name}", "time": mackerel.clock(), "value": value}
            for name, value in figures.items()
        ]
        call(mackerel, f"POST /services/{SERVICE}/tsdb", points)

    post(succeeded=1, failed=0, timed_out=0, aborted=0)
    assert opened(mackerel) == set()
    mackerel.clock.advance(HOUR)
    post(failed=1)
    assert opened(mackerel) == {"detect-changes failed"}
    mackerel.clock.advance(HOUR)
    post(succeeded=1, failed=0, timed_out=0, aborted=0)
    assert opened(mackerel) == set()
    mackerel.clock.advance(25.5 * HOUR)
    assert opened(mackerel) == {"detect-changes has had no success"}
    post(succeeded=1)
    assert opened(mackerel) == set()


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (Fault("status", status=401), AccessRefused, "does not know this API key"),
        (Fault("status", status=403), AccessRefused, "needs read and write permission"),
        (Fault("status", status=429), ServiceUnavailable, "run it again in the next"),
        (Fault("status", status=503), ServiceUnavailable, "run it again later"),
        (Fault("half-closed"), ServiceUnavailable, "Mackerel did not answer"),
    ],
    ids=["unknown key", "no permission", "too many", "their fault", "no answer"],
)
def test_what_mackerel_says_against_it_is_an_error_that_says_what_to_do(
    mackerel: FakeMackerel, fault: Fault, error: type[KuroshioError], says: str
) -> None:
    steps = plan(mackerel, Settings())
    mackerel.faults.add(fault)
    with pytest.raises(error, match=says):
        applying.carry_out(InProcessApi(mackerel), steps, lambda _: None)
    with pytest.raises(error, match="could not read /services"):
        applying.observe(InProcessApi(mackerel), SERVICE)


def test_a_refusal_names_the_thing_and_quotes_the_reason(mackerel: FakeMackerel) -> None:
    steps = plan(mackerel, parse(WHOLE.replace(b"memo: the shop's", b"")))
    broken = [step for step in steps if step.kind == "monitor"]
    with pytest.raises(
        RequestRefused, match=r"create the monitor 'kuroshio-dev: detect-changes failed': HTTP 400: The"
    ):
        applying.carry_out(InProcessApi(mackerel), broken, lambda _: None)
