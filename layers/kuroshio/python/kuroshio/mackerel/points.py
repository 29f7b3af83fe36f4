"""What a writer says: a point of a service metric, a check report, an annotation. Each is judged where it is made."""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, SupportsFloat

from kuroshio.errors import InvalidRequest
from kuroshio.mackerel.names import metric_name

MINUTE = 60
DAY = 24 * 3600
# A clock may be ahead of ours by so much; what is later than that is a mistake, and Mackerel documents nothing about it.
AHEAD = 600
_MILLISECONDS = 100_000_000_000  # as seconds, this is the year 5138
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,62}")
LONGEST_MESSAGE = 1023  # characters: Mackerel's bound is "less than 1024"
_LONGEST_TITLE, _LONGEST_DESCRIPTION = 250, 1024
_LONGEST_KEY = 80  # characters; a cell keeps the keys of all its contributions
_STATUSES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")
_CHECK = re.compile(r"[a-zA-Z0-9_-]+")


class Combine(StrEnum):
    """How the points of one name and minute become one value: Mackerel keeps one, and the last one posted wins."""

    SUM = "sum"
    LAST = "last"
    MAX = "max"


@dataclass(frozen=True)
class Point:
    """One contribution to a service metric in one minute. The same ``key`` is counted once, however often it arrives.

    ``floating``: the time is that of the writer's own clock, so a retry of the same work says another one; the first
    time that arrived under this key is then the one that counts.
    """

    service: str
    name: str
    time: int  # epoch seconds
    value: float
    combine: Combine
    key: str
    floating: bool = False

    @property
    def minute(self) -> int:
        """The minute that Mackerel will keep it under, in epoch seconds."""
        return self.time // MINUTE * MINUTE


@dataclass(frozen=True)
class Report:
    """The result of a check. Mackerel knows it again by name and time, so the time must not change in a retry."""

    name: str
    status: str
    message: str
    occurred_at: int  # epoch seconds
    notification_interval: int | None = None  # minutes after which an open alert is notified of again

    def posted(self, host: str) -> dict[str, Any]:
        """As Mackerel's API takes it from a host."""
        document = {
            "source": {"type": "host", "hostId": host},
            "name": self.name,
            "status": self.status,
            "message": self.message,
            "occurredAt": self.occurred_at,
        }
        interval = self.notification_interval
        return document if interval is None else document | {"notificationInterval": interval}


@dataclass(frozen=True)
class Annotation:
    """A span on the graphs of a service. ``marker`` is what it is about (an execution), and is written into it."""

    service: str
    marker: str
    title: str
    first: int  # epoch seconds
    last: int | None = None  # none while it has not ended
    description: str = ""


def point(
    service: str,
    name: str,
    value: SupportsFloat,
    *,
    at: float,
    now: float,
    combine: str,
    key: str,
    floating: bool = False,
) -> Point:
    """A point that Mackerel will keep. The name is sanitised.

    Raises InvalidRequest for what Mackerel would refuse, drop or misplace: NaN and infinities, a time in milliseconds,
    one more than ten minutes ahead of ``now`` or more than a day behind it, an impossible service name.
    """
    where = f"metric {name!r:.80} of service {service!r:.80}"
    if not isinstance(name, str) or not isinstance(service, str):
        raise InvalidRequest(f"{where}: both names are text")
    if not _SERVICE.fullmatch(service):
        raise InvalidRequest(
            f"{where}: a service name has 2 to 63 of A-Z a-z 0-9 _ - and begins with a letter or digit"
        )
    if not name:
        raise InvalidRequest(f"{where}: the name is empty")
    if len(key) > _LONGEST_KEY:
        raise InvalidRequest(f"{where}: the key has {len(key)} characters; {_LONGEST_KEY} are the most")
    if combine not in set(Combine):
        raise InvalidRequest(f"{where}: combine is one of {', '.join(Combine)}, not {combine!r}")
    return Point(
        service, metric_name(name), moment(where, at, now), _value(where, value), Combine(combine), key, floating
    )


def report(
    name: str,
    status: str,
    message: str,
    *,
    occurred_at: float,
    now: float,
    notification_interval: int | None = None,
) -> Report:
    """A check report; a message that is too long is cut in its middle. Raises InvalidRequest as ``point`` does."""
    where = f"check {name!r:.80}"
    if not isinstance(name, str) or not isinstance(message, str):
        raise InvalidRequest(f"{where}: its name and its message are text")
    if not _CHECK.fullmatch(name):
        raise InvalidRequest(f"{where}: a check's name has only A-Z a-z 0-9 _ -")
    if status not in _STATUSES:
        raise InvalidRequest(f"{where}: the status is one of {', '.join(_STATUSES)}, not {status!r}")
    interval = notification_interval
    if interval is not None and (isinstance(interval, bool) or not isinstance(interval, int) or interval < 0):
        raise InvalidRequest(f"{where}: the notification interval is a number of minutes, not {interval!r:.80}")
    return Report(name, status, shortened(message, LONGEST_MESSAGE), moment(where, occurred_at, now), interval)


def annotation(
    service: str, marker: str, title: str, *, first: float, last: float | None, now: float, description: str = ""
) -> Annotation:
    """An annotation; texts that are too long are cut. Raises InvalidRequest as ``point`` does, and where it ends first."""
    where = f"annotation {title!r:.80}"
    if not isinstance(title, str) or not isinstance(description, str):
        raise InvalidRequest(f"{where}: its title and its description are text")
    if not _SERVICE.fullmatch(service):
        raise InvalidRequest(f"{where}: {service!r:.80} is no service name")
    if not 0 < len(marker) <= _LONGEST_KEY * 10:
        raise InvalidRequest(f"{where}: the marker has {len(marker)} characters; 1 to {_LONGEST_KEY * 10} are allowed")
    begins = moment(where, first, now, oldest=math.inf)
    ends = None if last is None else moment(where, last, now, oldest=math.inf)
    if ends is not None and ends < begins:
        raise InvalidRequest(f"{where}: it ends ({ends}) before it begins ({begins})")
    room = _LONGEST_DESCRIPTION - len(marked(marker)) - 1
    return Annotation(service, marker, shortened(title, _LONGEST_TITLE), begins, ends, shortened(description, room))


def marked(marker: str) -> str:
    """The text in an annotation's description by which it is found again: Mackerel has no idempotency key."""
    return f"[kuroshio:{digest(marker)}]"


def digest(*parts: Any) -> str:
    """A short key that is the same for the same parts, in every process."""
    return hashlib.sha256("\0".join(str(part) for part in parts).encode(errors="surrogatepass")).hexdigest()[:20]


def shortened(text: str, most: int) -> str:
    """The text, or its head and tail with an ellipsis between: an error's end says as much as its beginning."""
    if len(text) <= most:
        return text
    head = (most - 3) // 2
    return f"{text[:head]}...{text[len(text) - (most - 3 - head) :]}"


def is_service(name: object) -> bool:
    """Whether Mackerel can have a service of this name."""
    return isinstance(name, str) and _SERVICE.fullmatch(name) is not None


def moment(where: str, at: float, now: float, *, oldest: float = DAY, ahead: float = AHEAD) -> int:
    """The time in whole epoch seconds. Raises InvalidRequest, saying ``where``, for what is none or lies too far from ``now``."""
    if isinstance(at, bool) or not isinstance(at, int | float) or not math.isfinite(at):
        raise InvalidRequest(f"{where}: the time is epoch seconds, not {at!r:.80}")
    if at >= _MILLISECONDS:
        raise InvalidRequest(f"{where}: the time {at:.0f} looks like milliseconds; Mackerel wants seconds")
    if at > now + ahead:
        raise InvalidRequest(f"{where}: the time {at:.0f} is {at - now:.0f} s in the future")
    if at < 0 or now - at > oldest:
        raise InvalidRequest(
            f"{where}: the time {at:.0f} is {now - at:.0f} s old; Mackerel drops what is older than a day"
        )
    return int(at)


def _value(where: str, value: SupportsFloat) -> float:
    # Decimal too, which is what DynamoDB gives; but not everything that float() takes: "3" is a text.
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise InvalidRequest(f"{where}: the value is a number, not {value!r:.80}")
    try:
        number = float(value)
    except OverflowError:
        raise InvalidRequest(f"{where}: the value is beyond what a double holds") from None
    except (TypeError, ValueError):
        raise InvalidRequest(f"{where}: the value is a number, not {value!r:.80}") from None
    if not math.isfinite(number):
        raise InvalidRequest(f"{where}: the value is {number}, which JSON and Mackerel do not have")
    return number
