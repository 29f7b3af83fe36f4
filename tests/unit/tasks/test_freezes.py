"""When nothing may run, and what the next runs of a schedule are."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kuroshio.tasks.calendar.coming import Coming, changes, coming, doubtful
from kuroshio.tasks.calendar.freezes import DAYS, Freeze, Hours, why_frozen
from kuroshio.tasks.calendar.schedule import cron, once, rate, zone_of

BERLIN, TOKYO, LORD_HOWE = "Europe/Berlin", "Asia/Tokyo", "Australia/Lord_Howe"
WEEKEND = Freeze(days=frozenset({"sat", "sun"}), reason="weekend")
NIGHT = Freeze(days=frozenset({"fri"}), hours=Hours(time(22), time(6)))
NEW_YEAR = Freeze(since=date(2026, 12, 28), until=date(2027, 1, 4), reason="new year")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("freeze", "at", "why"),
    [
        # 00:00 on Saturday in Tokyo is Friday in UTC.
        (WEEKEND, "2026-11-20T15:00", "freeze: weekend (sat, sun)"),
        (WEEKEND, "2026-11-20T14:59", ""),
        (WEEKEND, "2026-11-22T15:00", ""),
        (NEW_YEAR, "2026-12-27T14:59", ""),
        (NEW_YEAR, "2026-12-27T15:00", "freeze: new year (2026-12-28 to 2027-01-04)"),
        (NEW_YEAR, "2027-01-04T14:59", "freeze: new year (2026-12-28 to 2027-01-04)"),
        (NEW_YEAR, "2027-01-04T15:00", ""),
        # Friday's night goes on until six on Saturday, and Thursday's is none.
        (NIGHT, "2026-11-20T12:59", ""),
        (NIGHT, "2026-11-20T13:00", "freeze: fri, 22:00-06:00"),
        (NIGHT, "2026-11-20T20:59", "freeze: fri, 22:00-06:00"),
        (NIGHT, "2026-11-20T21:00", ""),
        (NIGHT, "2026-11-19T20:00", ""),
        (Freeze(hours=Hours(time(9), time(17))), "2026-11-20T00:00", "freeze: 09:00-17:00"),
        (Freeze(hours=Hours(time(9), time(17))), "2026-11-20T08:00", ""),
        (Freeze(hours=Hours(time(18), time())), "2026-11-20T14:59", "freeze: 18:00-00:00"),
        (Freeze(hours=Hours(time(18), time())), "2026-11-20T15:00", ""),
        (Freeze(since=date(2026, 11, 20)), "2026-11-19T15:00", "freeze: from 2026-11-20"),
        (Freeze(until=date(2026, 11, 20)), "2026-11-20T15:00", ""),
    ],
)
def test_a_freeze_holds_by_the_clocks_of_the_zone(freeze: Freeze, at: str, why: str) -> None:
    assert why_frozen([freeze], utc(at), zone_of(TOKYO)) == why


def test_a_calendar_holds_while_ssm_says_that_it_is_closed() -> None:
    freeze = Freeze(calendar="quiet", reason="sales")
    assert why_frozen([freeze], utc("2026-11-20T00:00"), zone_of(TOKYO)) == ""
    assert why_frozen([freeze], utc("2026-11-20T00:00"), zone_of(TOKYO), {"quiet"}) == "freeze: sales (quiet)"


@given(
    days=st.frozensets(st.sampled_from(DAYS)),
    begin=st.times(),
    end=st.times(),
    at=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - a wall's
)
def test_every_moment_lies_in_some_hours_or_in_the_rest_of_the_day(
    days: frozenset[str], begin: time, end: time, at: datetime
) -> None:
    if begin == end:
        return
    inside, outside = Hours(begin, end), Hours(end, begin)
    assert (inside.day_of(at) is None) != (outside.day_of(at) is None)
    frozen = Freeze(days=days, hours=inside).holds(at)
    assert frozen <= Freeze(hours=inside).holds(at)


def shown(found: list[Coming]) -> list[str]:
    return [
        f"{each.wall:%m-%d %H:%M} {each.at.strftime('%H:%M') if each.at else '-'} {each.note}{each.frozen}".rstrip()
        for each in found
    ]


def test_the_next_runs_name_what_the_clocks_leap_over() -> None:
    assert shown(coming(cron("30 2 * * ? *", BERLIN), zone_of(BERLIN), utc("2027-03-27T00:00"), 3)) == [
        "03-27 02:30 01:30 the clocks change from UTC+1 to UTC+2 within the day after",
        "03-28 02:30 - the clocks leap over it: it does not run",
        "03-29 02:30 00:30 the clocks changed from UTC+1 to UTC+2 within the day before",
        "03-30 02:30 00:30",
    ]


def test_the_next_runs_name_what_the_clocks_show_twice() -> None:
    assert shown(coming(cron("30 2 * * ? *", BERLIN), zone_of(BERLIN), utc("2027-10-30T12:00"), 2)) == [
        "10-31 02:30 00:30 the clocks show it twice: it runs the first time only",
        "11-01 02:30 01:30",
    ]


def test_a_run_in_a_freeze_is_one_of_the_next_and_says_why_it_is_skipped() -> None:
    found = coming(cron("0 3 * * ? *", TOKYO), zone_of(TOKYO), utc("2026-11-20T00:00"), 3, [WEEKEND])
    assert shown(found) == [
        "11-21 03:00 18:00 freeze: weekend (sat, sun)",
        "11-22 03:00 18:00 freeze: weekend (sat, sun)",
        "11-23 03:00 18:00",
    ]


def test_a_yearly_run_that_never_comes_is_shown_all_the_same() -> None:
    found = coming(cron("30 2 28 3 ? 2027", BERLIN), zone_of(BERLIN), utc("2026-12-01T00:00"), 10)
    assert shown(found) == []  # no later run: nothing to stand before
    found = coming(cron("30 2 28 3 ? 2027-2028", BERLIN), zone_of(BERLIN), utc("2026-12-01T00:00"), 10)
    assert [each.split(" ", 2)[2] for each in shown(found)] == ["- the clocks leap over it: it does not run", "00:30"]


def test_a_rate_and_a_single_time_know_no_leap() -> None:
    now = utc("2027-03-28T00:10")
    assert [each.at for each in coming(rate("1 hour", now), zone_of(BERLIN), now, 2)] == [
        utc("2027-03-28T01:10"),
        utc("2027-03-28T02:10"),
    ]
    [only] = coming(once("2027-03-28 04:00", BERLIN), zone_of(BERLIN), now, 5)
    assert (only.at, doubtful(once("2027-03-28 04:00", BERLIN), now)) == (utc("2027-03-28T02:00"), [])


def test_a_time_is_doubtful_where_the_clocks_leap_over_it_or_show_it_twice() -> None:
    now = utc("2026-11-21T00:00")
    assert shown(doubtful(cron("30 2 * * ? *", BERLIN), now)) == [
        "03-28 02:30 - the clocks leap over it: it does not run",
        "10-31 02:30 00:30 the clocks show it twice: it runs the first time only",
    ]
    assert doubtful(cron("30 3 * * ? *", BERLIN), now) == []
    assert doubtful(cron("30 2 * * ? *", TOKYO), now) == []
    # Half an hour, in Australia alone.
    assert [each.wall.hour for each in doubtful(cron("15 2 * * ? *", LORD_HOWE), now)] == [2]
    assert [each.wall.hour for each in doubtful(cron("45 1 * * ? *", LORD_HOWE), now)] == [1]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tokyo"]),
    st.dates(date(2026, 1, 1), date(2030, 1, 1)),
)
def test_the_hours_of_changes_are_all_there_are(name: str, day: date) -> None:
    """Held against every quarter of an hour of a month."""
    zone, begin = zone_of(name), datetime(day.year, day.month, day.day, tzinfo=UTC)
    quarters = [begin + number * timedelta(minutes=15) for number in range(30 * 96)]
    offsets = [quarter.astimezone(zone).utcoffset() for quarter in quarters]
    changed = [at for at, before, now in zip(quarters[1:], offsets, offsets[1:], strict=False) if before != now]
    hours = list(islice(changes(zone, day.isoformat()), len(changed)))
    assert all(hour < at <= hour + timedelta(hours=1) for hour, at in zip(hours, changed, strict=True))
