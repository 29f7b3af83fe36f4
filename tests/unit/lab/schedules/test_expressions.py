"""What both services take and refuse, and what time zones, summer time, start and end dates do to a schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from lab.schedules import InvalidExpression, Recurrence, parse_rule, parse_schedule

BORN = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def upcoming(expression: str, zone: str, after: str, count: int = 3, **period: datetime) -> list[str]:
    found = Recurrence(parse_schedule(expression, zone), BORN, **period).upcoming(at(after), count)
    return [f"{one:%Y-%m-%dT%H:%M:%S}" for one in found]


# Refusals as they were seen at the service: LocalStack's tests marked "validated" (tests/aws/services/events).
@pytest.mark.parametrize(
    "text",
    [
        *("rate(10 seconds)", "rate(10 years)", "rate(1 minutes)", "rate(1 hours)", "rate(1 days)", "rate(10 minute)"),
        *("rate(10 hour)", "rate(10 day)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)"),
        *("rate(0 minutes)", "rate(-10 minutes)", "rate(10 MINUTES)", "rate( 10 minutes )", " rate(10 minutes)"),
        *("at(2026-11-21T10:00:00)", "cron(0 10 * * *)", "cron(0 10 * * * *)", "", "0 10 * * ? *"),
    ],
)
def test_a_rule_refuses_what_the_service_refuses(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse_rule(text)


@pytest.mark.parametrize(
    "text",
    ["rate(1 second)", "rate(0 hours)", "at(2026-02-30T10:00:00)", "at(2026-11-21 10:00:00)", "cron(0 24 * * ? *)"],
)
def test_scheduler_refuses_what_has_no_meaning(text: str) -> None:
    with pytest.raises(InvalidExpression):
        parse_schedule(text)


@pytest.mark.parametrize("zone", ["Asia/Tokio", "JST", "+09:00", "asia/tokyo"])
def test_scheduler_refuses_a_zone_that_is_none_of_ianas(zone: str) -> None:
    with pytest.raises(InvalidExpression, match="time zone"):
        parse_schedule("rate(1 hour)", zone)


def test_a_rule_first_runs_one_interval_after_it_was_made_and_a_schedule_at_once() -> None:
    rule = Recurrence(parse_rule("rate(5 minutes)"), BORN)
    just_before = BORN - timedelta(microseconds=1)

    assert rule.next_after(just_before) == BORN + timedelta(minutes=5)
    assert rule.next_after(BORN + timedelta(minutes=5)) == BORN + timedelta(minutes=10)
    assert upcoming("rate(5 minutes)", "UTC", "2026-01-01T12:00:29", 2) == [
        "2026-01-01T12:00:30",
        "2026-01-01T12:05:30",
    ]


def test_a_start_date_is_the_first_run_of_a_rate_and_an_end_date_is_the_last_that_can_be() -> None:
    period = {"start": at("2026-03-01T00:00"), "end": at("2026-03-01T02:00")}

    assert upcoming("rate(1 hour)", "UTC", "2026-01-01T13:00", 9, **period) == [
        "2026-03-01T00:00:00",
        "2026-03-01T01:00:00",
        "2026-03-01T02:00:00",
    ]
    assert upcoming("cron(30 * * * ? *)", "UTC", "2026-01-01T13:00", 9, **period) == [
        "2026-03-01T00:30:00",
        "2026-03-01T01:30:00",
    ]


def test_at_ignores_start_and_end_dates_and_runs_once() -> None:
    period = {"start": at("2027-01-01T00:00"), "end": at("2027-02-01T00:00")}

    assert upcoming("at(2026-11-20T13:00:00)", "America/Denver", "2026-01-01T12:00", **period) == [
        "2026-11-20T20:00:00"
    ]
    assert upcoming("at(2026-11-20T13:00:00)", "America/Denver", "2026-11-20T20:00") == []


def test_a_time_that_summer_time_skips_does_not_run_that_day() -> None:
    # New York puts its clocks forward at 02:00 on 8 March 2026
    assert upcoming("cron(30 2 * * ? *)", "America/New_York", "2026-03-06T12:00") == [
        "2026-03-07T07:30:00",
        "2026-03-09T06:30:00",
        "2026-03-10T06:30:00",
    ]


def test_a_time_that_is_repeated_runs_once_whenever_it_is_asked() -> None:
    # and back at 02:00 on 1 November 2026: 01:30 happens at 05:30 and at 06:30 UTC
    expected = ["2026-11-01T05:30:00", "2026-11-02T06:30:00"]

    assert upcoming("cron(30 1 * * ? *)", "America/New_York", "2026-10-31T12:00", 2) == expected
    assert upcoming("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T05:30", 1) == expected[1:]
    assert upcoming("cron(30 1 * * ? *)", "America/New_York", "2026-11-01T06:10", 1) == expected[1:]


def test_every_hour_of_a_year_with_both_changes_runs_but_the_repeated_one() -> None:
    found = Recurrence(parse_schedule("cron(0 * * * ? *)", "Europe/Berlin"), BORN).upcoming(
        at("2025-12-31T22:30"), 9000
    )
    year = [one for one in found if one < at("2026-12-31T23:00")]

    # 8,760 hours pass; the hour that March lacks never was one, the one that October repeats counts once
    assert len(year) == len(set(year)) == 8760 - 1
    gaps = {b - a for a, b in pairwise(year)}
    assert gaps == {timedelta(hours=1), timedelta(hours=2)}


def test_a_rate_of_a_day_counts_24_hours_whatever_the_clocks_do() -> None:
    period = {"start": at("2026-03-07T12:00")}

    found = upcoming("rate(1 days)", "America/New_York", "2026-03-07T11:00", **period)

    assert found == ["2026-03-07T12:00:00", "2026-03-08T12:00:00", "2026-03-09T12:00:00"]
