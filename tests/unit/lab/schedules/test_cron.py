"""Cron against the documents' own examples, and against a walk over every minute that knows nothing of the parser."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import islice

import pytest

from lab.schedules.cron import Cron, InvalidCron

SEED = 20261121


def runs(text: str, after: str, count: int = 3) -> list[str]:
    found = Cron.parse(text).after(datetime.fromisoformat(after))
    return [f"{one:%Y-%m-%dT%H:%M}" for one in islice(found, count)]


# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html; 2026-01-01 is a Thursday.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 10 * * ? *", ["2026-01-01T10:00", "2026-01-02T10:00", "2026-01-03T10:00"]),
        ("15 12 * * ? *", ["2026-01-01T12:15", "2026-01-02T12:15", "2026-01-03T12:15"]),
        ("0 18 ? * MON-FRI *", ["2026-01-01T18:00", "2026-01-02T18:00", "2026-01-05T18:00"]),
        ("0 8 1 * ? *", ["2026-01-01T08:00", "2026-02-01T08:00", "2026-03-01T08:00"]),
        ("0/15 * * * ? *", ["2026-01-01T00:15", "2026-01-01T00:30", "2026-01-01T00:45"]),
        ("0/10 * ? * MON-FRI *", ["2026-01-01T00:10", "2026-01-01T00:20", "2026-01-01T00:30"]),
        ("0/5 8-17 ? * MON-FRI *", ["2026-01-01T08:00", "2026-01-01T08:05", "2026-01-01T08:10"]),
        ("0/30 20-2 ? * MON-FRI *", None),  # written as two rules in the documents
        ("0/30 20-23 ? * MON-FRI *", ["2026-01-01T20:00", "2026-01-01T20:30", "2026-01-01T21:00"]),
        ("1/10 * * * ? *", ["2026-01-01T00:01", "2026-01-01T00:11", "2026-01-01T00:21"]),
        ("0 0 3W * ? *", ["2026-01-02T00:00", "2026-02-03T00:00", "2026-03-03T00:00"]),
        ("0 0 ? * 3#2 *", ["2026-01-13T00:00", "2026-02-10T00:00", "2026-03-10T00:00"]),
        ("15 10 ? * 6L 2022-2023", []),
        ("15 10 ? * 6L 2026-2027", ["2026-01-30T10:15", "2026-02-27T10:15", "2026-03-27T10:15"]),
        ("0 0 L * ? *", ["2026-01-31T00:00", "2026-02-28T00:00", "2026-03-31T00:00"]),
        ("0 0 ? * L *", ["2026-01-03T00:00", "2026-01-10T00:00", "2026-01-17T00:00"]),
        ("0 0 ? JAN,MAR TUE#1 *", ["2026-01-06T00:00", "2026-03-03T00:00", "2027-01-05T00:00"]),
        ("0 12 29 2 ? *", ["2028-02-29T12:00", "2032-02-29T12:00", "2036-02-29T12:00"]),
        # taken by the service, and refused by another emulator: localstack/localstack issue 13572
        ("0-15/1 8-8 ? * 2,3,4,5,6,7 *", ["2026-01-01T08:00", "2026-01-01T08:01", "2026-01-01T08:02"]),
        ("1-31/30 1-1 ? * 1,7 *", ["2026-01-03T01:01", "2026-01-03T01:31", "2026-01-04T01:01"]),
    ],
)
def test_the_documented_examples_run_when_the_documents_say(text: str, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(InvalidCron, match="backwards"):
            Cron.parse(text)
    else:
        assert runs(text, "2026-01-01T00:00") == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("0 10 * * *", "six fields"),
        ("0 10 * * * *", "exactly one"),
        ("0 10 ? * ? *", "exactly one"),
        ("0 10 1 * MON *", "exactly one"),
        ("60 10 * * ? *", "minutes: 60"),
        ("0 24 * * ? *", "hours: 24"),
        ("0 0 0 * ? *", "day-of-month: 0"),
        ("0 0 32 * ? *", "day-of-month: 32"),
        ("0 0 1 13 ? *", "month: 13"),
        ("0 0 ? * 0 *", "day-of-week: 0"),
        ("0 0 ? * 8 *", "day-of-week: 8"),
        ("15 12 ? * -1 *", "day-of-week"),
        ("0 0 ? * 3#6 *", "which one"),
        ("0 0 ? * 3#1,6#3 *", "day-of-week"),
        ("0 0 ? * MON#x *", "which one"),
        ("0#1 0 * * ? *", "minutes"),
        ("0 0 15W-17 * ? *", "day-of-month"),
        ("0 0 ? * 3W *", "day-of-week"),
        ("0 0 32W * ? *", "day-of-month: 32"),
        ("*/0 * * * ? *", "step"),
        ("*/x * * * ? *", "step"),
        ("0,,5 * * * ? *", "minutes"),
        ("0/5, 9-18, ?, *, MON-FRI, *", "exactly one"),
        ("0 0 1 FOO ? *", "month"),
        ("0 0 1 * ? 1969", "year"),
    ],
)
def test_what_no_schedule_can_mean_is_refused_with_the_field_at_fault(text: str, reason: str) -> None:
    with pytest.raises(InvalidCron, match=reason):
        Cron.parse(text)


def test_a_weekday_near_the_edge_of_a_month_stays_in_the_month() -> None:
    # 1 August 2026 is a Saturday, 31 May 2026 a Sunday
    assert runs("0 0 1W 8 ? *", "2026-01-01T00:00", 1) == ["2026-08-03T00:00"]
    assert runs("0 0 31W 5 ? *", "2026-01-01T00:00", 1) == ["2026-05-29T00:00"]
    assert runs("0 0 LW 5 ? *", "2026-01-01T00:00", 1) == ["2026-05-29T00:00"]
    assert runs("0 0 31W 2 ? *", "2026-01-01T00:00", 1) == []


def test_what_never_runs_says_so_and_what_runs_in_a_hundred_years_is_found() -> None:
    assert runs("0 0 31 2,4,6,9,11 ? *", "2026-01-01T00:00") == []
    assert runs("59 23 31 12 ? 2199", "2026-01-01T00:00") == ["2199-12-31T23:59"]


# The oracle ------------------------------------------------------------------------------------------------------------


def matches(moment: datetime, fields: list[str]) -> bool:
    """Whether a minute meets every field, asked the other way round: of the minute, not of the expression."""
    minute, hour, day, month, weekday, year = fields
    return (
        listed(minute, moment.minute, 0, 59)
        and listed(hour, moment.hour, 0, 23)
        and listed(month, moment.month, 1, 12)
        and listed(year, moment.year, 1970, 2199)
        and (day == "?" or day_matches(moment, day))
        and (weekday == "?" or weekday_matches(moment, weekday))
    )


def listed(text: str, value: int, lowest: int, highest: int) -> bool:
    for part in text.split(","):
        stem, _, step = part.partition("/")
        low, _, high = ("*", "", "") if stem == "*" else stem.partition("-")
        begin = lowest if low == "*" else int(low)
        end = int(high) if high else (highest if step or low == "*" else begin)
        if begin <= value <= end and (value - begin) % int(step or 1) == 0:
            return True
    return False


def is_last_day(moment: datetime) -> bool:
    return (moment + timedelta(days=1)).month != moment.month


def day_matches(moment: datetime, text: str) -> bool:
    if text == "L":
        return is_last_day(moment)
    if not text.endswith("W"):
        return listed(text, moment.day, 1, 31)
    try:
        target = moment.replace(day=int(text[:-1]))
    except ValueError:
        return False
    month = [target + timedelta(days=n) for n in (0, -1, 1, -2, 2)]  # by distance
    return next(d for d in month if d.month == target.month and d.weekday() < 5).date() == moment.date()


def weekday_matches(moment: datetime, text: str) -> bool:
    number = int(moment.strftime("%w")) + 1
    if text == "L":
        return number == 7
    if text.endswith("L"):
        return number == int(text[:-1]) and (moment + timedelta(days=7)).month != moment.month
    if "#" in text:
        wanted, nth = (int(part) for part in text.split("#"))
        return number == wanted and (moment.day - 1) // 7 + 1 == nth
    return listed(text, number, 1, 7)


def any_field(draw: random.Random, lowest: int, highest: int) -> str:
    low, high = sorted(draw.choices(range(lowest, highest + 1), k=2))
    return draw.choice(
        ["*", str(low), f"{low}-{high}", f"{low}/{draw.randint(1, 30)}", f"{low},{high}", f"*/{low + 1}"]
    )


def any_expression(draw: random.Random) -> str:
    day = draw.choice([any_field(draw, 1, 31), "L", f"{draw.randint(1, 31)}W"])
    weekday = draw.choice(
        [any_field(draw, 1, 7), "L", f"{draw.randint(1, 7)}L", f"{draw.randint(1, 7)}#{draw.randint(1, 5)}"]
    )
    days = (day, "?") if draw.random() < 0.5 else ("?", weekday)
    year = draw.choice(["*", "2026", "2026-2027", "2027/2"])
    return " ".join([any_field(draw, 0, 59), any_field(draw, 0, 23), days[0], any_field(draw, 1, 12), days[1], year])


def walk(start: datetime, days: int, text: str) -> list[datetime]:
    fields = text.split()
    minutes = (start + timedelta(minutes=n) for n in range(1, days * 1440 + 1))
    return [moment for moment in minutes if matches(moment, fields)]


def agrees(draw: random.Random, days: int) -> None:
    text, start = (
        any_expression(draw),
        datetime(2026, draw.randint(1, 12), draw.randint(1, 28), draw.randint(0, 23), 59),  # noqa: DTZ001 - wall-clock time
    )
    expected = walk(start, days, text)
    end = start + timedelta(days=days)
    found = [one for one in islice(Cron.parse(text).after(start), len(expected) + 1) if one <= end]
    assert found == expected, (text, start)


def test_the_next_runs_are_those_of_a_walk_over_every_minute() -> None:
    draw = random.Random(SEED)  # noqa: S311 - no secrets are drawn here
    for _ in range(40):
        agrees(draw, days=9)


@pytest.mark.search
def test_many_expressions_agree_with_the_walk_over_a_month() -> None:
    draw = random.Random(SEED + 1)  # noqa: S311
    for _ in range(50):
        agrees(draw, days=31)
