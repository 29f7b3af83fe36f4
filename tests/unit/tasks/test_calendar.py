from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kuroshio.errors import InvalidRequest
from kuroshio.tasks.calendar.schedule import cron, described, once, rate, zone_of
from lab.schedules import parse_schedule
from lab.schedules.expressions import InvalidExpression

BERLIN, TOKYO, NEW_YORK, LORD_HOWE = "Europe/Berlin", "Asia/Tokyo", "America/New_York", "Australia/Lord_Howe"
ZONES = (BERLIN, TOKYO, NEW_YORK, LORD_HOWE, "UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def dues(text: str, zone: str, since: str, count: int) -> list[str]:
    return [f"{due:%Y-%m-%d %H:%M}" for due in islice(cron(text, zone).after(utc(since)), count)]


def test_an_hour_that_the_clocks_leap_over_does_not_run_and_is_named() -> None:
    assert dues("30 2 * * ? *", BERLIN, "2026-03-28T00:00", 3) == [
        "2026-03-28 01:30",
        "2026-03-30 00:30",
        "2026-03-31 00:30",
    ]
    [leapt] = cron("30 2 * * ? *", BERLIN).leapt_over(utc("2026-03-28T00:00"), utc("2026-03-31T00:00"))
    assert leapt.isoformat() == "2026-03-29T02:30:00"


def test_an_hour_that_comes_twice_runs_once_and_the_first_time() -> None:
    assert dues("30 2 * * ? *", BERLIN, "2026-10-24T12:00", 2) == ["2026-10-25 00:30", "2026-10-26 01:30"]
    # Asked in between, the one that ran is over.
    assert dues("30 2 * * ? *", BERLIN, "2026-10-25T00:45", 1) == ["2026-10-26 01:30"]


def test_a_time_of_the_team_is_nine_hours_earlier_in_utc() -> None:
    assert once("2026-11-22 23:00", TOKYO).at == utc("2026-11-22T14:00")


@pytest.mark.parametrize(
    ("text", "zone", "says"),
    [
        ("2026-03-29 02:30", BERLIN, "leap over it"),
        ("2026-10-25 02:30", BERLIN, "comes twice"),
        ("tomorrow", BERLIN, "is no time"),
        ("2026-02-30 10:00", BERLIN, "is no time"),
        ("2026-11-22 23:00", "Asia/Tokio", "no time zone 'Asia/Tokio'"),
    ],
)
def test_a_time_that_nobody_can_know_is_refused(text: str, zone: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        once(text, zone)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("* * * * *", "has 5 fields"),
        ("0 3 * * * *", "must be \\?"),
        ("0 3 ? * ? *", "must be \\?"),
        ("60 3 * * ? *", "minutes: '60'"),
        ("0 25 * * ? *", "hours: '25'"),
        ("0 3 ? * MON#6 *", "day-of-week"),
        ("0 3 ? * MON#1,TUE#2 *", "day-of-week"),
        ("0 3 32 * ? *", "day-of-month: '32'"),
        ("0 3 1 FOO ? *", "month: 'FOO'"),
        ("5-1 3 1 * ? *", "minutes: '5-1'"),
        ("*/0 3 1 * ? *", "minutes: '\\*/0'"),
    ],
)
def test_a_wrong_expression_is_refused_by_its_field(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        cron(text, TOKYO)


def test_rates_count_hours_and_not_the_clocks() -> None:
    every = rate("12 hours", utc("2026-03-28T00:00"))
    assert list(islice(every.after(utc("2026-03-28T13:00")), 2)) == [utc("2026-03-29T00:00"), utc("2026-03-29T12:00")]
    for wrong in ("1 hours", "2 hour", "0 minutes", "5 weeks", ""):
        with pytest.raises(InvalidRequest):
            rate(wrong, utc("2026-01-01T00:00"))


def test_a_change_of_the_clocks_is_marked_on_both_sides() -> None:
    zone = zone_of(BERLIN)
    assert described(utc("2026-10-24T12:00"), zone).note == "the clocks change from UTC+2 to UTC+1 within the day after"
    assert (
        described(utc("2026-10-25T12:00"), zone).note == "the clocks changed from UTC+2 to UTC+1 within the day before"
    )
    assert described(utc("2026-10-28T12:00"), zone).note == ""
    assert "UTC+10:30" in described(utc("2026-10-04T02:00"), zone_of(LORD_HOWE)).note


def field(low: int, high: int) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    part = st.one_of(
        st.just("*"),
        number.map(str),
        st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}"),
        st.tuples(number, st.integers(1, 20)).map(lambda pair: f"{pair[0]}/{pair[1]}"),
        st.integers(1, 20).map(lambda step: f"*/{step}"),
    )
    return st.lists(part, min_size=1, max_size=3).map(",".join)


DAY = st.one_of(field(1, 31), st.just("L"), st.just("LW"), st.integers(1, 31).map(lambda day: f"{day}W"))
WEEKDAY = st.one_of(
    field(1, 7),
    st.just("L"),
    st.sampled_from(["MON", "TUE-FRI", "SUN,SAT", "6L", "FRIL"]),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(lambda pair: f"{pair[0]}#{pair[1]}"),
)
EXPRESSION = st.builds(
    lambda minutes, hours, days, months: f"{minutes} {hours} {days[0]} {months} {days[1]} *",
    field(0, 59),
    field(0, 23),
    st.one_of(DAY.map(lambda day: (day, "?")), WEEKDAY.map(lambda day: ("?", day))),
    field(1, 12),
)


MOMENT = st.integers(0, 4 * 366 * 24 * 60).map(lambda minutes: utc("2025-01-01T00:00") + timedelta(minutes=minutes))


@pytest.mark.search
@given(EXPRESSION, st.sampled_from(ZONES), MOMENT)
def test_the_lab_whose_calendar_is_another_one_agrees(text: str, zone: str, moment: datetime) -> None:
    try:
        theirs = parse_schedule(f"cron({text})", zone)
    except InvalidExpression:
        with pytest.raises(InvalidRequest):
            cron(text, zone)
        return
    until = moment + timedelta(days=500)
    ours = takewhile(lambda due: due <= until, cron(text, zone).after(moment))
    lab = takewhile(lambda due: due <= until, theirs.after(moment, moment))
    assert list(islice(ours, 60)) == list(islice(lab, 60))


@given(EXPRESSION, st.sampled_from(ZONES), MOMENT)
def test_due_times_rise_and_the_clocks_show_what_was_asked_for(text: str, zone: str, moment: datetime) -> None:
    schedule = cron(text, zone)
    found = list(islice(schedule.after(moment), 30))
    assume(found)
    assert found == sorted(set(found))
    minutes = {wall.astimezone(zone_of(zone)).strftime("%H:%M") for wall in found}
    assert minutes <= {f"{hour:02}:{minute:02}" for hour, minute in schedule.cron.times}
