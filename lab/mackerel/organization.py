"""All that one organization of the fake holds, in memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from lab.mackerel.answers import Refusal, opaque_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.mackerel.clock import Clock

MINUTE = 60


@dataclass
class Rules:
    """The numbers that Mackerel keeps. Those that it does not publish are stricter here than any peer found them."""

    requests_per_minute: int | None = 10  # POSTs of one service's metrics; the documents name the rule, not the number
    retry_after: int | None = None  # seconds; no client is known to read one
    most_points: int | None = None  # in one POST
    longest_name: int | None = None  # of a metric
    longest_check: int | None = None  # its name, in a report
    most_bytes: int = 1 << 20
    points_expire: int = 24 * 3600  # older ones are dropped, and the answer is 200
    reports_expire: int = 6 * 3600
    wildcards_expire: int = 6 * 3600  # "about 6 to 8 hours" without a matching metric
    most_dashboards: int = 100
    utc_offset: int = 9 * 3600  # where Sunday ends, for the downtime trap
    echoes_defaults: bool = False  # documents come back with nulls, defaults and empty lists that nobody sent
    plain_errors: bool = False  # {"error": "text"}, as older deployments answered


class Series(NamedTuple):
    """Whose metric it is: ``kind`` is "service" or "host"."""

    kind: str
    owner: str
    name: str


@dataclass
class Service:
    """A service and the memos of its roles."""

    memo: str = ""
    roles: dict[str, str] = field(default_factory=dict)


@dataclass
class Organization:
    """What the API reads and writes. ``read_only`` keys may not write."""

    clock: Clock
    rules: Rules = field(default_factory=Rules)
    name: str = "kuroshio-lab"
    keys: dict[str, bool] = field(default_factory=lambda: {"lab-key": True, "lab-read-only-key": False})
    services: dict[str, Service] = field(default_factory=dict)
    points: defaultdict[Series, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    posted_at: dict[Series, float] = field(default_factory=dict)
    dropped: list[tuple[Series, float, float]] = field(default_factory=list)  # silently, with a 200
    posts: Counter[tuple[str, int]] = field(default_factory=Counter)  # of one service in one minute
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    graph_definitions: dict[str, dict[str, Any]] = field(default_factory=dict)
    hidden_graphs: set[tuple[str, str]] = field(default_factory=set)
    reports: dict[tuple[str, str, int], dict[str, Any]] = field(default_factory=dict)
    check_monitors: dict[tuple[str, str], str] = field(default_factory=dict)  # (host, name) -> id
    annotations: dict[str, dict[str, Any]] = field(default_factory=dict)
    downtimes: dict[str, dict[str, Any]] = field(default_factory=dict)
    monitors: dict[str, dict[str, Any]] = field(default_factory=dict)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: dict[str, dict[str, Any]] = field(default_factory=dict)
    alert_logs: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    metadata: defaultdict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    numbers: Counter[str] = field(default_factory=Counter)

    def new_id(self, kind: str) -> str:
        """An id that no other thing has: never a number, as Mackerel's are not."""
        self.numbers[kind] += 1
        return opaque_id(kind, self.numbers[kind])

    def service(self, name: str) -> Service:
        """The service, or 404."""
        if name not in self.services:
            raise Refusal(404, "Service not found.")
        return self.services[name]

    def role_exists(self, fullname: str) -> bool:
        """Whether "<service>:<role>" names a role."""
        service, _, role = fullname.partition(":")
        return service in self.services and role.strip() in self.services[service].roles

    def names(self, kind: str, owner: str) -> list[str]:
        """The metric names that a service or a host has, sorted."""
        return sorted(series.name for series in self.points if series[:2] == (kind, owner))

    def write(self, series: Series, time: float, value: float) -> None:
        """Keep one value for the minute, over the one that was there; silently nothing if it is older than 24 hours."""
        now = self.clock()
        if time < now - self.rules.points_expire:
            self.dropped.append((series, time, value))
            return
        self.points[series][int(time) // MINUTE * MINUTE] = value
        self.posted_at[series] = now

    def between(self, series: Series, first: int, last: int) -> Iterator[tuple[int, float]]:
        """The stored (minute, value) pairs of a time, in order."""
        stored = self.points.get(series, {})
        return ((minute, stored[minute]) for minute in sorted(stored) if first <= minute <= last)


def found(shelf: dict[str, dict[str, Any]], key: str, what: str) -> dict[str, Any]:
    """The entry under its id, or 404."""
    if key not in shelf:
        raise Refusal(404, f"{what} not found.")
    return shelf[key]
