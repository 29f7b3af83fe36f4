"""The host of the check reports, and downtimes: made once, whatever happens to the answers."""

from __future__ import annotations

import itertools

import pytest

from kuroshio.errors import InvalidRequest, RequestRefused
from kuroshio.mackerel.downtimes import Listing, closed, opened, pieces
from kuroshio.mackerel.hosting import KeptHost
from kuroshio.mackerel.hosts import CheckHost, ensured
from kuroshio.mackerel.silence import Downtime
from kuroshio.mackerel.turns import Channel, Pace, TurnEnded
from kuroshio.mackerel.verdicts import Verdict
from lab.mackerel import Clock, FakeMackerel, Fault
from lab.mackerel.downtimes import ends
from lab.mackerel.in_process import InProcessApi
from lab.mackerel.ledger import MemoryLedger

NOON = 1_790_000_040
HOUR, DAY = 3600, 86_400
JST = 9 * HOUR
SUNDAY = 1_790_434_800  # 27 September 2026, 00:00 at UTC+9
HOST = CheckHost("kuroshio/dev", "kuroshio-dev", ("kuroshio:tasks",))
CUTOVER = Downtime("kuroshio", "execution-1", "cut-over of orders", NOON, NOON + 1830)


@pytest.fixture
def mackerel() -> FakeMackerel:
    fake = FakeMackerel(Clock(NOON))
    InProcessApi(fake).call("POST", "/services", {"name": "kuroshio"})
    return fake


def channel(mackerel: FakeMackerel) -> Channel:
    return Channel(InProcessApi(mackerel), mackerel.clock, NOON + 10**6, Pace())


def test_the_host_is_registered_once_and_its_checks_follow_the_list(mackerel: FakeMackerel) -> None:
    first = ensured(channel(mackerel), HOST, ["backup", "rotate"])
    second = ensured(channel(mackerel), HOST, ["rotate"])
    assert first == second
    [host] = mackerel.org.hosts.values()
    assert [check["name"] for check in host["_checks"]] == ["rotate"]
    assert host["_roles"] == ["kuroshio:tasks"]


def test_a_host_whose_registration_was_not_answered_is_found_again(mackerel: FakeMackerel) -> None:
    mackerel.faults.add(Fault("half-closed", times=1, method="POST"))
    with pytest.raises(TurnEnded):
        ensured(channel(mackerel), HOST, [])
    ensured(channel(mackerel), HOST, [])
    assert len(mackerel.org.hosts) == 1


def test_a_host_that_mackerel_refuses_is_an_error_that_says_why(mackerel: FakeMackerel) -> None:
    with pytest.raises(RequestRefused, match="HTTP 400"):
        ensured(channel(mackerel), HOST, ["no such/name"])


def test_a_kept_host_is_asked_for_where_a_check_is_new_and_once_an_hour(mackerel: FakeMackerel) -> None:
    kept, ledger = [], MemoryLedger()
    for checks, later in (({"backup"}, 0), ({"backup"}, 60), ({"rotate"}, 60), ({"backup"}, 60), ({"backup"}, HOUR)):
        mackerel.clock.advance(later)
        mackerel.received.clear()
        kept.append(KeptHost(ledger, HOST, mackerel.clock).host(channel(mackerel), checks))
        kept.append(str(len(mackerel.received)))
    [(key, host)] = mackerel.org.hosts.items()
    assert kept == [key, "2", key, "0", key, "2", key, "0", key, "2"]
    assert [check["name"] for check in host["_checks"]] == ["backup", "rotate"]


def test_a_host_that_somebody_retired_is_registered_again_within_an_hour(mackerel: FakeMackerel) -> None:
    keeping = KeptHost(MemoryLedger(), HOST, mackerel.clock)
    first = keeping.host(channel(mackerel), {"backup"})
    InProcessApi(mackerel).call("POST", f"/hosts/{first}/retire", {})
    mackerel.clock.advance(HOUR)
    assert keeping.host(channel(mackerel), {"backup"}) != first


def test_a_host_that_is_refused_parks_the_lane_and_says_why(mackerel: FakeMackerel) -> None:
    mackerel.faults.add(Fault("status", status=400))
    with pytest.raises(TurnEnded) as ended:
        KeptHost(MemoryLedger(), HOST, mackerel.clock).host(channel(mackerel), {"backup"})
    assert ended.value.outcome is Verdict.PARK
    assert ended.value.answer is not None
    assert "Mackerel refuses the host" in ended.value.answer.message


def test_a_downtime_is_opened_once_and_closed_with_every_copy(mackerel: FakeMackerel) -> None:
    mackerel.faults.add(Fault("half-closed", times=1, method="POST"))
    with pytest.raises(TurnEnded):
        opened(Listing(channel(mackerel)), CUTOVER, JST)
    [key] = opened(Listing(channel(mackerel)), CUTOVER, JST)
    [made] = mackerel.org.downtimes.values()
    assert (made["id"], made["duration"], made["serviceScopes"]) == (key, 31, ["kuroshio"])
    InProcessApi(mackerel).call("POST", "/downtimes", {"name": "somebody else's", "start": NOON, "duration": 5})
    assert closed(Listing(channel(mackerel)), "execution-1") == 1
    assert closed(Listing(channel(mackerel)), "execution-1") == 0
    assert [entry["name"] for entry in mackerel.org.downtimes.values()] == ["somebody else's"]


def test_a_downtime_for_an_unknown_service_is_refused_with_the_reason(mackerel: FakeMackerel) -> None:
    with pytest.raises(RequestRefused, match="cut-over of orders"):
        opened(Listing(channel(mackerel)), Downtime("nobody", "e", "cut-over of orders", NOON, NOON + 60), JST)


@pytest.mark.parametrize(
    ("first", "last", "count"),
    [
        (SUNDAY + 20 * HOUR, SUNDAY + 30 * HOUR, 1),  # short: it may cross
        (SUNDAY - 2 * DAY, SUNDAY + DAY, 1),  # up to the border
        (SUNDAY, SUNDAY + 2 * DAY, 2),
        (SUNDAY + 20 * HOUR, SUNDAY + 20 * HOUR + DAY, 2),
        (SUNDAY - 3 * DAY, SUNDAY + 20 * DAY, 4),
        (SUNDAY - 6 * DAY, SUNDAY - 2 * DAY, 1),  # long, within a week
    ],
)
def test_no_piece_of_a_downtime_is_void_and_together_they_are_the_whole(first: int, last: int, count: int) -> None:
    cut = pieces(first, last, JST)
    assert len(cut) == count
    assert (cut[0][0], cut[-1][1]) == (first, last)
    assert all(before[1] == after[0] for before, after in itertools.pairwise(cut))
    assert [int(ends({"start": a, "duration": (b - a) // 60}, JST)) for a, b in cut] == [b for _, b in cut]


def test_a_downtime_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="ends before it begins"):
        pieces(NOON, NOON, JST)
