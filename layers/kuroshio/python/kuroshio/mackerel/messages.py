"""The form in which points, reports, annotations and downtimes travel through the queue."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from kuroshio.errors import InvalidRequest, LimitExceeded
from kuroshio.mackerel import points, silence

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kuroshio.mackerel.points import Annotation, Point, Report
    from kuroshio.mackerel.silence import Downtime, Ended

SCHEMA = "kuroshio.outbox/1"
# Bytes of one message. SQS takes 1 MiB since 2025, but a queue that is older, or says so, only this; and it bills by 64 KB.
LARGEST = 256 * 1024


@dataclass(frozen=True)
class Refused:
    """What could not be taken, and why. ``sample`` is its beginning."""

    key: str
    reason: str
    sample: str


@dataclass(frozen=True)
class Parcel:
    """What one message holds."""

    points: tuple[Point, ...] = ()
    reports: tuple[Report, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    refused: tuple[Refused, ...] = ()
    downtimes: tuple[Downtime | Ended, ...] = ()


def merged(parcels: Iterable[Parcel]) -> Parcel:
    """One parcel with what all of them hold."""
    parts = list(parcels)
    return Parcel(
        tuple(point for parcel in parts for point in parcel.points),
        tuple(report for parcel in parts for report in parcel.reports),
        tuple(annotation for parcel in parts for annotation in parcel.annotations),
        tuple(refused for parcel in parts for refused in parcel.refused),
        tuple(downtime for parcel in parts for downtime in parcel.downtimes),
    )


def packed(parcel: Parcel) -> str:
    """The message. Raises LimitExceeded where it is larger than a queue takes."""
    document: dict[str, Any] = {"schema": SCHEMA}
    for label in ("points", "reports", "annotations", "downtimes"):
        entries = [asdict(entry) for entry in getattr(parcel, label)]
        document |= {label: entries} if entries else {}
    # ASCII: SQS refuses a whole message for one lone surrogate or U+FFFF in the output of somebody's command.
    text = json.dumps(document, separators=(",", ":"), allow_nan=False)
    if len(text) > LARGEST:
        raise LimitExceeded(f"{len(text)} bytes of metrics in one message; {LARGEST} are the most: flush more often")
    return text


def in_messages(parcel: Parcel) -> list[str]:
    """The messages, as few as it takes. Every entry has its own key, so that they need not arrive together."""
    try:
        return [packed(parcel)] if parcel != Parcel() else []
    except LimitExceeded:
        first, second = _halves(parcel)
        if Parcel() in (first, second):  # one entry; its texts are bounded, so this is a mistake of ours
            raise
    return [*in_messages(first), *in_messages(second)]


def _halves(parcel: Parcel) -> tuple[Parcel, Parcel]:
    heads: dict[str, Any] = {}
    tails: dict[str, Any] = {}
    for label in ("points", "reports", "annotations", "downtimes"):
        entries = getattr(parcel, label)
        middle = (len(entries) + 1) // 2
        heads[label], tails[label] = entries[:middle], entries[middle:]
    return Parcel(**heads), Parcel(**tails)


def unpacked(body: str, now: float) -> Parcel:
    """What the message holds; everything in it that Mackerel would not keep is among ``refused``. Raises nothing.

    An age above a day is no reason: what waited too long is counted as lost, not as wrong.
    """
    try:
        document = _document(body)
    except (ValueError, RecursionError, InvalidRequest) as error:
        return Parcel(refused=(_refused(body, error),))
    refused: list[Refused] = []
    readers = {"points": _point, "reports": _report, "annotations": _annotation, "downtimes": _downtime}
    taken: dict[str, list[Any]] = {label: [] for label in readers}
    for label, read in readers.items():
        entries = document.get(label, [])
        for entry in entries if isinstance(entries, list) else [entries]:
            try:
                taken[label].append(read(entry, now))
            except (InvalidRequest, KeyError, TypeError, ValueError, AttributeError) as error:
                refused.append(_refused(json.dumps(entry), error))
    return Parcel(refused=tuple(refused), **{label: tuple(entries) for label, entries in taken.items()})


def _document(body: str) -> dict[str, Any]:
    if len(body) > 4 * LARGEST:
        raise InvalidRequest(f"a message of {len(body)} characters; {LARGEST} bytes are the most")
    document = json.loads(body)
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise InvalidRequest(f"not a document of the schema {SCHEMA}")
    return document


def _refused(text: str, error: Exception) -> Refused:
    reason = f"{type(error).__name__}: {error}" if not isinstance(error, InvalidRequest) else str(error)
    return Refused(points.digest(text), points.shortened(reason, 500), points.shortened(text, 500))


def _point(entry: Any, now: float) -> Point:
    at = entry["time"]
    return points.point(
        _text(entry, "service"),
        _text(entry, "name"),
        entry["value"],
        at=at,
        now=_forgiving(at, now),
        combine=_text(entry, "combine"),
        key=_text(entry, "key"),
        floating=bool(entry.get("floating", False)),
    )


def _report(entry: Any, now: float) -> Report:
    at = entry["occurred_at"]
    texts = [_text(entry, field) for field in ("name", "status", "message")]
    interval = entry.get("notification_interval")
    return points.report(*texts, occurred_at=at, now=_forgiving(at, now), notification_interval=interval)


def _annotation(entry: Any, now: float) -> Annotation:
    texts = [_text(entry, field) for field in ("service", "marker", "title")]
    first, last = entry["first"], entry.get("last")
    return points.annotation(*texts, first=first, last=last, now=now, description=entry.get("description", ""))


def _downtime(entry: Any, now: float) -> Downtime | Ended:
    if "ended" in entry:
        return silence.ended(_text(entry, "marker"), at=entry["ended"], now=now)
    texts = [_text(entry, field) for field in ("service", "marker", "name")]
    return silence.begun(*texts, first=entry["first"], last=entry["last"], now=now)


def _forgiving(at: Any, now: float) -> float:
    """The time to judge by: an old point is not wrong here, only late; one in the future stays wrong."""
    return min(now, at + points.DAY) if isinstance(at, int | float) else now


def _text(entry: Any, field: str) -> str:
    if not isinstance(entry[field], str):
        raise InvalidRequest(f"{field} must be text, not {entry[field]!r:.80}")
    return str(entry[field])
