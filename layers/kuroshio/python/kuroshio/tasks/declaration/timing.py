"""When a task runs, and when not."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from kuroshio.errors import InvalidRequest
from kuroshio.tasks.calendar.freezes import DAYS, Freeze, Hours
from kuroshio.tasks.calendar.schedule import zone_of
from kuroshio.tasks.declaration import fields
from kuroshio.tasks.declaration.model import Timing, Window

if TYPE_CHECKING:
    from datetime import datetime

    from kuroshio.changes.places import Place
    from kuroshio.tasks.declaration.fields import Problems

KINDS = ("cron", "rate", "once")
# Old names (Japan, US/Pacific) are on some machines and not on others, and not in the functions' image.
_AREAS = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific"
_zone = fields.matching(
    rf"UTC|({_AREAS})/[A-Za-z0-9_+/-]{{1,40}}", "a time zone's name such as Asia/Tokyo, Europe/Berlin or UTC"
)
_LONGEST = 256  # characters, for SSM and for Scheduler
_EXPECTED = {
    "cron": "a cron expression such as 0 3 * * ? *",
    "rate": "a rate such as 1 hour",
    "once": "a time that is yet to come, such as 2026-11-22 23:00",
}
_FIELDS_WITH_SECONDS = 7
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_HOURS = re.compile(rf"(?P<begin>{_CLOCK})-(?P<end>{_CLOCK}|24:00)")
_hours_of_a_window = fields.whole(1, 24, " of hours")
_cutoff = fields.whole(0, 23, " of hours")
_minutes = fields.whole(5, 1_440, " of minutes")
_calendar = fields.matching(
    r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:document/[a-zA-Z0-9_.-]{3,128}|[a-zA-Z0-9_.-]{3,128}",
    "the name or ARN of an SSM Change Calendar",
)


def zone(place: Place) -> str:
    """The name of a time zone."""
    name = _zone(place)
    try:
        return zone_of(name).key
    except InvalidRequest as error:
        raise place.refused(f"a time zone that there is ({error})") from None


def at(place: Place, zone: str, problems: Problems, now: datetime) -> Timing | None:
    """When it is due. In a zone that is not known, only what needs none is judged."""
    given = problems.keys(place, KINDS)
    kind = problems.one_of(place, given, KINDS)
    return problems.read(given.get(kind), lambda value: _timing(value, kind, zone or "UTC", now), None)


def _timing(place: Place, kind: str, zone: str, now: datetime) -> Timing:
    text = " ".join(place.text(_EXPECTED[kind]).split())
    if len(text) > _LONGEST:
        raise place.refused(f"{_EXPECTED[kind]}, of at most {_LONGEST} characters")
    if kind == "cron":
        text = _without_seconds(place, text)
    timing = Timing(kind, text.replace("T", " ") if kind == "once" else text, zone)
    try:
        first = next(timing.schedule(now).after(now), None)
    except (InvalidRequest, OverflowError) as error:
        raise place.refused(f"{_EXPECTED[kind]} ({error})") from None
    if first is None:
        raise place.refused(f"{_EXPECTED[kind]} (it never comes after {now:%Y-%m-%d %H:%M} UTC)")
    return timing


def _without_seconds(place: Place, text: str) -> str:
    """A window takes a field of seconds before the six. Everything here is by the minute."""
    parts = text.split()
    if len(parts) != _FIELDS_WITH_SECONDS:
        return text
    if parts[0] != "0":
        raise place.refused("a cron expression whose seconds, the first of seven fields, are 0")
    return " ".join(parts[1:])


def window(place: Place, problems: Problems) -> Window | None:
    """How long a run has."""
    given = problems.keys(place, ("hours", "minutes", "cutoff"))
    kind = problems.one_of(place, given, ("hours", "minutes"))
    if "cutoff" in given and kind == "minutes":
        problems.refuse(given["cutoff"], "no cutoff beside minutes: it is counted in hours")
    hours = problems.read(given.get("hours"), _hours_of_a_window, 0)
    minutes = problems.read(given.get("minutes"), _minutes, 0)
    cutoff = problems.read(given.get("cutoff"), _cutoff, 0)
    if hours and cutoff >= hours:
        problems.refuse(given["cutoff"], f"less than the {hours} hours of the window: nothing could begin in it")
    return Window(timedelta(hours=hours, minutes=minutes), timedelta(hours=cutoff)) if hours or minutes else None


def freezes(place: Place, problems: Problems) -> tuple[Freeze, ...]:
    """When nothing may run."""
    items = problems.read(place, lambda here: here.items("a list of freezes"), ())
    if len(items) > fields.MOST_ENTRIES:
        problems.refuse(place, f"at most {fields.MOST_ENTRIES} freezes, not {len(items)}")
        return ()
    return tuple(_freeze(item, problems) for item in items)


def _freeze(place: Place, problems: Problems) -> Freeze:
    given = problems.keys(place, ("days", "from", "to", "hours", "calendar", "reason"))
    rules = given.keys() - {"reason"}
    if not rules and isinstance(place.value, dict):
        problems.refuse(place, "a mapping with at least one of: days, from, to, hours, calendar")
    if "calendar" in rules and len(rules) > 1:
        problems.refuse(given["calendar"], "a calendar alone: SSM says when it is closed")
    days = fields.texts(lambda day: day.one_of(*DAYS), f"a list of days: {', '.join(DAYS)}", len(DAYS))
    found = Freeze(
        frozenset(problems.read(given.get("days"), days, ())),
        problems.read(given.get("from"), fields.day, None),
        problems.read(given.get("to"), fields.day, None),
        problems.read(given.get("hours"), _hours, None),
        problems.read(given.get("calendar"), _calendar, ""),
        problems.read(given.get("reason"), lambda reason: reason.text("a text"), ""),
    )
    if found.since and found.until and found.until < found.since:
        problems.refuse(given["to"], f"a date that is not before {found.since}")
    return found


def _hours(place: Place) -> Hours:
    expected = "hours such as 22:00-06:00"
    found = _HOURS.fullmatch(place.text(expected))
    if found is None or found["begin"] == found["end"]:
        raise place.refused(expected)
    return Hours(fields.clock(found["begin"]), fields.clock(found["end"]))
