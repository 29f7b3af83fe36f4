"""Where the ledger keeps what. A lane is what moves or stands still together: the metrics of a service, the reports."""

from __future__ import annotations

from kuroshio.mackerel.points import DAY, digest
from kuroshio.mackerel.ports import Key

# SQS keeps a message for 14 days at most; a copy of one that comes that late must still meet the key it brings.
KEPT = DAY + 14 * DAY + 2 * DAY
TURNS = "mackerel#turns"
PARKED = "mackerel#parked"
REPORTS = "reports"  # the lane of all check reports: one host carries them
DOWNTIMES = "downtimes"  # the lane of all downtimes: Mackerel lists them only as a whole


def metrics_of(service: str) -> str:
    """The lane of a service's metrics."""
    return f"metrics/{service}"


def annotations_of(service: str) -> str:
    """The lane of a service's annotations."""
    return f"annotations/{service}"


def turn(lane: str) -> Key:
    """The lane's turn: who has it, and when the next one may begin."""
    return Key(TURNS, lane)


def due(lane: str) -> str:
    """The partition that lists what of a lane is to be sent, oldest first."""
    return f"mackerel#due#{lane}"


def cell(service: str, name: str, minute: int) -> Key:
    """The cell of one metric name and minute. Its ``sk`` is also that of its entry among what is due."""
    return Key(f"mackerel#cells#{service}", f"{minute:012d}#{name}")


def minute_of(sk: str) -> int:
    """The minute, or the second, that an ``sk`` begins with."""
    return int(sk.partition("#")[0])


def name_of(sk: str) -> str:
    """The name that an ``sk`` ends with."""
    return sk.partition("#")[2]


def report(name: str, occurred_at: int) -> Key:
    """A check report."""
    return Key("mackerel#reports", f"{occurred_at:012d}#{name}")


def annotation(service: str, marker: str) -> Key:
    """An annotation."""
    return Key(f"mackerel#annotations#{service}", digest(marker))


def downtime(marker: str) -> Key:
    """What is known of the downtime of a marker."""
    return downtime_at(digest(marker))


def downtime_at(sk: str) -> Key:
    """The downtime whose entry among what is due has this ``sk``."""
    return Key("mackerel#downtimes", sk)


def claim(origin: str) -> Key:
    """The times under which the points of one origin were first seen."""
    return Key(f"mackerel#claims#{digest(origin)}", "times")


def parked(lane: str, what: str) -> Key:
    """Something that was set aside, with its reason."""
    return Key(PARKED, f"{lane}#{what}")


def check_host(identifier: str) -> Key:
    """What is known of the host that carries the check reports."""
    return Key("mackerel#host", identifier)
